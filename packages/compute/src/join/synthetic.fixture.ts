import { idSetsOf } from './id-sets.ts'
import type { IdSets } from './port.ts'

export interface Synthetic {
  readonly sets: number
  /** Distinct ids; id r comes with a probability ∝ 1 / (r + 1)^exponent. */
  readonly vocabulary: number
  readonly exponent: number
  /** Sizes are uniform in [least, most]. */
  readonly sizes: readonly [least: number, most: number]
  /** Share of the sets that begin with three quarters of an earlier one. */
  readonly kin: number
  readonly seed: number
}

/** Sets of ids by Zipf's law, some of them kin to others: the same for the same description. */
export function syntheticSets({ sets, vocabulary, exponent, sizes: [least, most], kin, seed }: Synthetic): IdSets {
  const next = xorshift(seed)
  const cumulated: number[] = []
  let sum = 0
  for (let id = 0; id < vocabulary; id++) cumulated.push((sum += (id + 1) ** -exponent))
  const draw = (): number => {
    const goal = next() * sum
    let [low, high] = [0, vocabulary - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulated.at(middle)! < goal) low = middle + 1
      else high = middle
    }
    return low
  }
  const rows: number[][] = []
  for (let row = 0; row < sets; row++) {
    const size = least + Math.floor(next() * (most - least + 1))
    const set = new Set<number>()
    if (row > 0 && next() < kin) {
      for (const id of rows.at(Math.floor(next() * row)) ?? []) if (set.size < size && next() < 0.75) set.add(id)
    }
    while (set.size < size) set.add(draw())
    rows.push([...set])
  }
  return idSetsOf(rows)
}

/** Marsaglia's xorshift32, uniform in [0, 1). @param seed - not 0 */
function xorshift(seed: number): () => number {
  let x = seed
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) / 2 ** 32
  }
}
