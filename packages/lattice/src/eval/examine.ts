import type { PerDocument } from './bootstrap.ts'
import { GUESSES, type Tasks } from './tasks.ts'

/** How well a line goes with a line before it: of the line at `query`, then of each candidate. Indices into the tasks' lines. */
export type LineScorer = (query: number) => (candidate: number) => number

/** The rows that a model expects most in the line after the one at `query`, at most `count`. */
export type Guesser = (query: number, count: number) => Iterable<number>

/** Mean reciprocal rank of the true next line, and how often it is among the first ten; each as sums by document. */
export interface RetrievalSums {
  readonly mrr: PerDocument
  readonly r10: PerDocument
}

/** Task (a). Of equal scores each stands at the middle of their places. */
export function examineRetrieval({ pairs, documents }: Tasks, scorer: LineScorer): RetrievalSums {
  const reciprocal = new Float64Array(documents)
  const ten = new Float64Array(documents)
  const count = new Float64Array(documents)
  for (const { document, line, next, others } of pairs) {
    const score = scorer(line)
    const truth = score(next)
    let above = 0
    let equal = 0
    for (const other of others) {
      const value = score(other)
      if (value > truth) above++
      else if (value === truth) equal++
    }
    const rank = 1 + above + equal / 2
    reciprocal[document]! += 1 / rank
    if (rank <= 10) ten[document]!++
    count[document]!++
  }
  return { mrr: { hits: reciprocal, of: count }, r10: { hits: ten, of: count } }
}

/** Task (b): share of the next line's characters among the guesses, over all pairs. */
export function examineGuesses({ pairs, documents, lines }: Tasks, guess: Guesser): PerDocument {
  const hits = new Float64Array(documents)
  const of = new Float64Array(documents)
  for (const { document, line, next } of pairs) {
    const wanted = lines[next]!
    const guesses = new Set(guess(line, GUESSES))
    for (const row of wanted) if (guesses.has(row)) hits[document]!++
    of[document]! += wanted.length
  }
  return { hits, of }
}
