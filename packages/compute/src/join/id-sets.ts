import { addressesOf, type HllSet } from '@sgsd/hllset'
import type { IdSets } from './port.ts'

/** Compresses rows of ids. */
export function idSetsOf(rows: Iterable<ArrayLike<number>>): IdSets {
  const lists = [...rows]
  const ptr = new Uint32Array(lists.length + 1)
  for (const [row, list] of lists.entries()) ptr[row + 1] = ptr[row]! + list.length
  const ids = new Uint32Array(ptr[lists.length]!)
  for (const [row, list] of lists.entries()) ids.set(list, ptr[row])
  return { ptr, ids }
}

/**
 * The bits of sketches as ids, for a join of HLLSets; each sketch is looked at once and not kept. Its τ and ρ are then exactly those of the bits:
 * |bits of A ∧ B| / |bits of B| and |bits of A ∧ ¬B| / |bits of B|. Two sets of 30 tokens
 * share 0.3 bits by chance beside those of their common tokens, so τ is 0.01 above that of the tokens; of sets of thousands many tokens share bits, and `bss` of @sgsd/hllset estimates better.
 * @throws RangeError if the seeds differ: the sketches of different hash functions share bits by chance only
 */
export function idSetsOfSketches(sets: Iterable<HllSet>): IdSets {
  const rows: Uint16Array[] = []
  let first: number | undefined
  for (const set of sets) {
    first ??= set.seed
    if (set.seed !== first) throw new RangeError(`sets of seeds ${first} and ${set.seed} have no common hash`)
    rows.push(addressesOf(set))
  }
  return idSetsOf(rows)
}
