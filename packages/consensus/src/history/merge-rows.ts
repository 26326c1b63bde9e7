import { type EvidenceRows, type EvidenceSnapshot, type LatticeMatrices, MAX_EVIDENCE_PAIRS, MAX_PAIR_COUNT, sumEvidence } from '@sgsd/lattice'
import { type EvidenceBlock, evidenceBlocks } from '../evidence-block.ts'
import type { RowBlock } from '../row-block.ts'

/**
 * The counts of a merge: the sum over its contributors, as blocks. A pure function of the contributor set.
 * @param rows - order of the lattice
 * @param radicals - Kangxi radical of each row
 * @returns the blocks, or why there are none
 */
export function mergedEvidence(rows: number, radicals: Uint8Array, contributors: readonly (readonly EvidenceBlock[])[]): MergedEvidence {
  const { ptr, cols, counts } = sumEvidence(rows, contributors.flat())
  return blocksOfCounts(rows, radicals, ptr, cols, counts)
}

export type MergedEvidence = { readonly blocks: readonly EvidenceBlock[]; readonly counts: EvidenceSnapshot } | { readonly refusal: string }

/**
 * The published pairwise algebra over counts: (a + b)/2, rounded down to whole counts. Neither associative nor does taking the same layer in twice leave the result
 * as it was; for comparison only. docs/layers.md
 */
export function pairwiseEvidence(rows: number, radicals: Uint8Array, a: readonly EvidenceBlock[], b: readonly EvidenceBlock[]): MergedEvidence {
  const sum = sumEvidence(rows, [...a, ...b])
  const ptr = new Uint32Array(rows + 1)
  const cols = new Uint32Array(sum.cols.length)
  const counts = new Float64Array(sum.cols.length)
  let end = 0
  for (let row = 0; row < rows; row++) {
    for (let e = sum.ptr[row]!; e < sum.ptr[row + 1]!; e++) {
      const half = Math.floor(sum.counts[e]! / 2)
      if (half === 0) continue
      cols[end] = sum.cols[e]!
      counts[end++] = half
    }
    ptr[row + 1] = end
  }
  return blocksOfCounts(rows, radicals, ptr, cols.subarray(0, end), counts.subarray(0, end))
}

function blocksOfCounts(rows: number, radicals: Uint8Array, ptr: Uint32Array, cols: Uint32Array, sums: Uint32Array | Float64Array): MergedEvidence {
  if (cols.length > MAX_EVIDENCE_PAIRS) return { refusal: `together they count ${cols.length} pairs; a layer holds ${MAX_EVIDENCE_PAIRS}` }
  const counts = Uint32Array.from(sums, (sum) => Math.min(MAX_PAIR_COUNT, sum))
  const snapshot = { rows, ptr, cols, counts, total: counts.reduce((sum, each) => sum + each, 0) }
  return { blocks: evidenceBlocks(snapshot, radicals), counts: snapshot }
}

/**
 * Rows of a folded lattice as blocks, one per radical, ascending.
 * @param rows - which rows, ascending
 */
export function rowBlocksOf({ tau, rho }: LatticeMatrices, rows: Uint32Array, radicals: Uint8Array): RowBlock[] {
  const byRadical = new Map<number, number[]>()
  for (const row of rows) {
    const radical = radicals[row]!
    const held = byRadical.get(radical)
    if (held === undefined) byRadical.set(radical, [row])
    else held.push(row)
  }
  return [...byRadical]
    .sort(([a], [b]) => a - b)
    .map(([radical, ids]) => {
      const { ptr: tauPtr, cols: tauCols, vals: tauVals } = gathered(tau, ids)
      const { ptr: rhoPtr, cols: rhoCols, vals: rhoVals } = gathered(rho, ids)
      return { radical, rowIds: Uint32Array.from(ids), tauPtr, tauCols, tauVals, rhoPtr, rhoCols, rhoVals }
    })
}

interface Gathered {
  readonly ptr: Uint32Array
  readonly cols: Uint32Array
  readonly vals: Float32Array
}

function gathered({ ptr, cols, vals }: LatticeMatrices['tau'], rows: readonly number[]): Gathered {
  const own = new Uint32Array(rows.length + 1)
  for (const [i, row] of rows.entries()) own[i + 1] = own[i]! + ptr[row + 1]! - ptr[row]!
  const into = { ptr: own, cols: new Uint32Array(own.at(-1)!), vals: new Float32Array(own.at(-1)!) }
  for (const [i, row] of rows.entries()) {
    into.cols.set(cols.subarray(ptr[row], ptr[row + 1]), own[i])
    into.vals.set(vals.subarray(ptr[row], ptr[row + 1]), own[i])
  }
  return into
}

/** Rows that any of the blocks holds, ascending. */
export function rowsHeld(rows: number, blocks: readonly Pick<EvidenceRows, 'rowIds'>[]): Uint32Array {
  const marks = new Uint8Array(rows)
  for (const { rowIds } of blocks) for (const row of rowIds) marks[row] = 1
  return Uint32Array.from(marks.keys()).filter((row) => marks[row] === 1)
}
