import type { PeerName } from '../ids.ts'
import type { RosterOp } from '../items.ts'
import type { MeshState } from '../state.ts'
import { equivocationVersion } from './exclusion.ts'

/**
 * This node's decision over another member; not yet signed. It comes after every decision over this member that is known here. A readmission forgives
 * every equivocation that is known here; what was excluded by a proof comes back by itself when its epochs are over.
 * @param reason - printable ASCII, at most 200 characters
 */
export function draftOp(state: MeshState, subject: PeerName, action: RosterOp['action'], reason: string): RosterOp {
  let seq = 0n
  for (const { value } of state.ops.values()) if (value.subject === subject && value.seq >= seq) seq = value.seq + 1n
  const forgiven = { record: 0n, head: 0n, claim: 0n }
  for (const { value } of state.equivocations.values()) {
    const version = equivocationVersion(value)
    if (value.first.value.author === subject && version > forgiven[value.first.kind]) forgiven[value.first.kind] = version
  }
  const isReadmission = action === 'readmit'
  return {
    author: state.self,
    subject,
    seq,
    action,
    epoch: isReadmission && forgiven.claim > state.epoch ? forgiven.claim : state.epoch,
    headSeq: isReadmission ? forgiven.head : 0n,
    recordSeq: isReadmission ? forgiven.record : 0n,
    reason,
  }
}
