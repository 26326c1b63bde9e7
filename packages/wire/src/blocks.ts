import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import {
  type BlockId,
  type EvidenceBlock,
  f32At,
  littleEndianBytes,
  MAX_CLAIM_CHUNKS,
  MAX_RADICAL,
  MAX_ROW_EDGES,
  MAX_ROW_PAIRS,
  type RowBlock,
  u32At,
  u64At,
} from '@sgsd/consensus'
import { sha256Hex } from './digest.ts'
import { MAX_BLOCK_BYTES } from './limits.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** First bytes of each kind of block, so that none is taken for another. docs/protocol.md §8.3 */
const ROWS_MAGIC = 'SGSR'
const EVIDENCE_MAGIC = 'SGSE'
const STATE_MAGIC = 'SGSS'
const LEAVES_MAGIC = 'SGSL'
const BLOCK_VERSION = 1

/** Bytes of the headers. */
const ROWS_HEADER = 24
const EVIDENCE_HEADER = 20
const STATE_HEADER = 12
const LEAVES_HEADER = 16

/** Bits of 1.0 as f32. Read as u32, the bits of a float are at most these if, and only if, it is in [0, 1] and not −0. */
const ONE_BITS = 0x3f80_0000

/** SHA-256 of a block's uncompressed bytes. */
export function blockIdOf(bytes: Uint8Array): BlockId {
  return sha256Hex(bytes) as BlockId
}

/** Rows of one radical. docs/protocol.md §8.4 */
export function encodeRowBlock(block: RowBlock): Uint8Array {
  const { radical, rowIds, tauPtr, tauCols, tauVals, rhoPtr, rhoCols, rhoVals } = block
  const header = Uint32Array.of(BLOCK_VERSION, radical, rowIds.length, tauCols.length, rhoCols.length)
  const parts = [header, rowIds, tauPtr, tauCols, tauVals, rhoPtr, rhoCols, rhoVals]
  return concatBytes(utf8ToBytes(ROWS_MAGIC), ...parts.map(littleEndianBytes))
}

/**
 * Strict: exact size, ascending rows and columns, at most 64 edges a row, weights in [0, 1]. Whether the rows are the radical's and lie in the lattice
 * is `checkRows`' to say. Total.
 * @returns arrays that are views of `bytes` where those are aligned to 4
 */
export function parseRowBlock(bytes: Uint8Array): Verdict<RowBlock> {
  const header = headerOf(bytes, ROWS_MAGIC, ROWS_HEADER)
  if (typeof header === 'string') return reject(header)
  const [radical = 0, rows = 0, tauEdges = 0, rhoEdges = 0] = header
  if (radical < 1 || radical > MAX_RADICAL) return reject(`no radical ${radical}`)
  const size = ROWS_HEADER + 4 * (rows + 2 * (rows + 1) + 2 * tauEdges + 2 * rhoEdges)
  if (bytes.length !== size) return reject(`${bytes.length} bytes where the header asks for ${size}`)
  let at = ROWS_HEADER
  const next = (count: number): number => {
    const offset = at
    at += 4 * count
    return offset
  }
  const block: RowBlock = {
    radical,
    rowIds: u32At(bytes, next(rows), rows),
    tauPtr: u32At(bytes, next(rows + 1), rows + 1),
    tauCols: u32At(bytes, next(tauEdges), tauEdges),
    tauVals: f32At(bytes, next(tauEdges), tauEdges),
    rhoPtr: u32At(bytes, next(rows + 1), rows + 1),
    rhoCols: u32At(bytes, next(rhoEdges), rhoEdges),
    rhoVals: f32At(bytes, next(rhoEdges), rhoEdges),
  }
  const wrong = ascends(block.rowIds, 0, rows)
    ? (edgesWrong(block.tauPtr, block.tauCols, block.tauVals) ?? edgesWrong(block.rhoPtr, block.rhoCols, block.rhoVals))
    : 'row ids that do not ascend'
  return wrong === undefined ? accept(block) : reject(wrong)
}

/** Counts of one radical. docs/protocol.md §8.7 */
export function encodeEvidenceBlock({ radical, rowIds, ptr, cols, counts }: EvidenceBlock): Uint8Array {
  const header = Uint32Array.of(BLOCK_VERSION, radical, rowIds.length, cols.length)
  return concatBytes(utf8ToBytes(EVIDENCE_MAGIC), ...[header, rowIds, ptr, cols, counts].map(littleEndianBytes))
}

/**
 * Strict: exact size, ascending rows and columns, no empty row, at most 22,903 pairs a row, no count of 0. Whether the rows are the radical's and lie
 * in the lattice is `checkEvidence`'s to say. Total.
 * @returns arrays that are views of `bytes` where those are aligned to 4
 */
export function parseEvidenceBlock(bytes: Uint8Array): Verdict<EvidenceBlock> {
  const header = headerOf(bytes, EVIDENCE_MAGIC, EVIDENCE_HEADER)
  if (typeof header === 'string') return reject(header)
  const [radical = 0, rows = 0, pairs = 0] = header
  if (radical < 1 || radical > MAX_RADICAL) return reject(`no radical ${radical}`)
  const size = EVIDENCE_HEADER + 4 * (2 * rows + 1 + 2 * pairs)
  if (bytes.length !== size) return reject(`${bytes.length} bytes where the header asks for ${size}`)
  const ptrAt = EVIDENCE_HEADER + 4 * rows
  const colsAt = ptrAt + 4 * (rows + 1)
  const block: EvidenceBlock = {
    radical,
    rowIds: u32At(bytes, EVIDENCE_HEADER, rows),
    ptr: u32At(bytes, ptrAt, rows + 1),
    cols: u32At(bytes, colsAt, pairs),
    counts: u32At(bytes, colsAt + 4 * pairs, pairs),
  }
  const wrong = ascends(block.rowIds, 0, rows) ? pairsWrong(block) : 'row ids that do not ascend'
  return wrong === undefined ? accept(block) : reject(wrong)
}

/** Swarm state. docs/protocol.md §8.5 */
export function encodeStateBlock(state: Float32Array): Uint8Array {
  return concatBytes(utf8ToBytes(STATE_MAGIC), littleEndianBytes(Uint32Array.of(BLOCK_VERSION, state.length)), littleEndianBytes(state))
}

/** Total. @returns a view of `bytes` where those are aligned to 4 */
export function parseStateBlock(bytes: Uint8Array): Verdict<Float32Array> {
  const header = headerOf(bytes, STATE_MAGIC, STATE_HEADER)
  if (typeof header === 'string') return reject(header)
  const [count = 0] = header
  if (bytes.length !== STATE_HEADER + 4 * count) return reject(`${bytes.length} bytes where the header asks for ${STATE_HEADER + 4 * count}`)
  const state = f32At(bytes, STATE_HEADER, count)
  return withinOne(state) ? accept(state) : reject('a value outside [0, 1]')
}

/** Chunk values of a claim. docs/protocol.md §7.1 */
export function encodeLeaves(values: BigUint64Array): Uint8Array {
  return concatBytes(utf8ToBytes(LEAVES_MAGIC), littleEndianBytes(Uint32Array.of(BLOCK_VERSION, values.length, 0)), littleEndianBytes(values))
}

/** Total. @returns a view of `bytes` where those are aligned to 8 */
export function parseLeaves(bytes: Uint8Array): Verdict<BigUint64Array> {
  const header = headerOf(bytes, LEAVES_MAGIC, LEAVES_HEADER)
  if (typeof header === 'string') return reject(header)
  const [count = 0, reserved = 0] = header
  if (count < 1 || count > MAX_CLAIM_CHUNKS) return reject(`no claim has ${count} leaves`)
  if (reserved !== 0) return reject(`the reserved word is ${reserved}, not 0`)
  if (bytes.length !== LEAVES_HEADER + 8 * count) return reject(`${bytes.length} bytes where the header asks for ${LEAVES_HEADER + 8 * count}`)
  return accept(u64At(bytes, LEAVES_HEADER, count))
}

/** The numbers behind magic and version, or what is wrong. */
function headerOf(bytes: Uint8Array, magic: string, size: number): readonly number[] | string {
  if (bytes.length > MAX_BLOCK_BYTES) return `${bytes.length} bytes, more than ${MAX_BLOCK_BYTES}`
  if (bytes.length < size) return `${bytes.length} bytes, less than a header`
  if (utf8ToBytes(magic).some((byte, i) => bytes[i] !== byte)) return `does not begin with ${magic}`
  const [version, ...numbers] = u32At(bytes, 4, size / 4 - 1)
  return version === BLOCK_VERSION ? numbers : `block version ${version}`
}

function edgesWrong(ptr: Uint32Array, cols: Uint32Array, vals: Float32Array): string | undefined {
  if (ptr[0] !== 0 || ptr.at(-1) !== cols.length) return 'offsets that do not span the edges'
  for (let i = 1; i < ptr.length; i++) {
    const from = ptr[i - 1]!
    const to = ptr[i]!
    if (to < from || to - from > MAX_ROW_EDGES) return `a row with more than ${MAX_ROW_EDGES} edges, or offsets that do not ascend`
    if (!ascends(cols, from, to)) return 'columns that do not ascend'
  }
  return withinOne(vals) ? undefined : 'a weight outside [0, 1]'
}

function pairsWrong({ ptr, cols, counts }: EvidenceBlock): string | undefined {
  if (ptr[0] !== 0 || ptr.at(-1) !== cols.length) return 'offsets that do not span the pairs'
  for (let i = 1; i < ptr.length; i++) {
    const from = ptr[i - 1]!
    const to = ptr[i]!
    if (to <= from || to - from > MAX_ROW_PAIRS) return `an empty row, one with more than ${MAX_ROW_PAIRS} pairs, or offsets that do not ascend`
    if (to > cols.length || !ascends(cols, from, to)) return 'columns that do not ascend'
  }
  for (let e = 0; e < counts.length; e++) if (counts[e] === 0) return 'a count of 0'
  return undefined
}

function ascends(values: Uint32Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (values[i]! <= values[i - 1]!) return false
  return true
}

function withinOne(values: Float32Array): boolean {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) if (bits[i]! > ONE_BITS) return false
  return true
}
