import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { noise, type NoiseComponents } from '@libp2p/noise'
import { lpStream } from '@libp2p/utils'
import type { Millis, PeerName } from '@sgsd/consensus'
import { encodeInviteAnswer, INVITE_ID_BYTES, type InviteAnswer, inviteId, MAX_ADMISSION_BYTES, parseInviteAnswer } from '@sgsd/wire'
import { namedHandshake } from './noise-guard.ts'

/** Negotiated in the place of `/noise`: who speaks it gets an answer and never a stream. docs/protocol.md §11.3 */
export const INVITE_PROTOCOL = '/sgs/invite/1'

/** What the mesh asks of whoever made the invites; supplied by the daemon. */
export interface InviteDesk {
  /** The secret behind an id, of an invite that ended as well, so that its holder can be told so; undefined: not made here. Must not throw. */
  secretOf(id: Uint8Array): Uint8Array | undefined
  /** Decides, once per caller who has proved to know the secret. A use that is granted is burned, durably, before this returns. */
  redeem(id: Uint8Array, peer: PeerName): InviteAnswer
}

/** Answers to the id: one byte, before the handshake. */
const UNKNOWN = 0
const KNOWN = 1
const BUSY = 2

/** Holders of an invite that are answered at once, and how many a minute, all callers together: each costs a handshake, about 1 ms. */
const MAX_AT_ONCE = 4
const MAX_PER_MINUTE = 60

/** A caller has this long from its id to the end of the answer, milliseconds: before libp2p's own limit of 10 s for an upgrade. */
const SESSION_MS = 8_000

/** The caller hangs up when it has read the answer; after this long it is hung up on, milliseconds. */
const LINGER_MS = 2_000

/** Texts that a refused call's error starts with: libp2p keeps the message and drops the error around it. */
export const CALL_UNKNOWN = 'sgs: an unknown invite'
export const CALL_BUSY = 'sgs: too many callers'
export const CALL_ANSWERED = 'sgs: the invite was answered'

/** Bounds how much work callers can cause. No clock: `now` is an argument. */
export class CallLimit {
  #open = 0
  #tokens = MAX_PER_MINUTE
  #at: Millis | undefined

  /** @returns whether the call may go on; then `done` ends it */
  begin(now: Millis): boolean {
    this.#tokens = Math.min(MAX_PER_MINUTE, this.#tokens + ((now - (this.#at ?? now)) / 60_000) * MAX_PER_MINUTE)
    this.#at = now
    if (this.#open >= MAX_AT_ONCE || this.#tokens < 1) return false
    this.#tokens -= 1
    this.#open += 1
    return true
  }

  done(): void {
    this.#open -= 1
  }
}

/**
 * The door for holders of one-time invites, on the same port as the mesh: a security protocol of its own, whose Noise prologue is made from the invite's
 * secret. The whole exchange happens inside the handshake's session, which then ends by an error on purpose: libp2p never makes a connection of it, so a
 * caller opens no stream and sees no gossip, whatever it does. docs/protocol.md §11.3
 */
export function inviteDoor(desk: InviteDesk, now: () => Millis): (components: NoiseComponents) => ConnectionEncrypter {
  const limit = new CallLimit()
  return (components) => ({
    protocol: INVITE_PROTOCOL,
    async secureInbound(connection, options) {
      const signal = AbortSignal.any([AbortSignal.timeout(SESSION_MS), ...(options?.signal === undefined ? [] : [options.signal])])
      const clear = lpStream(connection, { maxDataLength: INVITE_ID_BYTES })
      const id = (await clear.read({ signal })).subarray()
      const secret = id.length === INVITE_ID_BYTES ? desk.secretOf(id) : undefined
      const isTaken = secret !== undefined && limit.begin(now())
      if (secret === undefined || !isTaken) {
        await clear.write(Uint8Array.of(secret === undefined ? UNKNOWN : BUSY), { signal })
        await hungUp(clear.unwrap(), signal)
        throw new Error(secret === undefined ? CALL_UNKNOWN : CALL_BUSY)
      }
      try {
        await clear.write(Uint8Array.of(KNOWN), { signal })
        const inner = noise({ prologueBytes: prologueOf(secret) })(components)
        const secured = await inner.secureInbound(clear.unwrap(), { ...options, signal, skipStreamMuxerNegotiation: true })
        const answer = desk.redeem(id, secured.remotePeer.toString() as PeerName)
        const session = lpStream(secured.connection, { maxDataLength: MAX_ADMISSION_BYTES })
        await session.write(encodeInviteAnswer(answer), { signal })
        await hungUp(session.unwrap(), signal)
      } finally {
        limit.done()
      }
      throw new Error(CALL_ANSWERED)
    },
    secureOutbound: () => Promise.reject(new Error('the door of invites is for callers')),
  })
}

/** What became of a call; how the exchange ends for libp2p says nothing of it. */
export interface CallOutcome {
  answer: InviteAnswer | undefined
}

/** The other side: names the invite, proves to know its secret, takes the answer down, and ends by an error as well. */
export function inviteCaller(secret: Uint8Array, outcome: CallOutcome): (components: NoiseComponents) => ConnectionEncrypter {
  return (components) => ({
    protocol: INVITE_PROTOCOL,
    async secureOutbound(connection, options) {
      const signal = options?.signal
      const clear = lpStream(connection, { maxDataLength: 1 })
      await clear.write(inviteId(secret), options)
      const reply = (await clear.read(options)).subarray()[0]
      if (reply !== KNOWN) throw new Error(reply === BUSY ? CALL_BUSY : CALL_UNKNOWN)
      try {
        const inner = noise({ prologueBytes: prologueOf(secret) })(components)
        const secured = await inner.secureOutbound(clear.unwrap(), { ...options, skipStreamMuxerNegotiation: true })
        const session = lpStream(secured.connection, { maxDataLength: MAX_ADMISSION_BYTES })
        const parsed = parseInviteAnswer((await session.read(options)).subarray())
        if (parsed.type !== 'accept') throw new Error(`the answer cannot be read: ${parsed.reason}`)
        outcome.answer = parsed.value
      } catch (error) {
        throw namedHandshake(error, signal)
      }
      throw new Error(CALL_ANSWERED)
    },
    secureInbound: () => Promise.reject(new Error('a caller listens nowhere')),
  })
}

function prologueOf(secret: Uint8Array): Uint8Array {
  return createHmac('sha256', secret).update('sgs/invite/1').digest()
}

/** Resolves when the other side has closed, for it then has read everything; or after a while. */
async function hungUp(stream: MessageStream, signal: AbortSignal): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    stream.addEventListener('close', () => resolve(), { once: true })
    stream.addEventListener('remoteCloseWrite', () => resolve(), { once: true })
    if (stream.status !== 'open') resolve()
  })
  const patience = new AbortController()
  await Promise.race([closed, sleep(LINGER_MS, undefined, { signal: AbortSignal.any([signal, patience.signal]) }).catch(() => undefined)])
  patience.abort()
}
