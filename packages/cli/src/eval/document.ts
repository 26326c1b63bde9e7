import type { Figure } from '@sgsd/lattice'

/** Models that rank lines, and models that guess characters. */
export type Ranker = 'tfidf' | 'pmi' | 'lsa' | 'untouched' | 'oneNode' | 'consensus3' | 'hebb' | 'hebbTaught'
export type Foreteller = 'frequency' | 'pmi' | 'naiveBayes' | 'untouched' | 'oneNode' | 'consensus3' | 'hebb' | 'hebbTaught'

type Interval = Figure['ci95']

/** `sgsd eval --json`. Hebb figures are there when it was measured. */
export interface EvaluationDocument {
  readonly schema: 'sgsd.eval/1'
  readonly corpus: { readonly name: string; readonly sha256: string; readonly documents: number; readonly lines: number }
  readonly split: {
    readonly by: 'poem'
    /** Whether poems that share a line with an earlier one were left out. */
    readonly distinct: boolean
    readonly train: number
    readonly test: number
    readonly trainLines: number
    /** Lines with a next line that were asked about. */
    readonly pairs: number
    readonly candidates: number
    readonly guesses: number
  }
  readonly seeds: readonly number[]
  readonly retrieval: { readonly mrr: Readonly<Partial<Record<Ranker, number>>>; readonly r10: Readonly<Partial<Record<Ranker, number>>> }
  readonly characters: { readonly recall20: Readonly<Partial<Record<Foreteller, number>>> }
  /** The consensus over the baseline that the targets name. */
  readonly ratios: { readonly mrrToPmi: number; readonly recall20ToFrequency: number }
  /** Bounds of 95 % for each figure above: paired bootstrap over the poems of the examination. */
  readonly ci95: {
    readonly retrieval: { readonly mrr: Readonly<Partial<Record<Ranker, Interval>>>; readonly r10: Readonly<Partial<Record<Ranker, Interval>>> }
    readonly characters: { readonly recall20: Readonly<Partial<Record<Foreteller, Interval>>> }
    readonly ratios: { readonly mrrToPmi: Interval; readonly recall20ToFrequency: Interval }
  }
  /** Fold digests: of one node with all the text, of three with a third each, and whether they are the same. */
  readonly consensus: {
    readonly oneNode: string
    readonly consensus3: string
    readonly equal: boolean
    /** With `--nodes`: what the daemons' own status says. */
    readonly nodes?: { readonly three: readonly string[]; readonly one: string; readonly farmMs: number }
  }
  readonly hebb?: Readonly<Record<'published' | 'taught', { readonly lines: number; readonly meanScores: readonly number[] }>>
  readonly durationMs: number
}
