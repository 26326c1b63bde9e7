import { cover } from './cover.ts'
import type { HanziKernel } from './hanzi-kernel.ts'
import { type Entry, nearest } from './top.ts'

/** How well a state foretells the characters of the next line; each in [0, 1]. */
export interface NextLineScore {
  /** Share of the line's m known characters among the k greatest entries. */
  readonly recall: number
  /** Character BLEU-1: share of the m greatest entries that the line has. Guess and line are of one length, so there is no brevity penalty; a set has no higher n-grams. */
  readonly bleu: number
  /** Mean of the two. */
  readonly score: number
}

/** Guesses that recall looks at, unless said. */
export const DEFAULT_RECALL_AT = 20

/**
 * Scores a state by the line that follows.
 * @param k - guesses that recall looks at
 * @param exclude - rows that are no guess, usually those of the line that the state came from
 * @returns undefined when the next line has no character of the lattice outside `exclude`
 */
export function nextLineScore(
  s: Float32Array,
  kernel: HanziKernel,
  nextLine: string,
  k: number = DEFAULT_RECALL_AT,
  exclude: Iterable<number> = [],
): NextLineScore | undefined {
  const passed = new Set(exclude)
  const wanted = wantedRows(cover(kernel, nextLine).rows, passed)
  return scoreGuesses(nearest(s, passed, Math.max(k, wanted.size)), wanted, k)
}

/** The rows of the next line that may be guessed. */
export function wantedRows(nextLine: Iterable<number>, exclude: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...nextLine].filter((row) => !exclude.has(row)))
}

/**
 * `nextLineScore` of guesses that are there already.
 * @param guesses - greatest first: at least k and as many as are wanted, where there are so many
 * @returns undefined when nothing is wanted
 */
export function scoreGuesses(guesses: readonly Entry[], wanted: ReadonlySet<number>, k: number = DEFAULT_RECALL_AT): NextLineScore | undefined {
  if (wanted.size === 0) return undefined
  const hits = (count: number): number => guesses.slice(0, count).filter((guess) => wanted.has(guess.row)).length
  const recall = hits(k) / wanted.size
  const bleu = hits(wanted.size) / wanted.size
  return { recall, bleu, score: (recall + bleu) / 2 }
}
