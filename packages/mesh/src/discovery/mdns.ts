import type { PeerDiscovery } from '@libp2p/interface'
import { mdns, type MulticastDNSComponents } from '@libp2p/mdns'
import type { Millis, PeerName } from '@sgsd/consensus'
import { readAddress } from '../address.ts'
import { outsideInterfaces } from '../link.ts'
import { reasonOf } from '../mesh-error.ts'
import type { DiscoveryReport } from '../port.ts'
import type { Hint } from '../redial.ts'

/** A question goes out this often, milliseconds; the first at once. */
const QUESTION_MS = 10_000

/** A peer that stays silent this long is forgotten, milliseconds: twelve questions unanswered. */
const FORGET_MS = 120_000

/** Peers remembered; a LAN with a flooder on it must not fill memory. */
const MAX_PEERS = 256

/** Nobody may have answered yet; after this long the report says what may be wrong, milliseconds. */
const IMPATIENT_MS = 5_000

export interface MdnsOptions {
  /** First 8 hex digits of the mesh id: meshes on one LAN do not even hear each other. */
  readonly meshId8: string
  readonly self: PeerName
  readonly now: () => Millis
  /** All peers heard lately, whenever that set or their addresses change. */
  readonly found: (hints: readonly Hint[]) => void
  /** Another machine announces our own peer id at these addresses. */
  readonly metSelf: (addrs: readonly string[]) => void
}

/**
 * mDNS as a source of hints. It listens to the discovery module itself: libp2p's `peer:discovery` fires only for peers that are new to
 * the peer store, so a node that restarts would never be found again.
 */
export class MdnsDiscovery {
  readonly #options: MdnsOptions
  readonly #startedAt: Millis
  readonly #heard = new Map<PeerName, { addrs: readonly string[]; at: Millis }>()
  #module: PeerDiscovery | undefined
  #failure: string | undefined

  constructor(options: MdnsOptions) {
    this.#options = options
    this.#startedAt = options.now()
  }

  /** For libp2p's `peerDiscovery`. */
  readonly factory = (components: MulticastDNSComponents): PeerDiscovery => {
    const module = mdns({ serviceTag: `_sgs-${this.#options.meshId8}._udp.local`, interval: QUESTION_MS })(components)
    module.addEventListener('peer', (event) => this.#hear(event.detail.id.toString(), event.detail.multiaddrs.map(String)))
    this.#module = module
    return module
  }

  /** After libp2p has started the module: hears of sockets that cannot be opened, which the module only logs. */
  watch(): void {
    const socket = this.#module !== undefined && 'mdns' in this.#module ? this.#module.mdns : undefined
    if (!isEmitter(socket)) return
    socket.on('error', (error) => {
      this.#failure = reasonOf(error)
    })
    socket.on('warning', (warning) => {
      if (warning instanceof Error && 'code' in warning && UNREACHABLE.has(String(warning.code))) this.#failure = reasonOf(warning)
    })
  }

  /** Forgets peers that fell silent. */
  sweep(): void {
    const before = this.#heard.size
    for (const [peer, { at }] of this.#heard) if (this.#options.now() - at > FORGET_MS) this.#heard.delete(peer)
    if (this.#heard.size !== before) this.#tell()
  }

  report(): DiscoveryReport {
    return mdnsReport({
      found: this.#heard.size,
      failure: this.#failure,
      searchingMs: this.#options.now() - this.#startedAt,
      interfaces: outsideInterfaces(),
    })
  }

  #hear(peer: string, addrs: readonly string[]): void {
    const dialable = addrs.filter((addr) => readAddress(addr) !== undefined)
    if (peer === this.#options.self) {
      this.#options.metSelf(dialable)
      return
    }
    const name = peer as PeerName
    const before = this.#heard.get(name)
    if (dialable.length === 0 || (before === undefined && this.#heard.size >= MAX_PEERS)) return
    this.#heard.set(name, { addrs: dialable, at: this.#options.now() })
    if (before === undefined || dialable.join() !== before.addrs.join()) this.#tell()
  }

  #tell(): void {
    this.#options.found([...this.#heard].map(([peer, { addrs }]) => ({ id: peer, peer, addrs })))
  }
}

export function mdnsReport(seen: { found: number; failure: string | undefined; searchingMs: number; interfaces: number }): DiscoveryReport {
  const report = (state: DiscoveryReport['state'], why: string): DiscoveryReport => ({
    source: 'mdns',
    state,
    found: seen.found,
    why: `mDNS: ${why}`,
  })
  if (seen.found > 0) return report('ok', `${seen.found} ${seen.found === 1 ? 'peer' : 'peers'} found`)
  if (seen.failure !== undefined) return report('failed', `multicast does not work here: ${seen.failure}`)
  if (seen.interfaces === 0) return report('searching', 'this machine has no network interface but loopback')
  if (seen.searchingMs < IMPATIENT_MS) return report('searching', 'asking the local network')
  const where = seen.interfaces === 1 ? '1 interface' : `${seen.interfaces} interfaces`
  return report('searching', `nobody answered on ${where} yet; multicast may be blocked`)
}

const UNREACHABLE: ReadonlySet<string> = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EPERM', 'ENODEV'])

interface Emitter {
  on(event: string, listener: (detail: unknown) => void): unknown
}

function isEmitter(value: unknown): value is Emitter {
  return typeof value === 'object' && value !== null && 'on' in value && typeof value.on === 'function'
}
