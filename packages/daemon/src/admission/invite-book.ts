import { randomBytes } from 'node:crypto'
import type { PeerName } from '@sgsd/consensus'
import type { InviteDesk } from '@sgsd/mesh'
import type { ItemStore } from '@sgsd/store'
import { type InviteAnswer, inviteId } from '@sgsd/wire'
import { DaemonError } from '../daemon-error.ts'
import { admit, decodeInviteRecord, encodeInviteRecord, type InviteRecord, inviteState, type WallMillis } from './invite-record.ts'

/** Time and uses of an invite unless a person says otherwise: a day is enough to walk to the other machine, and one use for one machine. */
export const DEFAULT_TTL_MS: number = 86_400_000
export const DEFAULT_USES = 1

/** Shortest and longest life of an invite, milliseconds: a minute, 30 days. */
export const MIN_TTL_MS = 60_000
export const MAX_TTL_MS: number = 30 * 86_400_000

export const MAX_USES = 1_000

/** Invites that are open at a time. */
export const MAX_OPEN_INVITES = 64

/** Ended invites are remembered so long, so that a late caller hears why, and no more than so many. */
const REMEMBERED_MS = 30 * 86_400_000
const MAX_REMEMBERED = 256

const NOTE_KIND = 'invite'

type Notes = Pick<ItemStore, 'notes' | 'setNote' | 'deleteNote'>

export interface InviteBookOptions {
  readonly notes: Notes
  readonly wallNow: () => WallMillis
  /** Has the mesh revoked this peer? */
  readonly isRevoked: (peer: PeerName) => boolean
  readonly genesis: Uint8Array
  readonly meshKey: Uint8Array | undefined
}

/**
 * The one-time invites of this node, and its answers to those who hold one. Every change is on disk before anything follows from it, and no method waits
 * in the middle: of callers at the same moment exactly as many are let in as there are uses, and a crash can lose an answer, never give one twice.
 */
export class InviteBook implements InviteDesk {
  readonly #options: InviteBookOptions
  /** By id, in hex. */
  readonly #invites = new Map<string, InviteRecord>()

  /** Reads what the disk holds. @throws StoreError */
  constructor(options: InviteBookOptions) {
    this.#options = options
    for (const { key, bytes } of options.notes.notes(NOTE_KIND)) {
      const invite = decodeInviteRecord(bytes)
      if (invite === undefined) options.notes.deleteNote(NOTE_KIND, key)
      else this.#invites.set(idOf(invite), invite)
    }
  }

  /** All that are remembered, by number. */
  list(): readonly InviteRecord[] {
    return [...this.#invites.values()].sort((a, b) => a.number - b.number)
  }

  /**
   * @param isFromStart - takes the place of the one that the start before this made, if nobody came with it
   * @throws DaemonError BAD_REQUEST out of bounds, or too many are open; StoreError
   */
  make({
    ttlMs = DEFAULT_TTL_MS,
    uses = DEFAULT_USES,
    isFromStart = false,
  }: { ttlMs?: number; uses?: number; isFromStart?: boolean } = {}): InviteRecord {
    if (!(ttlMs >= MIN_TTL_MS && ttlMs <= MAX_TTL_MS)) throw new DaemonError('BAD_REQUEST', 'an invite lives from 1 minute to 30 days')
    if (!(Number.isInteger(uses) && uses >= 1 && uses <= MAX_USES)) throw new DaemonError('BAD_REQUEST', `an invite has 1 to ${MAX_USES} uses`)
    const now = this.#options.wallNow()
    this.#prune(now)
    if (isFromStart) for (const invite of this.list()) if (invite.isFromStart && invite.callers.length === 0) this.#forget(invite)
    const open = this.list().filter((invite) => inviteState(invite, now).state === 'open')
    if (open.length >= MAX_OPEN_INVITES) {
      throw new DaemonError('BAD_REQUEST', `${MAX_OPEN_INVITES} invites are open, the most at a time`, 'sgsd invite ls, then sgsd invite revoke <n>')
    }
    const invite: InviteRecord = {
      number: 1 + this.list().reduce((most, { number }) => Math.max(most, number), 0),
      secret: randomBytes(32).toString('hex'),
      createdAt: now,
      expiresAt: now + ttlMs,
      uses,
      callers: [],
      lastUsedAt: undefined,
      revokedAt: undefined,
      isFromStart,
    }
    this.#keep(invite)
    return invite
  }

  /** Takes an invite back; those it let in stay. @throws DaemonError BAD_REQUEST for a number that none has, or one that has ended */
  revoke(number: number): InviteRecord {
    const now = this.#options.wallNow()
    const invite = this.list().find((one) => one.number === number)
    if (invite === undefined) throw new DaemonError('BAD_REQUEST', `there is no invite ${number} on this node`, 'sgsd invite ls')
    const { state } = inviteState(invite, now)
    if (state !== 'open') throw new DaemonError('BAD_REQUEST', `invite ${number} has ended already: ${state}`, 'sgsd invite ls')
    const revoked: InviteRecord = { ...invite, revokedAt: now }
    this.#keep(revoked)
    return revoked
  }

  secretOf(id: Uint8Array): Uint8Array | undefined {
    const invite = this.#invites.get(Buffer.from(id).toString('hex'))
    return invite === undefined ? undefined : Buffer.from(invite.secret, 'hex')
  }

  /** @throws StoreError when the use cannot be burned: then the caller gets no answer */
  redeem(id: Uint8Array, peer: PeerName): InviteAnswer {
    const { isRevoked, wallNow, genesis, meshKey } = this.#options
    const invite = this.#invites.get(Buffer.from(id).toString('hex'))
    if (invite === undefined) return { granted: false, why: 'revoked', agoMs: 0 }
    const admittance = admit(invite, peer, isRevoked(peer), wallNow())
    if (!admittance.granted) return admittance
    if (admittance.burned !== undefined) this.#keep(admittance.burned)
    return { granted: true, genesis, meshKey }
  }

  #keep(invite: InviteRecord): void {
    this.#options.notes.setNote(NOTE_KIND, keyOf(invite), encodeInviteRecord(invite))
    this.#invites.set(idOf(invite), invite)
  }

  #forget(invite: InviteRecord): void {
    this.#options.notes.deleteNote(NOTE_KIND, keyOf(invite))
    this.#invites.delete(idOf(invite))
  }

  #prune(now: WallMillis): void {
    const ended = this.list().filter((invite) => inviteState(invite, now).state !== 'open')
    const surplus = Math.max(0, ended.length - MAX_REMEMBERED)
    for (const [i, invite] of ended.entries()) {
      if (i < surplus || now - inviteState(invite, now).since > REMEMBERED_MS) this.#forget(invite)
    }
  }
}

function keyOf({ number }: InviteRecord): string {
  return String(number).padStart(10, '0')
}

function idOf({ secret }: InviteRecord): string {
  return Buffer.from(inviteId(Buffer.from(secret, 'hex'))).toString('hex')
}
