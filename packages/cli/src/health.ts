import type { StatusDocument } from '@sgsd/daemon'

/** Disagreement shorter than this is the ordinary travel time of a layer, milliseconds: three beats. */
export const SETTLE_MS = 15_000

export interface Health {
  readonly state: 'healthy' | 'degraded'
  /** Why it is degraded; empty when healthy. */
  readonly reasons: readonly { readonly message: string; readonly hint: string }[]
}

/** Whether a mesh works as it should, seen from one node. */
export function healthOf(status: StatusDocument): Health {
  const reasons = [...status.warnings]
  for (const peer of status.peers) {
    if (peer.self || peer.agrees !== false || status.consensus.changedMsAgo < SETTLE_MS || peer.link === 'offline') continue
    if (reasons.some((reason) => reason.message.includes(peer.name))) continue
    reasons.push({ message: `${peer.name} holds another consensus layer`, hint: `sgsd peer show ${peer.name}` })
  }
  const missing = status.mesh.members - 1 - status.mesh.connected
  if (missing > 0 && status.warnings.length === 0) {
    reasons.push({ message: `${missing} of ${status.mesh.members} members ${missing === 1 ? 'is' : 'are'} not connected`, hint: 'sgsd peer ls' })
  }
  return { state: reasons.length === 0 ? 'healthy' : 'degraded', reasons }
}
