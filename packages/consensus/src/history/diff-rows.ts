import type { EvidenceBlock } from '../evidence-block.ts'
import type { RowBlock } from '../row-block.ts'

/** What a layer's edge is in: one of the matrices, or the counts of an evidence layer. */
export type EdgeMatrix = 'tau' | 'rho' | 'count'

/** An edge that differs; 0 where there is none. */
export interface EdgeChange {
  readonly matrix: EdgeMatrix
  readonly row: number
  readonly column: number
  readonly before: number
  readonly after: number
}

export interface ChangeCount {
  readonly added: number
  readonly removed: number
  readonly changed: number
}

/** How the rows of one radical differ between two layers. */
export interface RadicalDiff {
  readonly radical: number
  readonly rows: ChangeCount
  readonly edges: ChangeCount
}

/** Rows of a radical as matrices over the same row ids. */
interface RowSet {
  readonly rowIds: Uint32Array
  readonly sides: readonly Side[]
}

interface Side {
  readonly matrix: EdgeMatrix
  readonly ptr: Uint32Array
  readonly cols: Uint32Array
  readonly vals: Float32Array | Uint32Array
}

/** A block of either learning rule. */
export type AnyBlock = RowBlock | EvidenceBlock

/**
 * Compares the rows of one radical. Blocks have passed `checkRows` or `checkEvidence`.
 * @param before, after - undefined where the layer holds no row of the radical
 * @param visit - called for each edge that differs, rows and columns ascending within a matrix
 */
export function diffRows(
  radical: number,
  before: AnyBlock | undefined,
  after: AnyBlock | undefined,
  visit: (change: EdgeChange) => void,
): RadicalDiff {
  const [a, b] = [rowSet(before), rowSet(after)]
  const rows = { added: 0, removed: 0, changed: 0 }
  const edges = { added: 0, removed: 0, changed: 0 }
  const tally = (change: EdgeChange): void => {
    edges[change.before === 0 ? 'added' : change.after === 0 ? 'removed' : 'changed']++
    visit(change)
  }
  let i = 0
  let j = 0
  while (i < a.rowIds.length || j < b.rowIds.length) {
    const mine = a.rowIds[i] ?? Infinity
    const other = b.rowIds[j] ?? Infinity
    const row = Math.min(mine, other)
    const [at, to] = [mine === row ? i++ : -1, other === row ? j++ : -1]
    const count = diffRow(row, a.sides, at, b.sides, to, tally)
    if (at < 0) rows.added++
    else if (to < 0) rows.removed++
    else if (count > 0) rows.changed++
  }
  return { radical, rows, edges }
}

/** Edges of one row that differ. @param at, to - where the row stands in either; −1 for nowhere */
function diffRow(row: number, before: readonly Side[], at: number, after: readonly Side[], to: number, visit: (change: EdgeChange) => void): number {
  let count = 0
  for (const matrix of new Set([...before, ...after].map((side) => side.matrix))) {
    const a = sideOf(before, matrix)
    const b = sideOf(after, matrix)
    let e = at < 0 || a === undefined ? 0 : a.ptr[at]!
    let f = to < 0 || b === undefined ? 0 : b.ptr[to]!
    const eEnd = at < 0 || a === undefined ? 0 : a.ptr[at + 1]!
    const fEnd = to < 0 || b === undefined ? 0 : b.ptr[to + 1]!
    while (e < eEnd || f < fEnd) {
      const mine = e < eEnd ? a!.cols[e]! : Infinity
      const other = f < fEnd ? b!.cols[f]! : Infinity
      const column = Math.min(mine, other)
      const was = mine === column ? a!.vals[e++]! : 0
      const is = other === column ? b!.vals[f++]! : 0
      if (was === is) continue
      count++
      visit({ matrix, row, column, before: was, after: is })
    }
  }
  return count
}

function sideOf(sides: readonly Side[], matrix: EdgeMatrix): Side | undefined {
  return sides.find((side) => side.matrix === matrix)
}

function rowSet(block: AnyBlock | undefined): RowSet {
  if (block === undefined) return { rowIds: new Uint32Array(0), sides: [] }
  if ('counts' in block) return { rowIds: block.rowIds, sides: [{ matrix: 'count', ptr: block.ptr, cols: block.cols, vals: block.counts }] }
  const { rowIds, tauPtr, tauCols, tauVals, rhoPtr, rhoCols, rhoVals } = block
  return {
    rowIds,
    sides: [
      { matrix: 'tau', ptr: tauPtr, cols: tauCols, vals: tauVals },
      { matrix: 'rho', ptr: rhoPtr, cols: rhoCols, vals: rhoVals },
    ],
  }
}

/** What a block says of one edge: 0 where it has none. */
export function edgeOf(block: AnyBlock | undefined, row: number, column: number): Readonly<Partial<Record<EdgeMatrix, number>>> {
  const { rowIds, sides } = rowSet(block)
  const at = indexOf(rowIds, row, 0, rowIds.length)
  return Object.fromEntries(
    sides.map(({ matrix, ptr, cols, vals }) => {
      const e = at < 0 ? -1 : indexOf(cols, column, ptr[at]!, ptr[at + 1]!)
      return [matrix, e < 0 ? 0 : vals[e]!]
    }),
  )
}

/** Where a value stands in an ascending run, or −1. */
function indexOf(values: Uint32Array, wanted: number, from: number, to: number): number {
  let low = from
  let high = to
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low < to && values[low] === wanted ? low : -1
}

/** Keeps the changes of greatest |after − before|; equal ones by matrix, row, column. Bounded, whatever is offered. */
export class TopChanges {
  readonly #most: number
  #kept: EdgeChange[] = []

  constructor(most: number) {
    this.#most = most
  }

  readonly offer = (change: EdgeChange): void => {
    this.#kept.push(change)
    if (this.#kept.length >= 4 * this.#most + 64) this.#cut()
  }

  /** Greatest first. */
  get changes(): readonly EdgeChange[] {
    this.#cut()
    return this.#kept
  }

  #cut(): void {
    this.#kept.sort(
      (a, b) =>
        Math.abs(b.after - b.before) - Math.abs(a.after - a.before) ||
        (a.matrix < b.matrix ? -1 : a.matrix > b.matrix ? 1 : 0) ||
        a.row - b.row ||
        a.column - b.column,
    )
    this.#kept.length = Math.min(this.#kept.length, this.#most)
  }
}
