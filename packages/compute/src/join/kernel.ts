import type { JoinPlan } from './plan.ts'
import type { JoinEngineName } from './port.ts'

/** A way to find the pairs of a plan. All give the same. */
export interface JoinKernel {
  readonly name: JoinEngineName
  /** What it is, for people. */
  readonly about: string
  /** @param top - most pairs of a row */
  load(plan: JoinPlan, top: number): LoadedJoin
}

/** A kernel that holds a plan. */
export interface LoadedJoin {
  /**
   * Pairs of the rows at positions [from, to), all of one class of size.
   * @param need - for each class, the least number of shared ids of a pair with it, 0 where no pair passes
   * @returns the first rows' pairs, one row at least: as many as the buffers hold
   */
  rows(from: number, to: number, need: Uint32Array): FoundRows
}

/** Pairs of consecutive rows; views that the next call overwrites. */
export interface FoundRows {
  /** Pairs of each finished row. */
  readonly counts: Uint32Array
  /** Position of B, and |A ∩ B|: those of the first row, in no order, then those of the second, and so on. */
  readonly positions: Uint32Array
  readonly shared: Uint32Array
}

/** Entries that a kernel's buffers hold at least, so that a call need not be short. */
const LEAST_BUFFER = 65_536

/** Pairs that the buffers of a kernel hold: one row's at least. */
export function bufferLength(plan: JoinPlan, top: number): number {
  return Math.max(LEAST_BUFFER, Math.min(top, plan.rows))
}
