import { SplitMix32 } from './random.ts'

/** A share as its parts by document: hits over of. */
export interface PerDocument {
  readonly hits: Float64Array
  readonly of: Float64Array
}

/** A figure with the bounds that 95 of 100 resamples lie between. */
export interface Figure {
  readonly value: number
  readonly ci95: readonly [low: number, high: number]
}

const RESAMPLES = 1_000

/**
 * Paired bootstrap over documents: every figure is computed from the same resamples, so that the ratio of two of them is paired too. Lines of one
 * document are not independent; documents are.
 */
export class Bootstrap {
  /** How often each document is in each resample. */
  readonly #draws: readonly Uint16Array[]

  constructor(documents: number, seed: number) {
    const random = new SplitMix32(seed, 3)
    this.#draws = Array.from({ length: RESAMPLES }, () => {
      const times = new Uint16Array(documents)
      for (let i = 0; i < documents; i++) times[random.below(documents)]!++
      return times
    })
  }

  share(part: PerDocument): Figure {
    return { value: shareOf(part), ci95: bounds(this.#draws.map((times) => shareOf(part, times))) }
  }

  /** One share over another. */
  ratio(part: PerDocument, base: PerDocument): Figure {
    return { value: shareOf(part) / shareOf(base), ci95: bounds(this.#draws.map((times) => shareOf(part, times) / shareOf(base, times))) }
  }
}

function shareOf({ hits, of }: PerDocument, times?: Uint16Array): number {
  let hit = 0
  let all = 0
  for (let document = 0; document < of.length; document++) {
    const weight = times === undefined ? 1 : times[document]!
    hit += weight * hits[document]!
    all += weight * of[document]!
  }
  return all === 0 ? 0 : hit / all
}

function bounds(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b)
  return [sorted[Math.floor(0.025 * sorted.length)]!, sorted[Math.ceil(0.975 * sorted.length) - 1]!]
}
