import type { LayerId, PeerName } from '../ids.ts'
import { compareText } from '../order.ts'

/** A layer as the word of its author: what a merge folds. */
export interface Contribution {
  readonly author: PeerName
  readonly seq: bigint
  readonly layer: LayerId
}

/** Whose layers stand in a layer, one of each author, in peer-id order. A layer that a member learned has one: itself. */
export type Contributors = readonly Contribution[]

/**
 * The union of contributor sets; of one author the layer of the higher (seq, layer) stays. Associative, commutative and idempotent: what a merge folds does not
 * depend on how it came about.
 */
export function joinContributors(...sets: readonly Contributors[]): Contributors {
  const newest = new Map<PeerName, Contribution>()
  for (const set of sets) {
    for (const one of set) {
      const held = newest.get(one.author)
      if (held === undefined || one.seq > held.seq || (one.seq === held.seq && one.layer > held.layer)) newest.set(one.author, one)
    }
  }
  return [...newest.values()].sort((a, b) => compareText(a.author, b.author))
}

/** Whether two sets name the same layers. */
export function sameContributors(a: Contributors, b: Contributors): boolean {
  return a.length === b.length && a.every(({ layer }, i) => layer === b[i]!.layer)
}
