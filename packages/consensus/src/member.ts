import type { PeerName } from './ids.ts'
import type { MeshState } from './state.ts'

/**
 * A member: it has a record here and, where that takes votes, was voted in. Items of others are kept but count for nothing until then.
 * docs/protocol.md §5.2
 */
export function isMember(state: Pick<MeshState, 'roster' | 'admitted'>, peer: PeerName): boolean {
  return state.roster.has(peer) && (state.admitted === undefined || state.admitted.has(peer))
}
