import { addressesOf, bitCount, type HllSet } from '@sgsd/hllset'
import type { IdSets } from './port.ts'

/** Compresses rows of ids. */
export function idSetsOf(rows: readonly Iterable<number>[]): IdSets {
  const lists = rows.map((row) => Uint32Array.from(row))
  return compressed(
    lists,
    (list) => list.length,
    (list) => list,
  )
}

/**
 * The bits of sketches as ids, for a join of HLLSets. Its τ and ρ are then exactly those of the bits: |bits of A ∧ B| / |bits of B| and |bits of A ∧ ¬B| / |bits of B|.
 * Of sets of some 30 tokens nearly every token has a bit of its own, so they are those of the tokens but for 1 or 2 hundredths; of sets of thousands
 * many tokens share bits, and `bss` of @sgsd/hllset estimates better.
 * @throws RangeError if the seeds differ: the sketches of different hash functions share bits by chance only
 */
export function idSetsOfSketches(sets: readonly HllSet[]): IdSets {
  const odd = sets.find(({ seed }) => seed !== sets[0]!.seed)
  if (odd !== undefined) throw new RangeError(`sets of seeds ${sets[0]!.seed} and ${odd.seed} have no common hash`)
  return compressed(sets, bitCount, addressesOf)
}

function compressed<T>(rows: readonly T[], length: (row: T) => number, ids: (row: T) => ArrayLike<number>): IdSets {
  const ptr = new Uint32Array(rows.length + 1)
  rows.forEach((row, at) => (ptr[at + 1] = ptr[at]! + length(row)))
  const all = new Uint32Array(ptr[rows.length]!)
  rows.forEach((row, at) => all.set(ids(row), ptr[at]))
  return { ptr, ids: all }
}
