import { MAX_ROW_EDGES } from './limits.ts'
import type { RowBlock } from './row-block.ts'

/**
 * Checks the rows of a layer's block against the lattice: rows of the block's radical only, rows and columns inside the lattice, offsets that fit,
 * everything ascending, at most 64 edges a row, weights finite and in [0, 1]. docs/protocol.md §9.2
 * @param radicals - Kangxi radical of each lattice row; its length is the lattice's number of rows (so: the hanzi kernel's first `definedCount`)
 * @returns what is wrong, or undefined
 */
export function checkRows(radicals: Uint8Array, block: RowBlock): string | undefined {
  const { radical, rowIds } = block
  for (let i = 0; i < rowIds.length; i++) {
    const row = rowIds[i]!
    if (row >= radicals.length) return `row ${row} lies outside the lattice of ${radicals.length} rows`
    if (radicals[row] !== radical) return `row ${row} belongs to radical ${radicals[row]}, not to ${radical}`
    if (i > 0 && row <= rowIds[i - 1]!) return `row ${row} is out of order`
  }
  return (
    checkEdges('τ', radicals.length, rowIds, block.tauPtr, block.tauCols, block.tauVals) ??
    checkEdges('ρ', radicals.length, rowIds, block.rhoPtr, block.rhoCols, block.rhoVals)
  )
}

function checkEdges(name: string, rows: number, rowIds: Uint32Array, ptr: Uint32Array, cols: Uint32Array, vals: Float32Array): string | undefined {
  const fits = ptr.length === rowIds.length + 1 && ptr[0] === 0 && ptr.at(-1) === cols.length && cols.length === vals.length
  if (!fits) return `the offsets of W${name} do not fit its edges`
  for (let i = 0; i < rowIds.length; i++) {
    const from = ptr[i]!
    const to = ptr[i + 1]!
    if (to < from || to > cols.length) return `the offsets of W${name} do not ascend at row ${rowIds[i]}`
    if (to - from > MAX_ROW_EDGES) return `row ${rowIds[i]} of W${name} has ${to - from} edges; ${MAX_ROW_EDGES} are allowed`
    for (let e = from; e < to; e++) {
      if (cols[e]! >= rows) return `row ${rowIds[i]} of W${name} has an edge to ${cols[e]}, outside the lattice`
      if (e > from && cols[e]! <= cols[e - 1]!) return `the columns of row ${rowIds[i]} of W${name} do not ascend`
      if (!(vals[e]! >= 0 && vals[e]! <= 1)) return `row ${rowIds[i]} of W${name} has an edge of weight ${vals[e]}`
    }
  }
  return undefined
}
