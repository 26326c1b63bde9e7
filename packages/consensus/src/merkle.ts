import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { idBytes, shortText, u64Bytes } from './bytes.ts'
import type { MeshId, PeerName, RosterHash } from './ids.ts'
import type { ChunkRun } from './items.ts'

/** What every leaf of a claim is bound to, so that none can be shown for another claim. */
export interface ClaimContext {
  readonly meshId: MeshId
  readonly epoch: bigint
  readonly rosterHash: RosterHash
  readonly author: PeerName
  readonly run: ChunkRun
}

/** Inner nodes start otherwise than leaves: neither can be passed off as the other. */
const LEAF_DOMAIN = utf8ToBytes('sgs-leaf')
const NODE_DOMAIN = utf8ToBytes('sgs-node')

const HASH_BYTES = 32

/**
 * Merkle root over the run's chunk values. leaf = SHA-256("sgs-leaf" ‖ mesh id ‖ epoch ‖ roster hash ‖ author ‖ chunk ‖ value),
 * node = SHA-256("sgs-node" ‖ left ‖ right), a last node without a partner moves up unchanged. docs/protocol.md §7.2
 * @param values - one u64 per chunk of the run, at least one
 * @returns 64 hex digits
 * @throws RangeError if there are not `run.count` values (a bug: `checkLeaves` refuses them earlier)
 */
export function claimRoot(context: ClaimContext, values: BigUint64Array): string {
  let level = leafHashes(context, values)
  while (level.length > HASH_BYTES) level = parentsOf(level)
  return bytesToHex(level)
}

/**
 * Siblings from the leaf of `values[index]` up to the root; a level where the node has no partner adds nothing.
 * @param index - place in the run, from 0
 * @throws RangeError for an index outside the run
 */
export function merklePath(context: ClaimContext, values: BigUint64Array, index: number): readonly Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= values.length) throw new RangeError(`a run of ${values.length} chunks has no leaf ${index}`)
  const path: Uint8Array[] = []
  let at = index
  for (let level = leafHashes(context, values); level.length > HASH_BYTES; level = parentsOf(level)) {
    const sibling = hashAt(level, at ^ 1)
    if (sibling.length > 0) path.push(sibling.slice())
    at >>>= 1
  }
  return path
}

/** Does `path` lead from this value at this place of the run to `root`? Total: a path of any length and content has an answer. */
export function checkMerklePath(context: ClaimContext, index: number, value: bigint, path: readonly Uint8Array[], root: string): boolean {
  if (!Number.isInteger(index) || index < 0 || index >= context.run.count) return false
  const leaf = concatBytes(leafPrefix(context), u64Bytes(BigInt(context.run.start + index)), u64Bytes(value))
  let node: Uint8Array = sha256(leaf)
  let at = index
  let width = context.run.count
  let used = 0
  for (; width > 1; width = (width + 1) >>> 1, at >>>= 1) {
    if ((at ^ 1) >= width) continue
    const sibling = path[used++]
    if (sibling?.length !== HASH_BYTES) return false
    node = sha256(at % 2 === 0 ? concatBytes(NODE_DOMAIN, node, sibling) : concatBytes(NODE_DOMAIN, sibling, node))
  }
  return used === path.length && bytesToHex(node) === root
}

/** What every leaf of a claim begins with. docs/protocol.md §7.2 */
export function leafPrefix({ meshId, epoch, rosterHash, author }: ClaimContext): Uint8Array {
  return concatBytes(LEAF_DOMAIN, idBytes(meshId), u64Bytes(epoch), idBytes(rosterHash), shortText(author))
}

/** Concatenated leaf hashes. The prefix fills two of a leaf's three hash blocks and is compressed once. */
function leafHashes(context: ClaimContext, values: BigUint64Array): Uint8Array {
  const { start, count } = context.run
  if (values.length !== count || count < 1) throw new RangeError(`a run of ${count} chunks cannot have ${values.length} values`)
  const prefixed = sha256.create().update(leafPrefix(context))
  const tail = new Uint8Array(16)
  const view = new DataView(tail.buffer)
  const hashes = new Uint8Array(count * HASH_BYTES)
  for (let i = 0; i < count; i++) {
    view.setBigUint64(0, BigInt(start + i), true)
    view.setBigUint64(8, values[i]!, true)
    prefixed.clone().update(tail).digestInto(hashAt(hashes, i))
  }
  return hashes
}

function parentsOf(level: Uint8Array): Uint8Array {
  const width = level.length / HASH_BYTES
  const parents = new Uint8Array(((width + 1) >>> 1) * HASH_BYTES)
  for (let i = 0; i < width; i += 2) {
    const parent = hashAt(parents, i >>> 1)
    if (i + 1 === width) parent.set(hashAt(level, i))
    else
      sha256
        .create()
        .update(NODE_DOMAIN)
        .update(level.subarray(i * HASH_BYTES, (i + 2) * HASH_BYTES))
        .digestInto(parent)
  }
  return parents
}

/** The i-th hash, or an empty array behind the last one. */
function hashAt(level: Uint8Array, i: number): Uint8Array {
  return level.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)
}
