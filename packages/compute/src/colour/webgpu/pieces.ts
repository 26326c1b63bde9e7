/** What one dispatch computes: whole runs, or a part of one run. */
export interface Piece {
  /** First run of the call that it belongs to. */
  readonly run: number
  readonly runs: number
  /** Where it starts in its run; 0 unless it is a part. */
  readonly offset: number
  /** Colours of each of its runs, or of the part. */
  readonly length: number
}

/**
 * The next piece of `runs` runs of `length` ≥ 1 colours, after the one before; undefined behind the last.
 * @param budget - colours that it may have, at least 1
 * @param mostRuns - runs that it may have
 */
export function nextPiece(after: Piece | undefined, length: number, runs: number, budget: number, mostRuns: number): Piece | undefined {
  let run = 0
  let offset = 0
  if (after !== undefined) {
    const partial = after.length < length && after.offset + after.length < length
    run = partial ? after.run : after.run + after.runs
    offset = partial ? after.offset + after.length : 0
  }
  if (run >= runs) return undefined
  if (offset === 0 && length <= budget) return { run, runs: Math.min(runs - run, mostRuns, Math.floor(budget / length)), offset, length }
  return { run, runs: 1, offset, length: Math.min(budget, length - offset) }
}
