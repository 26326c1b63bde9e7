import type { EvidenceCsr } from '../evidence/counts.ts'
import { type Association, associationOf } from './association.ts'

/** Naive Bayes with one added to every count, but for what is the same for every guess: Σ ln(C[u][v] + 1) beside the prior ln f[v]. */
export function naiveBayesOf(counts: EvidenceCsr): Association {
  return associationOf(counts, (count) => Math.log(count + 1))
}

/** ln f[v], −∞ for what the training text does not have. */
export function logPrior(occurrences: Float64Array): Float64Array {
  return occurrences.map((times) => Math.log(times))
}
