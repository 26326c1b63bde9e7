import { adjacentLines } from '../evidence/adjacent-lines.ts'
import { EvidenceCounts, type EvidenceCsr } from '../evidence/counts.ts'
import type { HanziKernel } from '../hanzi-kernel.ts'
import type { Guesser, LineScorer } from './examine.ts'
import { type TextDocument, linesOf } from './split.ts'

/** What each character of a line (row u) says for each of the next line (column v); what is not there says nothing. */
export interface Association {
  readonly rows: number
  readonly ptr: Uint32Array
  readonly cols: Uint32Array
  readonly vals: Float64Array
}

/** How often a character stood in a line and another in the next one: counts of sets, without positions and distances. */
export function adjacentCounts(kernel: HanziKernel, documents: readonly TextDocument[]): EvidenceCsr {
  const counts = new EvidenceCounts(kernel.definedCount)
  for (const { line, next } of adjacentLines(kernel, linesOf(documents))) counts.addPairs(next, line, 1)
  return counts.snapshot()
}

/** Turns counts of the next line's characters by those of the line around, each count to what `weigh` makes of it. */
export function associationOf({ rows, ptr, cols, counts }: EvidenceCsr, weigh: (count: number, line: number, next: number) => number): Association {
  const starts = new Uint32Array(rows + 1)
  for (const u of cols) starts[u + 1]!++
  for (let u = 0; u < rows; u++) starts[u + 1]! += starts[u]!
  const slots = starts.slice(0, rows)
  const targets = new Uint32Array(cols.length)
  const vals = new Float64Array(cols.length)
  for (let v = 0; v < rows; v++) {
    for (let e = ptr[v]!; e < ptr[v + 1]!; e++) {
      const slot = slots[cols[e]!]!++
      targets[slot] = v
      vals[slot] = weigh(counts[e]!, cols[e]!, v)
    }
  }
  return { rows, ptr: starts, cols: targets, vals }
}

/** What the characters of a line say together: their sum, written over `out`. */
export function associated({ ptr, cols, vals }: Association, line: Uint32Array, out: Float64Array): void {
  out.fill(0)
  for (const u of line) for (let e = ptr[u]!; e < ptr[u + 1]!; e++) out[cols[e]!]! += vals[e]!
}

/** Scores a candidate by the mean of what `values` has for its characters. @param values - of the query, one per row; read before the next query */
export function byMean(lines: readonly Uint32Array[], values: (query: number) => ArrayLike<number>): LineScorer {
  return (query) => {
    const value = values(query)
    return (candidate) => {
      const rows = lines[candidate]!
      let sum = 0
      for (const row of rows) sum += value[row]!
      return rows.length === 0 ? 0 : sum / rows.length
    }
  }
}

/** How a model answers both tasks; one that cannot do a task has no answer for it. */
export interface Answers {
  readonly scorer?: LineScorer
  readonly guesser?: Guesser
}

/** Both tasks' answers from sums of associations. @param prior - added to the sums where characters are guessed; a character of prior −∞ never is */
export function answersOf(association: Association, lines: readonly Uint32Array[], prior?: Float64Array): Answers {
  const out = new Float64Array(association.rows)
  const sums = (query: number): Float64Array => {
    associated(association, lines[query]!, out)
    return out
  }
  return {
    scorer: byMean(lines, sums),
    guesser: (query, count) => {
      const values = sums(query)
      if (prior !== undefined) for (let row = 0; row < values.length; row++) values[row]! += prior[row]!
      return greatest(values, count)
    },
  }
}

/** The rows of the `count` greatest values, equal ones by row. */
export function greatest(values: ArrayLike<number>, count: number): number[] {
  const best: number[] = []
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (best.length === count && !(value > values[best[count - 1]!]!)) continue
    if (best.length === count) best.pop()
    let at = best.length
    while (at > 0 && values[best[at - 1]!]! < value) at--
    best.splice(at, 0, row)
  }
  return best
}
