import type { PeerName } from '@sgsd/consensus'
import type { InviteRefusal } from '@sgsd/wire'
import { z } from 'zod'

/** Milliseconds of the wall clock since 1970. Nothing but the end of an invite goes by it: a clock that is set back lengthens invites, forward shortens them. */
export type WallMillis = number

/** A one-time invite as the node that made it keeps it. */
export interface InviteRecord {
  /** What people call it by: 1, 2, … */
  readonly number: number
  /** 32 bytes, 64 hex digits. */
  readonly secret: string
  readonly createdAt: WallMillis
  readonly expiresAt: WallMillis
  /** Nodes that it lets in. */
  readonly uses: number
  /** Who was let in, first one first; nobody twice. */
  readonly callers: readonly PeerName[]
  readonly lastUsedAt: WallMillis | undefined
  readonly revokedAt: WallMillis | undefined
  /** Made by a start of the daemon, whose next start takes it back unless somebody came. */
  readonly isFromStart: boolean
}

export type InviteState = 'open' | Exclude<InviteRefusal, 'excluded'>

/** Whether an invite lets anybody else in, and since when it does not. Pure. */
export function inviteState(invite: InviteRecord, now: WallMillis): { readonly state: InviteState; readonly since: WallMillis } {
  if (invite.revokedAt !== undefined) return { state: 'revoked', since: invite.revokedAt }
  if (invite.callers.length >= invite.uses) return { state: 'used', since: invite.lastUsedAt ?? invite.createdAt }
  if (now >= invite.expiresAt) return { state: 'expired', since: invite.expiresAt }
  return { state: 'open', since: invite.createdAt }
}

/** What is to be done with a caller who has proved to know the secret. */
export type Admittance =
  /** `burned` is the invite with this use gone, to be kept before anything is handed over; undefined for one that was let in before. */
  | { readonly granted: true; readonly burned: InviteRecord | undefined }
  | { readonly granted: false; readonly why: InviteRefusal; readonly agoMs: number }

/**
 * Decides over a caller. A node that was let in once gets its answer again until the invite's time is over or it is taken back: an answer that was lost on
 * the way costs no second use, and nobody else can ask in its name. Pure.
 */
export function admit(invite: InviteRecord, caller: PeerName, isRevoked: boolean, now: WallMillis): Admittance {
  if (isRevoked) return { granted: false, why: 'excluded', agoMs: 0 }
  const { state, since } = inviteState(invite, now)
  const isKnown = invite.callers.includes(caller)
  if (isKnown && state === 'used' && now < invite.expiresAt) return { granted: true, burned: undefined }
  if (state !== 'open') return { granted: false, why: state, agoMs: Math.max(0, Math.round(now - since)) }
  if (isKnown) return { granted: true, burned: undefined }
  return { granted: true, burned: { ...invite, callers: [...invite.callers, caller], lastUsedAt: now } }
}

const schema = z.strictObject({
  number: z.int().min(1),
  secret: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.number(),
  expiresAt: z.number(),
  uses: z.int().min(1),
  callers: z.array(z.string()),
  lastUsedAt: z.number().optional(),
  revokedAt: z.number().optional(),
  isFromStart: z.boolean(),
})

export function encodeInviteRecord(invite: InviteRecord): Uint8Array {
  return Buffer.from(JSON.stringify(invite))
}

/** @returns undefined for bytes that are none of ours */
export function decodeInviteRecord(bytes: Uint8Array): InviteRecord | undefined {
  try {
    const read = schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
    return { ...read, callers: read.callers as PeerName[], lastUsedAt: read.lastUsedAt, revokedAt: read.revokedAt }
  } catch {
    return undefined
  }
}
