import { checkEvidence, checkEvidenceTotal, checkRows, evidenceBlocks, f32At, type LearningRule, type RowBlock } from '@sgsd/consensus'
import { type Csr, type EvidenceSnapshot, MAX_PAIR_COUNT } from '@sgsd/lattice'
import { accept, encodeEvidenceBlock, encodeRowBlock, reject, type Verdict } from '@sgsd/wire'
import { CONSENSUS_FORMAT, TENSOR } from './layer-tensors.ts'
import { type RowsBody, rowsDigest } from './rows-body.ts'
import type { TensorFile } from './tensor-file.ts'
import { wholeNumbers } from './whole-numbers.ts'

/** What a file teaches. */
export interface LayerRows extends RowsBody {
  /** Edges of both matrices, or pairs. */
  readonly nnz: number
}

/** Where a file says that it comes from. Nobody has signed it: it protects an honest user from counting twice, nobody from a forger. */
export interface LayerOrigin {
  readonly mesh: string
  /** A peer id, or '' for a consensus. */
  readonly author: string
}

/** Undefined for a file that sgsd has not written. */
export function originOf({ meta }: TensorFile): LayerOrigin | undefined {
  const [mesh, author] = [meta.get('mesh'), meta.get('format') === CONSENSUS_FORMAT ? '' : meta.get('author')]
  return mesh === undefined || author === undefined ? undefined : { mesh, author }
}

/**
 * The rows of a file for a mesh of one learning rule: `Wτ` and `Wρ` for learned weights, `N` for counts, over the lattice's own rows. Whatever else the
 * file holds is passed over. Total.
 * @param radicals - Kangxi radical of each lattice row
 */
export function readLayer(file: TensorFile, rule: LearningRule, radicals: Uint8Array): Verdict<LayerRows> {
  return rule === 'hebb' ? readWeights(file, radicals) : readCounts(file, radicals)
}

function readWeights(file: TensorFile, radicals: Uint8Array): Verdict<LayerRows> {
  const tau = readMatrix(file, TENSOR.tau, radicals.length)
  if (typeof tau === 'string') return reject(tau)
  const rho = readMatrix(file, TENSOR.rho, radicals.length)
  if (typeof rho === 'string') return reject(rho)
  const held = heldRows(file, tau, rho)
  if (typeof held === 'string') return reject(held)
  const byRadical = new Map<number, number[]>()
  for (const row of held) {
    const rows = byRadical.get(radicals[row]!)
    if (rows === undefined) byRadical.set(radicals[row]!, [row])
    else rows.push(row)
  }
  const blocks: { radical: number; bytes: Uint8Array }[] = []
  let nnz = 0
  for (const [radical, rowIds] of [...byRadical].sort(([a], [b]) => a - b)) {
    const block: RowBlock = { radical, rowIds: Uint32Array.from(rowIds), ...side('tau', tau, rowIds), ...side('rho', rho, rowIds) } as RowBlock
    const wrong = checkRows(radicals, block)
    if (wrong !== undefined) return reject(wrong)
    nnz += block.tauCols.length + block.rhoCols.length
    blocks.push({ radical, bytes: encodeRowBlock(block) })
  }
  return accept({ blocks, rows: held.length, nnz, digest: rowsDigest(blocks) })
}

function readCounts({ tensors }: TensorFile, radicals: Uint8Array): Verdict<LayerRows> {
  const n = radicals.length
  const matrix = tensors.get(TENSOR.counts)
  if (matrix?.layout !== 'coo' || matrix.values.dtype !== 'i64')
    return reject('this mesh counts evidence: a sparse matrix N of int64 belongs in the file; weights cannot be added up')
  const places = readCoordinates(matrix, TENSOR.counts, n)
  if (typeof places === 'string') return reject(places)
  const values = wholeNumbers(matrix.values.bytes, MAX_PAIR_COUNT)
  if (values === undefined) return reject(`a count of N is negative or above ${MAX_PAIR_COUNT}`)
  const snapshot: EvidenceSnapshot = { rows: n, ...places, counts: Uint32Array.from(values), total: values.reduce((sum, value) => sum + value, 0) }
  const blocks = evidenceBlocks(snapshot, radicals)
  for (const block of blocks) {
    const wrong = checkEvidence(radicals, block)
    if (wrong !== undefined) return reject(wrong)
  }
  const wrong = checkEvidenceTotal(blocks)
  if (wrong !== undefined) return reject(wrong)
  const encoded = blocks.map((block) => ({ radical: block.radical, bytes: encodeEvidenceBlock(block) }))
  const rows = blocks.reduce((sum, { rowIds }) => sum + rowIds.length, 0)
  return accept({ blocks: encoded, rows, nnz: values.length, digest: rowsDigest(encoded) })
}

function readMatrix({ tensors }: TensorFile, name: string, n: number): Csr | string {
  const matrix = tensors.get(name)
  if (matrix?.layout !== 'coo' || matrix.values.dtype !== 'f32') return `a sparse matrix ${name} of float32 belongs in the file`
  const places = readCoordinates(matrix, name, n)
  if (typeof places === 'string') return places
  // + 0 makes 0 of −0, which blocks do not hold
  return { rows: n, ...places, vals: f32At(matrix.values.bytes, 0, matrix.values.bytes.length / 4).map((value) => value + 0) }
}

interface Coordinates {
  readonly shape: readonly [number, number]
  readonly indices: { readonly bytes: Uint8Array }
}

/** Coordinates as rows, or what is wrong with them. */
function readCoordinates({ shape, indices }: Coordinates, name: string, n: number): Pick<Csr, 'ptr' | 'cols'> | string {
  if (shape[0] !== n || shape[1] !== n) return `${name} is ${shape.join(' × ')}; this lattice is ${n} × ${n}`
  const places = wholeNumbers(indices.bytes, n - 1)
  if (places === undefined) return `${name} has an edge outside the lattice`
  const nnz = places.length / 2
  const ptr = new Uint32Array(n + 1)
  for (let i = 0; i < nnz; i++) {
    const [row, column] = [places[i]!, places[nnz + i]!]
    if (i > 0 && (row < places[i - 1]! || (row === places[i - 1]! && column <= places[nnz + i - 1]!)))
      return `the edges of ${name} are out of order or occur twice: save ${name}.coalesce()`
    ptr[row + 1]! += 1
  }
  for (let row = 0; row < n; row++) ptr[row + 1]! += ptr[row]!
  return { ptr, cols: Uint32Array.from(places.subarray(nnz)) }
}

/** Rows that the file names, else those that have an edge; ascending. */
function heldRows({ tensors }: TensorFile, tau: Csr, rho: Csr): Uint32Array | string {
  const has = (row: number): boolean => tau.ptr[row] !== tau.ptr[row + 1] || rho.ptr[row] !== rho.ptr[row + 1]
  const filled = Uint32Array.from({ length: tau.rows }, (_, row) => row).filter(has)
  const named = tensors.get(TENSOR.rows)
  if (named === undefined) return filled
  if (named.layout !== 'dense' || named.dtype !== 'i64' || named.shape.length !== 1) return `${TENSOR.rows} is no list of int64`
  const rows = wholeNumbers(named.bytes, tau.rows - 1)
  if (rows === undefined || rows.some((row, i) => i > 0 && row <= rows[i - 1]!)) return `${TENSOR.rows} does not ascend within the lattice`
  const held = new Set(rows)
  return filled.every((row) => held.has(row)) ? Uint32Array.from(rows) : `an edge lies in a row that ${TENSOR.rows} does not name`
}

function side(name: 'tau' | 'rho', { ptr, cols, vals }: Csr, rowIds: readonly number[]): Partial<RowBlock> {
  const own = new Uint32Array(rowIds.length + 1)
  for (const [i, row] of rowIds.entries()) own[i + 1] = own[i]! + ptr[row + 1]! - ptr[row]!
  const ownCols = new Uint32Array(own.at(-1)!)
  const ownVals = new Float32Array(own.at(-1)!)
  for (const [i, row] of rowIds.entries()) {
    ownCols.set(cols.subarray(ptr[row], ptr[row + 1]), own[i])
    ownVals.set(vals.subarray(ptr[row], ptr[row + 1]), own[i])
  }
  return { [`${name}Ptr`]: own, [`${name}Cols`]: ownCols, [`${name}Vals`]: ownVals }
}
