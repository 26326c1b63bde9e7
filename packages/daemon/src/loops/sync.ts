import type { PeerName } from '@sgsd/consensus'
import type { Mesh } from '@sgsd/mesh'
import type { Logger } from 'pino'
import { pause } from '../pause.ts'

/** Anti-entropy with one random peer this often; equal states end it after one small message each way. */
const SYNC_INTERVAL_MS = 4_000
const SYNC_TIMEOUT_MS = 20_000
/** Gossip subscriptions take a moment after a connection; so does identify. */
const SETTLE_MS = 100

/** Exchanges what gossip missed: on each new connection, and every few seconds with one peer. */
export class SyncLoop {
  readonly #mesh: Mesh
  readonly #log: Logger
  readonly #signal: AbortSignal
  readonly #random: () => number
  readonly #running = new Set<PeerName>()
  readonly #first = Promise.withResolvers<void>()

  /** @param random - uniform in [0, 1) */
  constructor(mesh: Mesh, log: Logger, signal: AbortSignal, random: () => number) {
    this.#mesh = mesh
    this.#log = log
    this.#signal = signal
    this.#random = random
  }

  /** Resolves when the first exchange with any peer is over. */
  get synced(): Promise<void> {
    return this.#first.promise
  }

  async connected(peer: PeerName): Promise<void> {
    await pause(SETTLE_MS, this.#signal)
    await this.#sync(peer)
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      await pause(SYNC_INTERVAL_MS * (0.75 + this.#random() / 2), this.#signal)
      const links = this.#mesh.links()
      const link = links[Math.floor(this.#random() * links.length)]
      if (link !== undefined) await this.#sync(link.peer)
    }
  }

  async #sync(peer: PeerName): Promise<void> {
    if (this.#signal.aborted || this.#running.has(peer)) return
    this.#running.add(peer)
    try {
      const items = await this.#mesh.sync(peer, AbortSignal.any([this.#signal, AbortSignal.timeout(SYNC_TIMEOUT_MS)]))
      this.#first.resolve()
      if (items > 0) this.#log.debug({ peer, items }, 'synced')
    } catch (error) {
      if (!this.#signal.aborted) this.#log.debug({ peer, error: (error as Error).message }, 'sync failed')
    } finally {
      this.#running.delete(peer)
    }
  }
}
