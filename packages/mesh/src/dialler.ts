import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { Millis, PeerName } from '@sgsd/consensus'
import { readAddress } from './address.ts'
import { dialFailure } from './dial-failure.ts'
import { endpointOf } from './link.ts'
import { MeshError } from './mesh-error.ts'
import type { MeshNode } from './node.ts'
import type { Due, RedialPlan } from './redial.ts'

/** One dial, all addresses of the peer together, milliseconds. */
export const DIAL_TIMEOUT_MS = 5_000

/** How often the plan is asked what is due, milliseconds. */
const TICK_MS = 500

export interface DiallerOptions {
  readonly node: MeshNode
  readonly plan: RedialPlan
  readonly keyed: boolean
  readonly now: () => Millis
  readonly stop: AbortSignal
  readonly failed: (target: string, error: MeshError) => void
}

/** Performs what the re-dial plan decides: asks it twice a second and dials, in parallel up to its bound. */
export class Dialler {
  readonly #options: DiallerOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: DiallerOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => this.tick(), TICK_MS)
    this.#timer.unref()
    this.#options.stop.addEventListener('abort', () => clearInterval(this.#timer))
    this.tick()
  }

  /** Dials what is due; called early when something new was found. */
  tick(): void {
    const { node, plan, now, stop } = this.#options
    if (stop.aborted) return
    const connected = new Set(node.getPeers().map(String))
    for (const due of plan.due(now(), (peer) => connected.has(peer))) void this.#dial(due)
  }

  /**
   * Dials addresses of one peer, one after the other, within `DIAL_TIMEOUT_MS`.
   * @param peer - undefined to accept whoever answers
   * @throws MeshError of a dial; the signal's reason
   */
  async connect(addrs: readonly string[], peer: PeerName | undefined, signal: AbortSignal): Promise<PeerName> {
    const { node, keyed, now, stop } = this.#options
    const to = peer ?? addrs[0] ?? 'nobody'
    const targets = dialable(addrs, peer, new Set(node.getMultiaddrs().map((addr) => endpointOf(String(addr)))))
    if (targets.length === 0) throw new MeshError('DIALLED_SELF', { to })
    const startedAt = now()
    try {
      const connection = await node.dial(targets, { signal: AbortSignal.any([signal, stop, AbortSignal.timeout(DIAL_TIMEOUT_MS)]) })
      return connection.remotePeer.toString() as PeerName
    } catch (error) {
      signal.throwIfAborted()
      throw dialFailure(error, { to, afterMs: now() - startedAt, keyed })
    }
  }

  async #dial(due: Due): Promise<void> {
    const { plan, now, stop, failed } = this.#options
    try {
      plan.succeeded(due.id, await this.connect(due.addrs, due.peer, stop))
    } catch (error) {
      if (stop.aborted) return
      const failure = dialFailure(error, { to: due.peer ?? due.addrs[0] ?? due.id, afterMs: 0, keyed: this.#options.keyed })
      plan.failed(due.id, failure.code, now())
      failed(due.peer ?? due.addrs[0] ?? due.id, failure)
    }
  }
}

/** Addresses worth a dial: they parse, name no other peer and do not lead back here. */
function dialable(addrs: readonly string[], peer: PeerName | undefined, own: ReadonlySet<string | undefined>): Multiaddr[] {
  return addrs.flatMap((text) => {
    const address = readAddress(text)
    if (address === undefined || own.has(endpointOf(text))) return []
    if (peer === undefined) return [address.multiaddr]
    if (address.peer !== undefined) return address.peer === peer ? [address.multiaddr] : []
    return [multiaddr(`${text}/p2p/${peer}`)]
  })
}
