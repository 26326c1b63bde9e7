import { type EvidenceBlock, type Folded, type LayerManifest, littleEndianBytes, type RowBlock } from '@sgsd/consensus'
import type { EvidenceCsr } from '@sgsd/lattice'
import { accept, parseEvidenceBlock, parseRowBlock, parseStateBlock, type Verdict } from '@sgsd/wire'
import type { LayerBundle } from './layer-bundle.ts'
import type { DenseTensor, SparseTensor, Tensor, TensorFile } from './tensor-file.ts'
import { i64Bytes, type WholeNumbers } from './whole-numbers.ts'

/** Names of the tensors of a layer or a consensus. */
export const TENSOR = {
  /** Coverage and exclusion, f32, n × n. */
  tau: 'Wτ',
  rho: 'Wρ',
  /** Counts of pairs in units of 1/256, i64, n × n. */
  counts: 'N',
  /** Swarm state, f32, n. */
  state: 's',
  /** Rows that the layer holds, i64: one may be held and be empty. */
  rows: 'rows',
} as const

/** What stands under `format` in the strings of a file. */
export const LAYER_FORMAT = 'sgsd.layer/1'
export const CONSENSUS_FORMAT = 'sgsd.consensus/1'

/** A layer as tensors: `Wτ`, `Wρ`, `rows` and `s` of learned weights, `N` and `s` of counts. Total. */
export function layerTensors({ layer, manifest, state, blocks }: LayerBundle): Verdict<TensorFile> {
  const s = parseStateBlock(state)
  if (s.type !== 'accept') return s
  const n = s.value.length
  const matrices = manifest.params.rule === 'evidence' ? countTensors(n, blocks) : rowTensors(n, blocks)
  if (matrices.type !== 'accept') return matrices
  return accept({ tensors: new Map([...matrices.value, [TENSOR.state, floats(s.value)]]), meta: layerMeta(layer, manifest) })
}

/** What a consensus is called. */
export interface ConsensusFacts {
  readonly mesh: string
  readonly kernel: string
  readonly foldId: string
  readonly consensus: string
  readonly digest: string
  readonly heads: readonly { readonly author: string; readonly seq: string; readonly layer: string }[]
}

/** The parts of a consensus, by the name of their tensor; `counts` are the sums of a fold of evidence. */
export function consensusTensors(
  { matrices: { tau, rho }, state }: Pick<Folded, 'matrices' | 'state'>,
  facts: ConsensusFacts,
  counts?: EvidenceCsr,
): TensorFile {
  const tensors = new Map<string, Tensor>([
    [TENSOR.tau, coo(tau.rows, rowsOf(tau, tau.vals), floatValues)],
    [TENSOR.rho, coo(rho.rows, rowsOf(rho, rho.vals), floatValues)],
    [TENSOR.state, floats(state)],
  ])
  if (counts !== undefined) tensors.set(TENSOR.counts, coo(counts.rows, rowsOf(counts, counts.counts), countValues))
  const { heads, foldId, ...names } = facts
  const meta = new Map(Object.entries({ format: CONSENSUS_FORMAT, ...names, fold: foldId }))
  return { tensors, meta: meta.set('heads', heads.map(({ author, seq, layer }) => `${author} ${seq} ${layer}`).join('\n')) }
}

/** Some of a file's tensors, with all of its strings. */
export function onlyTensors({ tensors, meta }: TensorFile, names: readonly string[]): TensorFile {
  return { tensors: new Map([...tensors].filter(([name]) => names.includes(name))), meta }
}

/** Every value is a string: PyTorch's restricted unpickler knows no floats. */
function layerMeta(layer: string, { mesh, kernel, parents, author, seq, epoch, params, scores }: LayerManifest): Map<string, string> {
  return new Map(
    Object.entries({
      format: LAYER_FORMAT,
      mesh,
      kernel,
      layer,
      parents: parents.join(' '),
      author,
      seq: String(seq),
      epoch: String(epoch),
      rule: params.rule,
      profile: params.profile,
      eta: String(params.eta),
      decay: String(params.decay),
      lines: String(scores.lines),
      mean: String(scores.mean),
    }),
  )
}

/** One row of a matrix. */
interface Row<V> {
  readonly row: number
  readonly cols: Uint32Array
  readonly vals: V
}

function rowTensors(n: number, blocks: readonly Uint8Array[]): Verdict<[string, Tensor][]> {
  const parsed = parseAll(blocks, parseRowBlock)
  if (parsed.type !== 'accept') return parsed
  const side = (matrix: 'tau' | 'rho'): Row<Float32Array>[] => sorted(parsed.value.flatMap((block) => sideRows(block, matrix)))
  const rows = Uint32Array.from(parsed.value.flatMap(({ rowIds }) => [...rowIds])).sort()
  return accept([
    [TENSOR.tau, coo(n, side('tau'), floatValues)],
    [TENSOR.rho, coo(n, side('rho'), floatValues)],
    [TENSOR.rows, { layout: 'dense', dtype: 'i64', shape: [rows.length], bytes: i64Bytes(rows) }],
  ])
}

function countTensors(n: number, blocks: readonly Uint8Array[]): Verdict<[string, Tensor][]> {
  const parsed = parseAll(blocks, parseEvidenceBlock)
  if (parsed.type !== 'accept') return parsed
  const rows = parsed.value.flatMap(({ rowIds, ptr, cols, counts }: EvidenceBlock) =>
    [...rowIds].map((row, i) => ({ row, cols: cols.subarray(ptr[i], ptr[i + 1]), vals: counts.subarray(ptr[i], ptr[i + 1]) })),
  )
  return accept([[TENSOR.counts, coo(n, sorted(rows), countValues)]])
}

function parseAll<B>(blocks: readonly Uint8Array[], parse: (bytes: Uint8Array) => Verdict<B>): Verdict<B[]> {
  const parsed: B[] = []
  for (const bytes of blocks) {
    const verdict = parse(bytes)
    if (verdict.type !== 'accept') return verdict
    parsed.push(verdict.value)
  }
  return accept(parsed)
}

function sideRows(block: RowBlock, matrix: 'tau' | 'rho'): Row<Float32Array>[] {
  const [ptr, cols, vals] = [block[`${matrix}Ptr`], block[`${matrix}Cols`], block[`${matrix}Vals`]]
  return [...block.rowIds].map((row, i) => ({ row, cols: cols.subarray(ptr[i], ptr[i + 1]), vals: vals.subarray(ptr[i], ptr[i + 1]) }))
}

function rowsOf<V extends Float32Array | WholeNumbers>(
  { rows, ptr, cols }: { rows: number; ptr: Uint32Array; cols: Uint32Array },
  vals: V,
): Row<V>[] {
  return Array.from({ length: rows }, (_, row) => ({
    row,
    cols: cols.subarray(ptr[row], ptr[row + 1]),
    vals: vals.subarray(ptr[row], ptr[row + 1]) as V,
  }))
}

function sorted<V>(rows: Row<V>[]): Row<V>[] {
  return rows.sort((a, b) => a.row - b.row)
}

/** Coalesced coordinates: sorted by row, then column, as PyTorch keeps them. @param rows - ascending */
function coo<V extends { readonly length: number }>(
  n: number,
  rows: readonly Row<V>[],
  valuesOf: (parts: readonly V[]) => DenseTensor,
): SparseTensor {
  const nnz = rows.reduce((sum, { cols }) => sum + cols.length, 0)
  const at = new Uint32Array(nnz)
  const columns = new Uint32Array(nnz)
  let end = 0
  for (const { row, cols } of rows) {
    at.fill(row, end, end + cols.length)
    columns.set(cols, end)
    end += cols.length
  }
  const indices: DenseTensor = { layout: 'dense', dtype: 'i64', shape: [2, nnz], bytes: i64Bytes(at, columns) }
  return { layout: 'coo', shape: [n, n], indices, values: valuesOf(rows.map(({ vals }) => vals)) }
}

function floatValues(parts: readonly Float32Array[]): DenseTensor {
  const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const part of parts) {
    values.set(part, end)
    end += part.length
  }
  return floats(values)
}

function countValues(parts: readonly WholeNumbers[]): DenseTensor {
  const bytes = i64Bytes(...parts)
  return { layout: 'dense', dtype: 'i64', shape: [bytes.length / 8], bytes }
}

function floats(values: Float32Array): DenseTensor {
  return { layout: 'dense', dtype: 'f32', shape: [values.length], bytes: littleEndianBytes(values) }
}
