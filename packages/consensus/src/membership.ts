import type { Millis, PeerName } from './ids.ts'
import { LIVE_MS, RETIRE_MS } from './limits.ts'
import { compareText } from './order.ts'
import type { MeshState } from './state.ts'

/** A member: it has a record here. Items of others are kept but count for nothing until their record comes. docs/protocol.md §5.2 */
export function isMember(state: Pick<MeshState, 'roster'>, peer: PeerName): boolean {
  return state.roster.has(peer)
}

/**
 * Members that take part in the work now: not left, with a beat in the last `LIVE_MS`; this node always, once it has a record.
 * Only beats are signs of life: an old record that a sync brings says nothing of the present. In peer-id order.
 */
export function liveMembers(state: MeshState, now: Millis): readonly PeerName[] {
  return staying(state, (peer) => peer === state.self || now - (state.seen.get(peer) ?? -Infinity) <= LIVE_MS)
}

/**
 * Members that hold a radical shard: not left, with a beat in the last `RETIRE_MS`. One that was never seen since this process
 * started counts until that long after the start, so that a restart moves no rows. In peer-id order.
 */
export function activeMembers(state: MeshState, now: Millis): readonly PeerName[] {
  const start = state.startedAt ?? now
  return staying(state, (peer) => peer === state.self || now - (state.seen.get(peer) ?? start) <= RETIRE_MS)
}

function staying(state: MeshState, present: (peer: PeerName) => boolean): readonly PeerName[] {
  const peers: PeerName[] = []
  for (const [peer, record] of state.roster) if (!record.value.left && present(peer)) peers.push(peer)
  return peers.sort(compareText)
}
