import { MAX_EVIDENCE_PAIRS, MAX_EVIDENCE_TOTAL } from '@sgsd/lattice'
import type { EvidenceBlock } from './evidence-block.ts'

/**
 * Checks the counts of a layer's block against the lattice: rows of the block's radical only, rows and columns inside the lattice, offsets that fit,
 * everything ascending, no empty row, no count of 0. docs/protocol.md §9.2
 * @param radicals - Kangxi radical of each lattice row; its length is the lattice's number of rows
 * @returns what is wrong, or undefined
 */
export function checkEvidence(radicals: Uint8Array, block: EvidenceBlock): string | undefined {
  const { radical, rowIds, ptr, cols, counts } = block
  const fits = ptr.length === rowIds.length + 1 && ptr[0] === 0 && ptr.at(-1) === cols.length && cols.length === counts.length
  if (!fits) return 'the offsets do not fit the pairs'
  for (let i = 0; i < rowIds.length; i++) {
    const row = rowIds[i]!
    if (row >= radicals.length) return `row ${row} lies outside the lattice of ${radicals.length} rows`
    if (radicals[row] !== radical) return `row ${row} belongs to radical ${radicals[row]}, not to ${radical}`
    if (i > 0 && row <= rowIds[i - 1]!) return `row ${row} is out of order`
    const from = ptr[i]!
    const to = ptr[i + 1]!
    if (to <= from || to > cols.length) return `row ${row} is empty, or its offsets do not ascend`
    for (let e = from; e < to; e++) {
      if (cols[e]! >= radicals.length) return `row ${row} counts column ${cols[e]}, outside the lattice`
      if (e > from && cols[e]! <= cols[e - 1]!) return `the columns of row ${row} do not ascend`
      if (counts[e] === 0) return `row ${row} has a count of 0`
    }
  }
  return undefined
}

/**
 * Bounds of a whole layer of counts, so that sums over all members stay exact: at most 8,000,000 pairs, which sum to at most 2^41.
 * @param blocks - each has passed `checkEvidence`
 * @returns what is wrong, or undefined
 */
export function checkEvidenceTotal(blocks: readonly EvidenceBlock[]): string | undefined {
  let pairs = 0
  let total = 0
  for (const { counts } of blocks) {
    pairs += counts.length
    for (let e = 0; e < counts.length; e++) total += counts[e]!
  }
  if (pairs > MAX_EVIDENCE_PAIRS) return `the layer counts ${pairs} pairs; ${MAX_EVIDENCE_PAIRS} are allowed`
  return total > MAX_EVIDENCE_TOTAL ? `the counts sum to ${total}; 2^41 is allowed` : undefined
}
