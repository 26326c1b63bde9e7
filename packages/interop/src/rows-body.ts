import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { littleEndianBytes, MAX_RADICAL } from '@sgsd/consensus'
import { accept, blockIdOf, MAX_BLOCK_BYTES, reject, type Verdict } from '@sgsd/wire'
import { MAX_BUNDLE_BYTES } from './limits.ts'

/** First bytes of rows on their way to the daemon. */
const ROWS_MAGIC = 'SGSI'
const ROWS_VERSION = 1
const HEADER_BYTES = 12
/** Blocks of rows and of counts begin alike: magic, version, radical, rows. */
const BLOCK_HEADER_BYTES = 16
const BLOCK_RADICAL_AT = 8
const BLOCK_ROWS_AT = 12

/** Rows as canonical blocks, ascending by radical. */
export interface RowsBody {
  readonly blocks: readonly { readonly radical: number; readonly bytes: Uint8Array }[]
  readonly rows: number
  /** SHA-256 over the blocks, 64 hex digits: equal content gives the same, whatever file it came in. */
  readonly digest: string
}

/** What `POST /v1/layers/rows` takes. */
export function encodeRowsBody({ blocks }: Pick<RowsBody, 'blocks'>): Uint8Array {
  const counts = littleEndianBytes(Uint32Array.of(ROWS_VERSION, blocks.length))
  const parts = blocks.flatMap(({ bytes }) => [littleEndianBytes(Uint32Array.of(bytes.length)), bytes])
  return concatBytes(utf8ToBytes(ROWS_MAGIC), counts, ...parts)
}

/** Bounded lengths and radicals that ascend; what the blocks hold is for the lattice to check. Total. @returns views of `bytes` */
export function splitRowsBody(bytes: Uint8Array): Verdict<RowsBody> {
  if (bytes.length > MAX_BUNDLE_BYTES || bytes.length < HEADER_BYTES) return reject(`${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = view.getUint32(8, true)
  const known = utf8ToBytes(ROWS_MAGIC).every((byte, i) => bytes[i] === byte) && view.getUint32(4, true) === ROWS_VERSION
  if (!known || count > MAX_RADICAL) return reject('no rows')
  const blocks: { radical: number; bytes: Uint8Array }[] = []
  let rows = 0
  let at = HEADER_BYTES
  for (let i = 0; i < count; i++) {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : 0
    if (length < BLOCK_HEADER_BYTES || length > MAX_BLOCK_BYTES || at + 4 + length > bytes.length) return reject(`block ${i} is cut off`)
    const radical = view.getUint32(at + 4 + BLOCK_RADICAL_AT, true)
    if (radical <= (blocks.at(-1)?.radical ?? 0)) return reject('radicals that do not ascend')
    rows += view.getUint32(at + 4 + BLOCK_ROWS_AT, true)
    blocks.push({ radical, bytes: bytes.subarray(at + 4, at + 4 + length) })
    at += 4 + length
  }
  return at === bytes.length ? accept({ blocks, rows, digest: rowsDigest(blocks) }) : reject('bytes behind the last block')
}

/** @returns 64 hex digits */
export function rowsDigest(blocks: RowsBody['blocks']): string {
  return bytesToHex(sha256(concatBytes(utf8ToBytes('sgs-import/1'), ...blocks.map(({ bytes }) => hexToBytes(blockIdOf(bytes))))))
}
