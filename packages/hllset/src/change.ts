import { compareSets } from './comparison.ts'
import type { Estimate } from './estimate.ts'
import type { HllSet } from './hll-set.ts'

/** What became of a token set: R/D/N. R ∪ D is the set before, R ∪ N the set after, and the three are disjoint. */
export interface Change<Part> {
  /** In both. */
  readonly retained: Part
  /** Before only. */
  readonly deleted: Part
  /** After only. */
  readonly new: Part
}

/**
 * The sizes of R, D and N from two sketches.
 * @throws RangeError if the seeds differ
 */
export function changeOf(before: HllSet, after: HllSet): Change<Estimate> {
  const { both, onlyA, onlyB } = compareSets(before, after)
  return { retained: both, deleted: onlyA, new: onlyB }
}

/** The tokens of R, D and N themselves, each once, in the order of their first appearance (retained ones in that of `before`). */
export function exactChange(before: Iterable<string>, after: Iterable<string>): Change<string[]> {
  const [old, now] = [new Set(before), new Set(after)]
  return {
    retained: [...old].filter((token) => now.has(token)),
    deleted: [...old].filter((token) => !now.has(token)),
    new: [...now].filter((token) => !old.has(token)),
  }
}
