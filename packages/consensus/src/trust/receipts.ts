import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { idBytes } from '../bytes.ts'
import { consensusHeads } from '../digests.ts'
import type { LayerId, Millis, PeerName } from '../ids.ts'
import { SCORERS } from '../limits.ts'
import { liveMembers } from '../membership.ts'
import { compareText } from '../order.ts'
import type { MeshState, Signed } from '../state.ts'
import { beaconOf } from './beacon.ts'

const SCORER_DOMAIN = utf8ToBytes('sgs-scorer/1')

/**
 * The up to five members that score a layer: rendezvous hashing under a beacon that nobody knew when the layer was made.
 * @param members - any order; the layer's author is left out
 */
export function scorersOf(beacon: string, layer: LayerId, author: PeerName, members: readonly PeerName[]): readonly PeerName[] {
  return members
    .filter((peer) => peer !== author)
    .map((peer) => ({ peer, place: bytesToHex(sha256(concatBytes(SCORER_DOMAIN, idBytes(beacon), idBytes(layer), utf8ToBytes(peer)))) }))
    .sort((a, b) => compareText(a.place, b.place))
    .slice(0, SCORERS)
    .map(({ peer }) => peer)
}

/** Heads of the fold that this node is drawn to score and has not scored, while fewer than five others have. */
export function receiptsDue(state: MeshState, now: Millis): readonly Signed<'head'>[] {
  const members = liveMembers(state, now)
  if (!members.includes(state.self)) return []
  const beacon = beaconOf(state, state.epoch)
  const receipts = new Map<LayerId, PeerName[]>()
  for (const { value } of state.receipts.values()) receipts.set(value.layer, [...(receipts.get(value.layer) ?? []), value.author])
  return consensusHeads(state).filter(({ value: { layer, author } }) => {
    const scored = receipts.get(layer) ?? []
    return scored.length < SCORERS && !scored.includes(state.self) && scorersOf(beacon, layer, author, members).includes(state.self)
  })
}
