import { formatInvite, formatOneTimeInvite } from '@sgsd/wire'
import type { DaemonParts } from '../parts.ts'
import type { InviteDocument, InviteRevoked, InvitesDocument, InviteStatus } from './documents.ts'
import { type InviteRecord, inviteState } from './invite-record.ts'

/** What the control API can ask about who is let in. */
export interface AdmissionTarget {
  /** The long-lived lines: with the mesh key, where there is one. */
  invite(): InviteDocument
  /** A one-time invite; the addresses alone in an open mesh, which needs none. */
  makeInvite(wanted: { readonly ttlMs?: number | undefined; readonly uses?: number | undefined }): InviteDocument
  invites(): InvitesDocument
  revokeInvite(number: number): InviteRevoked
}

type InviteParts = Pick<DaemonParts, 'mesh' | 'credentials' | 'invites'>

export function admissionTarget(parts: InviteParts): AdmissionTarget {
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
