import type { Millis, PeerName } from './ids.ts'
import { isMember } from './member.ts'
import { LIVE_MS, RETIRE_MS } from './limits.ts'
import { compareText } from './order.ts'
import { rosterHash } from './digests.ts'
import type { MeshState } from './state.ts'
import { isExcluded } from './trust/exclusion.ts'

/** Takes part in the work now: a member, not left, not excluded, with a beat in the last `LIVE_MS`; this node always, once it has a record. */
export function isLive(state: MeshState, peer: PeerName, now: Millis): boolean {
  return isStaying(state, peer) && (peer === state.self || now - (state.seen.get(peer) ?? -Infinity) <= LIVE_MS)
}

/**
 * Members that take part in the work now. Only beats are signs of life: an old record that a sync brings says nothing of the present. So a dead
 * member's range falls to the others when its lease of `LIVE_MS` ends. In peer-id order.
 */
export function liveMembers(state: MeshState, now: Millis): readonly PeerName[] {
  const { peers, all } = seenMembers(state, now)
  const { self } = state
  return all.has(self) || !isStaying(state, self) ? peers : [...peers, self].sort(compareText)
}

/** Members whose beats were seen of late, of the last few views and moments that were asked for: between two beats it is the same one again and again. */
function seenMembers(state: MeshState, now: Millis): SeenMembers {
  const { roster, seen, exclusions, admitted, epoch } = state
  const known = recent.find(
    (one) =>
      one.now === now &&
      one.epoch === epoch &&
      one.roster === roster &&
      one.seen === seen &&
      one.exclusions === exclusions &&
      one.admitted === admitted,
  )
  if (known !== undefined) return known
  const peers = inOrder(roster).filter((peer) => isStaying(state, peer) && now - (seen.get(peer) ?? -Infinity) <= LIVE_MS)
  const found: SeenMembers = { roster, seen, exclusions, admitted, epoch, now, peers, all: new Set(peers) }
  if (recent.unshift(found) > RECENT) recent.pop()
  return found
}

type SeenMembers = Pick<MeshState, 'roster' | 'seen' | 'exclusions' | 'admitted' | 'epoch'> & {
  readonly now: Millis
  readonly peers: readonly PeerName[]
  readonly all: ReadonlySet<PeerName>
}

const recent: SeenMembers[] = []
const RECENT = 4

/**
 * Members that hold a radical shard: not left, not excluded, with a beat in the last `RETIRE_MS`. One that was never seen since this process
 * started counts until that long after the start, so that a restart moves no rows. In peer-id order.
 */
export function activeMembers(state: MeshState, now: Millis): readonly PeerName[] {
  const start = state.startedAt ?? now
  const isActive = (peer: PeerName): boolean => isStaying(state, peer) && (peer === state.self || now - (state.seen.get(peer) ?? start) <= RETIRE_MS)
  return inOrder(state.roster).filter(isActive)
}

/** Live members whose newest beat names another roster than this node's: they may derive other ranges, until records are exchanged. In peer-id order. */
export function otherRosterViews(state: MeshState, now: Millis): readonly PeerName[] {
  const own = rosterHash(state)
  return liveMembers(state, now).filter((peer) => peer !== state.self && state.beats.get(peer)?.rosterHash !== own)
}

/** Peer ids of a roster in order; the rosters of a state never change, so each is sorted once. */
const ordered = new WeakMap<MeshState['roster'], readonly PeerName[]>()

function inOrder(roster: MeshState['roster']): readonly PeerName[] {
  let peers = ordered.get(roster)
  if (peers === undefined) {
    peers = [...roster.keys()].sort(compareText)
    ordered.set(roster, peers)
  }
  return peers
}

function isStaying(state: MeshState, peer: PeerName): boolean {
  return state.roster.get(peer)?.value.left === false && isMember(state, peer) && !isExcluded(state, peer)
}
