import type { EvidenceRows, EvidenceSnapshot } from '@sgsd/lattice'

/** Counts of one radical's rows: the content of an evidence layer's block. Every row has a pair. docs/protocol.md §8.7 */
export interface EvidenceBlock extends EvidenceRows {
  readonly radical: number
}

/**
 * One member's counts as one block per radical, radicals and rows ascending: equal counts give equal blocks.
 * @param radicals - Kangxi radical of each row
 */
export function evidenceBlocks({ ptr, cols, counts }: EvidenceSnapshot, radicals: Uint8Array): EvidenceBlock[] {
  const byRadical = new Map<number, number[]>()
  for (let row = 0; row < ptr.length - 1; row++) {
    if (ptr[row + 1] === ptr[row]) continue
    const radical = radicals[row]!
    const rows = byRadical.get(radical)
    if (rows === undefined) byRadical.set(radical, [row])
    else rows.push(row)
  }
  return [...byRadical]
    .sort(([a], [b]) => a - b)
    .map(([radical, rows]) => {
      const own = new Uint32Array(rows.length + 1)
      for (const [i, row] of rows.entries()) own[i + 1] = own[i]! + ptr[row + 1]! - ptr[row]!
      const block = { radical, rowIds: Uint32Array.from(rows), ptr: own, cols: new Uint32Array(own.at(-1)!), counts: new Uint32Array(own.at(-1)!) }
      for (const [i, row] of rows.entries()) {
        block.cols.set(cols.subarray(ptr[row], ptr[row + 1]), own[i])
        block.counts.set(counts.subarray(ptr[row], ptr[row + 1]), own[i])
      }
      return block
    })
}

/**
 * The counts that blocks of distinct radicals hold: the inverse of `evidenceBlocks`. Shares no memory with them.
 * @param rows - order of the lattice
 */
export function countsOfBlocks(rows: number, blocks: readonly EvidenceBlock[]): EvidenceSnapshot {
  const ptr = new Uint32Array(rows + 1)
  for (const block of blocks) for (const [i, row] of block.rowIds.entries()) ptr[row + 1] = block.ptr[i + 1]! - block.ptr[i]!
  for (let row = 0; row < rows; row++) ptr[row + 1]! += ptr[row]!
  const cols = new Uint32Array(ptr[rows]!)
  const counts = new Uint32Array(ptr[rows]!)
  let total = 0
  for (const block of blocks) {
    for (const [i, row] of block.rowIds.entries()) {
      cols.set(block.cols.subarray(block.ptr[i], block.ptr[i + 1]), ptr[row])
      counts.set(block.counts.subarray(block.ptr[i], block.ptr[i + 1]), ptr[row])
    }
    for (let e = 0; e < block.counts.length; e++) total += block.counts[e]!
  }
  return { rows, ptr, cols, counts, total }
}
