import { exclusionAt, isMember, type MeshState, type PeerName, revokedPeers, tallyOf } from '@sgsd/consensus'
import type { PeerStanding } from './documents.ts'

/** Whether a peer takes part, and why not. Pure. */
export function standingOf(state: MeshState, peer: PeerName): PeerStanding {
  const revocation = revokedPeers(state).get(peer)
  if (revocation !== undefined) return { state: 'revoked', why: whyRevoked(state, revocation.evidence) }
  const window = exclusionAt(state.exclusions, peer, state.epoch)
  if (window !== undefined)
    return { state: 'excluded', why: `${window.cause}, ${window.until === undefined ? 'until readmitted' : `up to epoch ${window.until}`}` }
  if (isMember(state, peer)) return { state: 'member', why: '' }
  return { state: 'candidate', why: whyCandidate(state, peer) }
}

function whyRevoked(state: MeshState, evidence: string): string {
  const op = [...state.ops.values()].find(({ id }) => id === evidence)?.value
  if (op === undefined) return ''
  const by = `by ${state.roster.get(op.author)?.value.hostName ?? op.author}`
  return op.reason === '' ? by : `${by}: ${op.reason}`
}

function whyCandidate(state: MeshState, peer: PeerName): string {
  if (!state.roster.has(peer)) return 'nothing known of it yet'
  const { yes, needed } = tallyOf(state, peer)
  const no = [...state.votes.values()].find(({ value }) => value.candidate === peer && !value.ok && state.admitted?.has(value.author) === true)
  return `${yes} of ${needed} votes${no === undefined ? '' : `; ${state.roster.get(no.value.author)?.value.hostName ?? 'a member'} says no: ${no.value.reason}`}`
}
