import type { DiscoveryReport } from '../port.ts'
import type { Hint } from '../redial.ts'
import { askTailscale, type TailscaleAnswer, type TailscalePlaces } from './tailscale-source.ts'

/** Asked this often, milliseconds: machines come and go slowly, and asking costs tailscaled a document. */
const POLL_MS = 30_000

export interface TailscaleOptions extends TailscalePlaces {
  /** The mesh port on the other machines. */
  readonly port: number
}

/** Machines of the tailnet that are online, as hints at the mesh port; the handshake tells which of them run a node of this mesh. */
export class TailscaleDiscovery {
  readonly #options: TailscaleOptions
  readonly #found: (hints: readonly Hint[]) => void
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #answer: TailscaleAnswer | undefined

  constructor(options: TailscaleOptions, found: (hints: readonly Hint[]) => void) {
    this.#options = options
    this.#found = found
  }

  /** Asks now and then every `POLL_MS`; resolves after the first answer. */
  async start(): Promise<void> {
    await this.#ask()
    if (this.#stop.signal.aborted) return
    this.#timer = setInterval(() => void this.#ask(), POLL_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stop.abort()
  }

  report(): DiscoveryReport {
    return tailscaleReport(this.#answer, this.#options.port)
  }

  async #ask(): Promise<void> {
    const answer = await askTailscale(this.#options, this.#stop.signal)
    if (this.#stop.signal.aborted) return
    this.#answer = answer
    this.#found(tailscaleHints(answer, this.#options.port))
  }
}

/** Address-only hints: Tailscale names machines, not peer ids. */
export function tailscaleHints(answer: TailscaleAnswer, port: number): Hint[] {
  if (answer.type !== 'running') return []
  return answer.online.map((peer) => ({
    id: peer.id,
    peer: undefined,
    addrs: peer.ips.map((ip) => `/${ip.includes(':') ? 'ip6' : 'ip4'}/${ip}/tcp/${port}`),
  }))
}

/** @param answer - undefined before the first one */
export function tailscaleReport(answer: TailscaleAnswer | undefined, port: number): DiscoveryReport {
  const report = (state: DiscoveryReport['state'], found: number, why: string): DiscoveryReport => ({
    source: 'tailscale',
    state,
    found,
    why: `Tailscale: ${why}`,
  })
  switch (answer?.type) {
    case undefined:
      return report('searching', 0, 'asking tailscaled')
    case 'running': {
      const online = answer.online.length
      if (online > 0) return report('ok', online, `${online} of ${answer.known} machines online, dialled at port ${port}`)
      return report(
        'searching',
        0,
        answer.known === 0 ? 'running, and no other machine is in the tailnet' : `running, and none of ${answer.known} machines is online`,
      )
    }
    case 'not-running':
      return report(
        'failed',
        0,
        answer.backendState === 'NeedsLogin'
          ? 'installed but logged out; run `tailscale up`'
          : `installed but not running (state ${answer.backendState})`,
      )
    case 'absent':
      return report('off', 0, answer.detail)
    case 'unreadable':
      return report('failed', 0, answer.detail)
  }
}
