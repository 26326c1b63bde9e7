import type { Csr } from '@sgsd/lattice'
import type { RowSide } from './fold-kernel.ts'

/** Where a row of a fold comes from: the fold before, the base lattice, or it was folded just now. */
export const SOURCE_KEPT = 0
export const SOURCE_BASE = 1
export const SOURCE_FOLDED = 2

/** Rows that follow each other and come from one source. */
interface Run {
  readonly source: RowSide
  /** First row of the result, the row behind the last, and the first one's place in the source. */
  readonly from: number
  readonly to: number
  readonly at: number
}

/**
 * A matrix put together out of three.
 * @param sources - where each row comes from
 * @param folded - the rows of SOURCE_FOLDED and no others, in order; its arrays may be longer than its rows need
 */
export function spliceRows(sources: Uint8Array, kept: Csr, base: Csr, folded: RowSide): Csr {
  const rows = sources.length
  const runs = runsOf(sources, kept, base, folded)
  const [only] = runs
  if (only !== undefined && runs.length === 1) {
    const { source } = only
    if (source !== folded) return source === kept ? kept : base
    const nnz = folded.ptr[rows]!
    return { rows, ptr: folded.ptr, cols: folded.cols.subarray(0, nnz), vals: folded.vals.subarray(0, nnz) }
  }
  const ptr = new Uint32Array(rows + 1)
  for (const { source, from, to, at } of runs) {
    const shift = ptr[from]! - source.ptr[at]!
    for (let row = from; row < to; row++) ptr[row + 1] = source.ptr[at + row - from + 1]! + shift
  }
  const cols = new Uint32Array(ptr[rows]!)
  const vals = new Float32Array(ptr[rows]!)
  for (const { source, from, to, at } of runs) {
    const [first, end] = [source.ptr[at]!, source.ptr[at + to - from]!]
    cols.set(source.cols.subarray(first, end), ptr[from])
    vals.set(source.vals.subarray(first, end), ptr[from])
  }
  return { rows, ptr, cols, vals }
}

function runsOf(sources: Uint8Array, kept: Csr, base: Csr, folded: RowSide): readonly Run[] {
  const runs: Run[] = []
  let foldedRows = 0
  for (let from = 0; from < sources.length;) {
    const kind = sources[from]!
    let to = from + 1
    while (to < sources.length && sources[to] === kind) to++
    if (kind === SOURCE_FOLDED) {
      runs.push({ source: folded, from, to, at: foldedRows })
      foldedRows += to - from
    } else runs.push({ source: kind === SOURCE_KEPT ? kept : base, from, to, at: from })
    from = to
  }
  return runs
}
