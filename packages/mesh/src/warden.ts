import type { Millis, PeerName } from '@sgsd/consensus'
import type { Topic } from '@sgsd/wire'
import { type Conduct, STRIKES } from './conduct.ts'
import { isMeshError, reasonOf } from './mesh-error.ts'
import type { MeshLog } from './mesh-options.ts'
import type { MeshHandlers } from './port.ts'
import { isMisconduct } from './streams.ts'

export interface WardenOptions {
  readonly conduct: Conduct
  readonly now: () => Millis
  readonly onGossip: MeshHandlers['onGossip']
  readonly log: MeshLog
  /** The peer has just been banned; its connections are to be closed. */
  readonly banned: (peer: PeerName, reason: string) => void
}

/** Stands between peers and handlers: lets through what is within a peer's allowance, accounts for what breaks the protocol. */
export class Warden {
  readonly #options: WardenOptions

  constructor(options: WardenOptions) {
    this.#options = options
  }

  /** Judges one gossip message, before it is forwarded. Total, whatever the handler does. */
  judge(topic: Topic, bytes: Uint8Array, from: PeerName): 'accept' | 'ignore' | 'reject' {
    const { conduct, now, onGossip, log } = this.#options
    const allowance = conduct.gossip(from, now())
    if (allowance === 'ban') this.#options.banned(from, 'it floods the gossip')
    if (allowance !== 'take') return 'ignore'
    try {
      const verdict = onGossip(topic, bytes, from)
      if (verdict.type === 'reject') {
        log('debug', { peer: from, topic, reason: verdict.reason }, 'rejected a gossip message')
        this.#strike(from, STRIKES.gossipRejected, verdict.reason)
      }
      return verdict.type
    } catch (error) {
      log('error', { peer: from, topic, reason: reasonOf(error) }, 'the gossip handler threw')
      return 'ignore'
    }
  }

  /** Passes an exchange's result or error on, having accounted for the error. */
  async watch<T>(peer: PeerName, exchange: () => Promise<T>): Promise<T> {
    try {
      return await exchange()
    } catch (error) {
      this.account(peer, error)
      throw error
    }
  }

  /** Counts an error against the peer if it is of its making. */
  account(peer: PeerName, error: unknown): void {
    if (isMisconduct(error)) this.#strike(peer, isMeshError(error, 'FRAME_TOO_LARGE') ? STRIKES.frameTooLarge : STRIKES.frameInvalid, error.message)
  }

  #strike(peer: PeerName, strikes: number, reason: string): void {
    if (this.#options.conduct.strike(peer, strikes, this.#options.now())) this.#options.banned(peer, reason)
  }
}
