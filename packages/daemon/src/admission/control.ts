import { draftOp, itemKey, type PeerName } from '@sgsd/consensus'
import { formatInvite, formatOneTimeInvite } from '@sgsd/wire'
import { DaemonError } from '../daemon-error.ts'
import type { DaemonParts } from '../parts.ts'
import type { DecisionDocument, InviteDocument, InviteRevoked, InvitesDocument, InviteStatus } from './documents.ts'
import { type InviteRecord, inviteState } from './invite-record.ts'
import { standingOf } from './standing.ts'

/** What the control API can ask about who is let in. */
export interface AdmissionTarget {
  /** The long-lived lines: with the mesh key, where there is one. */
  invite(): InviteDocument
  /** A one-time invite; the addresses alone in an open mesh, which needs none. */
  makeInvite(wanted: { readonly ttlMs?: number | undefined; readonly uses?: number | undefined }): InviteDocument
  invites(): InvitesDocument
  revokeInvite(number: number): InviteRevoked
  /** Signs and publishes a decision over another member. */
  decide(wanted: Decision): DecisionDocument
}

export interface Decision {
  /** Peer id. */
  readonly peer: string
  readonly action: 'revoke' | 'readmit'
  /** Printable ASCII, at most 200 characters. */
  readonly reason: string
}

type InviteParts = Pick<DaemonParts, 'mesh' | 'credentials' | 'invites'>

export function admissionTarget(parts: InviteParts & Pick<DaemonParts, 'core'>): AdmissionTarget {
  const { mesh, credentials, invites } = parts
  const { meshKey, genesis } = credentials
  return {
    invite: () => ({
      schema: 'sgsd.invite/1',
      admission: genesis.admission,
      kind: meshKey === undefined ? 'bare' : 'key',
      invites: mesh.multiaddrs().map((address) => formatInvite(address, meshKey)),
      number: null,
      expiresAt: null,
      uses: null,
    }),
    makeInvite({ ttlMs, uses }) {
      if (meshKey === undefined) return this.invite()
      return inviteDocument(parts, invites.make({ ...(ttlMs === undefined ? {} : { ttlMs }), ...(uses === undefined ? {} : { uses }) }))
    },
    invites: () => ({ schema: 'sgsd.invites/1', invites: invites.list().map(statusOf) }),
    revokeInvite: (number) => ({ schema: 'sgsd.invite-revoked/1', invite: statusOf(invites.revoke(number)) }),
    decide: (wanted) => decide(parts, wanted),
  }
}

/**
 * The lines that a start prints: an invite of a day and one use, in the place of the one that the start before made and nobody used. The mesh key itself
 * never appears by itself: what a service prints is kept in journals.
 */
export function inviteOfStart(parts: InviteParts): readonly string[] {
  if (parts.credentials.meshKey === undefined) return parts.mesh.multiaddrs()
  return inviteDocument(parts, parts.invites.make({ isFromStart: true })).invites
}

function decide({ core }: Pick<DaemonParts, 'core'>, { peer, action, reason }: Decision): DecisionDocument {
  const { state } = core
  const subject = peer as PeerName
  if (subject === state.self) throw new DaemonError('BAD_REQUEST', 'a node decides over others only', 'sgsd leave says goodbye')
  if (!state.roster.has(subject) && !state.exclusions.has(subject))
    throw new DaemonError('BAD_REQUEST', `nothing is known of ${peer}`, 'sgsd peer ls')
  const before = standingOf(state, subject)
  if (action === 'revoke' && before.state === 'revoked') throw new DaemonError('BAD_REQUEST', `it is revoked already, ${before.why}`)
  if (action === 'readmit' && before.state !== 'revoked' && before.state !== 'excluded')
    throw new DaemonError('BAD_REQUEST', 'it is neither revoked nor excluded')
  const self = standingOf(state, state.self)
  if (self.state !== 'member') throw new DaemonError('BAD_REQUEST', `this node is ${self.state} itself: nobody heeds what it decides`)
  const value = draftOp(state, subject, action, reason)
  core.author({ kind: 'op', value })
  const op = core.state.ops.get(itemKey({ kind: 'op', value }))
  return { schema: 'sgsd.decision/1', peerId: peer, action, id: op?.id ?? '', standing: standingOf(core.state, subject) }
}

function inviteDocument({ mesh, credentials }: InviteParts, invite: InviteRecord): InviteDocument {
  const secret = Buffer.from(invite.secret, 'hex')
  return {
    schema: 'sgsd.invite/1',
    admission: credentials.genesis.admission,
    kind: 'one-time',
    invites: mesh.multiaddrs().map((address) => formatOneTimeInvite(address, secret)),
    number: invite.number,
    expiresAt: invite.expiresAt,
    uses: invite.uses,
  }
}

function statusOf(invite: InviteRecord): InviteStatus {
  const { number, createdAt, expiresAt, uses, callers } = invite
  return { number, state: inviteState(invite, Date.now()).state, createdAt, expiresAt, uses, callers }
}
