import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { type BlockId, type LayerId, type LayerManifest, littleEndianBytes, MAX_RADICAL } from '@sgsd/consensus'
import {
  accept,
  blockIdOf,
  layerIdOf,
  MAX_BLOCK_BYTES,
  MAX_ITEM_BYTES,
  MAX_LINEAGE_BYTES,
  MAX_MANIFEST_BYTES,
  parseManifest,
  reject,
  type Verdict,
} from '@sgsd/wire'
import { MAX_BUNDLE_BYTES } from './limits.ts'

/** First bytes of a portable layer. docs/interop.md */
export const BUNDLE_MAGIC = 'SGSB'
const BUNDLE_VERSION = 1
const HEADER_BYTES = 12
/** Bytes of a voucher. */
const VOUCHER_BYTES = 32
/** Parts before the rows' blocks: head, record, voucher, manifest, lineage, state. */
const FIXED_PARTS = 6

/** A layer with everything that is needed to check it, away from its mesh. Parts are the bytes that were hashed and signed. */
export interface LayerBundle {
  readonly layer: LayerId
  readonly manifest: LayerManifest
  /** Signed envelope that announces the layer, and its author's record; empty for a layer that is no head any more. */
  readonly head: Uint8Array
  readonly record: Uint8Array
  /** Of a mesh with a key: shows that whoever packed the two envelopes knows it. Otherwise empty. */
  readonly voucher: Uint8Array
  readonly lineage: Uint8Array
  readonly state: Uint8Array
  /** In the manifest's order. */
  readonly blocks: readonly Uint8Array[]
}

/** Bytes in the order in which they are written, with the manifest as it was hashed. */
export interface BundleParts extends Pick<LayerBundle, 'head' | 'record' | 'voucher'> {
  readonly manifest: Uint8Array
}

/** The beginning of a portable layer; lineage, state and each block of the manifest follow, each as `bundlePart` makes it. @param blocks - how many */
export function bundleStart({ head, record, voucher, manifest }: BundleParts, blocks: number): Uint8Array {
  const counts = littleEndianBytes(Uint32Array.of(BUNDLE_VERSION, FIXED_PARTS + blocks))
  return concatBytes(utf8ToBytes(BUNDLE_MAGIC), counts, ...[head, record, voucher, manifest].map(bundlePart))
}

/** One more part: its length as u32, then its bytes. */
export function bundlePart(bytes: Uint8Array): Uint8Array {
  return concatBytes(littleEndianBytes(Uint32Array.of(bytes.length)), bytes)
}

/** A whole portable layer. @param manifest - the bytes whose hash is the layer's id */
export function encodeLayerBundle(bundle: Omit<LayerBundle, 'layer' | 'manifest'> & { readonly manifest: Uint8Array }): Uint8Array {
  const { lineage, state, blocks } = bundle
  return concatBytes(bundleStart(bundle, blocks.length), ...[lineage, state, ...blocks].map(bundlePart))
}

/** Whether bytes claim to be a portable layer. */
export function isLayerBundle(bytes: Uint8Array): boolean {
  return utf8ToBytes(BUNDLE_MAGIC).every((byte, i) => bytes[i] === byte)
}

/**
 * Takes a portable layer apart: bounded lengths, a manifest that parses, the number of blocks that it names. The hashes are not looked at: that is
 * `bundleFault`'s to do, and that signatures are their authors' is for whoever has the mesh. Total.
 * @returns views of `bytes`
 */
export function splitLayerBundle(bytes: Uint8Array): Verdict<LayerBundle> {
  if (bytes.length > MAX_BUNDLE_BYTES) return reject(`${bytes.length} bytes, more than ${MAX_BUNDLE_BYTES}`)
  if (bytes.length < HEADER_BYTES || !isLayerBundle(bytes)) return reject(`does not begin with ${BUNDLE_MAGIC}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(4, true) !== BUNDLE_VERSION) return reject(`version ${view.getUint32(4, true)} of a portable layer`)
  const count = view.getUint32(8, true)
  if (count < FIXED_PARTS || count > FIXED_PARTS + MAX_RADICAL) return reject(`${count} parts`)
  const parts: Uint8Array[] = []
  let at = HEADER_BYTES
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) return reject('it is cut off')
    const length = view.getUint32(at, true)
    if (length > mostBytes(i)) return reject(`part ${i} has ${length} bytes, more than ${mostBytes(i)}`)
    if (at + 4 + length > bytes.length) return reject('it is cut off')
    parts.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  if (at !== bytes.length) return reject('bytes behind its end')
  const [head, record, voucher, manifest, lineage, state, ...blocks] = parts as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const parsed = parseManifest(manifest)
  if (parsed.type !== 'accept') return reject(`manifest: ${parsed.reason}`)
  if (parsed.value.blocks.length !== blocks.length) return reject(`${blocks.length} blocks where the manifest names ${parsed.value.blocks.length}`)
  return accept({ layer: layerIdOf(manifest), manifest: parsed.value, head, record, voucher, lineage, state, blocks })
}

/** Lineage, state and blocks with the ids that the manifest gives them. */
export function namedParts({ manifest, lineage, state, blocks }: LayerBundle): readonly (readonly [id: BlockId, bytes: Uint8Array])[] {
  return [[manifest.lineage, lineage], [manifest.state, state], ...blocks.map((bytes, i) => [manifest.blocks[i]!.block, bytes] as const)]
}

/** Whether every part is what the manifest names. @param idOf - SHA-256, 64 hex digits @returns what is wrong, or undefined */
export function bundleFault(bundle: LayerBundle, idOf: (bytes: Uint8Array) => string = blockIdOf): string | undefined {
  const wrong = namedParts(bundle).findIndex(([id, bytes]) => idOf(bytes) !== id)
  return wrong === -1 ? undefined : `${['the lineage', 'the state'][wrong] ?? `block ${wrong - 2}`} is not what the manifest names`
}

function mostBytes(part: number): number {
  return [MAX_ITEM_BYTES, MAX_ITEM_BYTES, VOUCHER_BYTES, MAX_MANIFEST_BYTES, MAX_LINEAGE_BYTES][part] ?? MAX_BLOCK_BYTES
}
