/** What becomes of the weights that the owners of a row give an edge; an owner that lacks the edge gives 0. docs/protocol.md §9.3 */
export type FoldStatistic = 'mean' | 'max' | 'trimmed' | 'median'

/** The same over the states of all members. */
export type StateStatistic = Exclude<FoldStatistic, 'max'>

/** Some rows of one matrix. Columns ascend strictly in each row; at most 64 edges a row. */
export interface RowSide {
  readonly ptr: Uint32Array
  readonly cols: Uint32Array
  readonly vals: Float32Array
  /** Of each row, above 0: members whose rows of one id have equal numbers hold the same columns in it. They only save a kernel comparing them. */
  readonly shapes?: Float64Array
}

/** Rows to be folded, ascending, and who holds them. The owners of the i-th stand at `ptr[i]` … `ptr[i + 1]`, in member order; it has at least one. */
export interface FoldTask {
  readonly ptr: Uint32Array
  /** Index of the member, and of the row within that member's side. */
  readonly member: Uint32Array
  readonly at: Uint32Array
}

/**
 * The arithmetic of the row folds: every kernel gives the same bytes. Contents have passed `checkRows`, and states are in [0, 1].
 * Sums run in member order in binary64 and are rounded to binary32 once; order statistics sum in ascending order.
 */
export interface FoldKernel {
  /** `native`, `wasm` or `reference`. */
  readonly name: string
  /** What it is, for people. */
  readonly about: string
  /**
   * Folds rows of one matrix: edges that come out 0 are dropped, of more than 64 the heaviest stay, of equal ones the lower columns.
   * @param columns - columns of the matrix
   * @param sides - of each member
   * @param weights - of each member, in [0, 1]; only the mean looks at them
   * @param into - receives the rows: `ptr` of one entry more than the task has rows, room for 64 edges a row
   */
  rows(statistic: FoldStatistic, columns: number, task: FoldTask, sides: readonly RowSide[], weights: Float64Array, into: RowSide): void
  /** Folds whole states, one at least. @param into - of their length */
  states(statistic: StateStatistic, states: readonly Float32Array[], weights: Float64Array, into: Float32Array): void
}

/** How many values `trimmed` drops at each end of k: a third, rounded down. With three the middle one stays. */
export function trimOf(k: number): number {
  return Math.floor(k / 3)
}

/**
 * Owners whose 0 an order statistic of k values forgives: it is 0 for an edge that no more than these hold.
 * @returns 0 for the mean and the maximum
 */
export function toleratedOf(statistic: FoldStatistic, k: number): number {
  if (statistic === 'trimmed') return trimOf(k)
  return statistic === 'median' ? (k - 1) >>> 1 : 0
}
