import type { RowBlock } from './row-block.ts'

/** All rows of a layer side by side, ascending. `radical` means nothing here. */
export type PackedRows = Omit<RowBlock, 'radical'>

const SIDES = ['tau', 'rho'] as const

/**
 * The rows of several blocks as one. Shares memory with the blocks only where there is just one.
 * @param rows - rows of the lattice
 * @param blocks - no two with one row; row ids ascend in each
 * @throws RangeError if a row does not fit the lattice or two blocks have it (a bug: such a layer is refused when it is loaded)
 */
export function packRows(rows: number, blocks: readonly RowBlock[]): PackedRows {
  const [only] = blocks
  for (const { rowIds } of blocks) if (rowIds.some((row) => row >= rows)) throw new RangeError(`a row does not fit a lattice of ${rows} rows`)
  if (only !== undefined && blocks.length === 1) return only
  /** One more than the block that holds a row, and the place of the row in it. */
  const block = new Uint32Array(rows)
  const place = new Uint32Array(rows)
  let count = 0
  for (const [b, { rowIds }] of blocks.entries()) {
    for (let i = 0; i < rowIds.length; i++) {
      const row = rowIds[i]!
      if (block[row] !== 0) throw new RangeError(`row ${row} occurs twice`)
      block[row] = b + 1
      place[row] = i
    }
    count += rowIds.length
  }
  const rowIds = new Uint32Array(count)
  for (let row = 0, end = 0; row < rows; row++) if (block[row] !== 0) rowIds[end++] = row
  const [tau, rho] = SIDES.map((side) => packSide(blocks, side, rowIds, block, place))
  return { rowIds, tauPtr: tau!.ptr, tauCols: tau!.cols, tauVals: tau!.vals, rhoPtr: rho!.ptr, rhoCols: rho!.cols, rhoVals: rho!.vals }
}

function packSide(blocks: readonly RowBlock[], side: 'tau' | 'rho', rowIds: Uint32Array, block: Uint32Array, place: Uint32Array) {
  const ptr = new Uint32Array(rowIds.length + 1)
  for (const [i, row] of rowIds.entries()) {
    const from = blocks[block[row]! - 1]![`${side}Ptr`]
    ptr[i + 1] = ptr[i]! + from[place[row]! + 1]! - from[place[row]!]!
  }
  const cols = new Uint32Array(ptr[rowIds.length]!)
  const vals = new Float32Array(ptr[rowIds.length]!)
  for (let i = 0; i < rowIds.length;) {
    const b = block[rowIds[i]!]!
    const first = place[rowIds[i]!]!
    const begin = i
    // rows that follow each other in a block are copied together
    do i++
    while (i < rowIds.length && block[rowIds[i]!] === b && place[rowIds[i]!] === first + i - begin)
    const own = blocks[b - 1]!
    const [from, to] = [own[`${side}Ptr`][first]!, own[`${side}Ptr`][first + i - begin]!]
    cols.set(own[`${side}Cols`].subarray(from, to), ptr[begin])
    vals.set(own[`${side}Vals`].subarray(from, to), ptr[begin])
  }
  return { ptr, cols, vals }
}
