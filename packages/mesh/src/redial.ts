import type { Millis, PeerName } from '@sgsd/consensus'
import type { MeshErrorCode } from './mesh-error.ts'
import type { DiscoveryReport } from './port.ts'

export type Source = DiscoveryReport['source']

/** Something worth a connection: a peer with addresses, or an address whose peer is not known yet. */
export interface Hint {
  /** Names the hint within its source. */
  readonly id: string
  readonly peer: PeerName | undefined
  readonly addrs: readonly string[]
}

/** A dial that is due. */
export interface Due {
  readonly id: string
  readonly peer: PeerName | undefined
  /** Most promising first; rotates with every failure. */
  readonly addrs: readonly string[]
}

/** Dials under way at once: a roster of dead peers must not starve a living one, nor a herd be made. */
export const MAX_PARALLEL_DIALS = 8

/** Mean of the first retry's delay, milliseconds; doubles up to `RETRY_MAX_MS`. */
const RETRY_MIN_MS = 1_000

/** Mean of the longest delay while a peer was lost recently: a healed partition must close within 15 s, dial timeout included. */
const RETRY_MAX_MS = 6_000

/** After this many failures, about 10 minutes, a peer counts as switched off … */
const PATIENT_FAILURES = 100

/** … and is tried this often. */
const RETRY_SLOW_MS = 30_000

/** A peer that refused the handshake, or belongs to another mesh, is left alone this long, then twice as long, … milliseconds. */
const STRANGER_MIN_MS = 60_000
const STRANGER_MAX_MS = 15 * 60_000

/** How long the higher peer id leaves the first dial to the lower one, so that two nodes that find each other make one connection. */
const HIGHER_WAITS_MS = 1_500

/** Hints kept of one source, and addresses tried of one peer: mDNS is not authenticated and may claim anything. */
const MAX_HINTS_PER_SOURCE = 512
const MAX_ADDRS = 8

interface Entry {
  peer: PeerName | undefined
  /** Whether the hint itself names the peer; otherwise `peer` is who answered last, and somebody else may do so next time. */
  readonly named: boolean
  readonly addrs: Map<Source, readonly string[]>
  failures: number
  /** Refused handshakes in a row. */
  strange: number
  nextAt: Millis
  inFlight: boolean
}

/**
 * Whom to dial when. It holds every hint until it is withdrawn and hands out what is due and not connected, so lost connections
 * come back by themselves; libp2p neither retries nor remembers. No clock, no timers, no sockets: time and chance are arguments.
 */
export class RedialPlan {
  readonly #self: PeerName
  readonly #random: () => number
  readonly #entries = new Map<string, Entry>()

  /** @param random - uniform in [0, 1) */
  constructor(self: PeerName, random: () => number) {
    this.#self = self
    this.#random = random
  }

  /**
   * All that a source knows now; what it named before and no longer names is dropped. A peer that shows up at a new address is due
   * at once, unless it refused the handshake. Our own peer id, hints without addresses and those beyond the bounds are left out.
   */
  replace(source: Source, hints: readonly Hint[], now: Millis): void {
    const kept = new Set<string>()
    for (const hint of hints) {
      if (hint.peer === this.#self || hint.addrs.length === 0 || kept.size >= MAX_HINTS_PER_SOURCE) continue
      const key = hint.peer ?? `${source}:${hint.id}`
      kept.add(key)
      this.#offer(key, source, hint, now)
    }
    for (const [key, entry] of this.#entries) {
      if (kept.has(key) || !entry.addrs.delete(source)) continue
      if (entry.addrs.size === 0) this.#entries.delete(key)
    }
  }

  /** What to dial now; each stays in flight until `succeeded` or `failed` names it. */
  due(now: Millis, connected: (peer: PeerName) => boolean): Due[] {
    const entries = [...this.#entries]
    const free = MAX_PARALLEL_DIALS - entries.filter(([, entry]) => entry.inFlight).length
    return entries
      .filter(([, entry]) => !entry.inFlight && entry.nextAt <= now && (entry.peer === undefined || !connected(entry.peer)))
      .sort(([, a], [, b]) => a.nextAt - b.nextAt)
      .slice(0, Math.max(0, free))
      .map(([id, entry]) => {
        entry.inFlight = true
        return {
          id,
          peer: entry.named ? entry.peer : undefined,
          addrs: rotated([...new Set([...entry.addrs.values()].flat())], entry.failures).slice(0, MAX_ADDRS),
        }
      })
  }

  /** @param peer - who answered */
  succeeded(id: string, peer: PeerName): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    entry.inFlight = false
    entry.failures = 0
    entry.strange = 0
    entry.peer = peer
  }

  /** @returns when it is tried next */
  failed(id: string, code: MeshErrorCode, now: Millis): Millis {
    const entry = this.#entries.get(id)
    if (entry === undefined) return now
    entry.inFlight = false
    entry.failures++
    const strange = STRANGE.has(code)
    entry.strange = strange ? entry.strange + 1 : 0
    const mean = strange
      ? Math.min(STRANGER_MAX_MS, STRANGER_MIN_MS * 2 ** (entry.strange - 1))
      : entry.failures > PATIENT_FAILURES
        ? RETRY_SLOW_MS
        : Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (entry.failures - 1))
    entry.nextAt = later(now, mean * (0.75 + this.#random() / 2))
    return entry.nextAt
  }

  /** A connection was lost: its peer is dialled again soon, by the lower peer id first. */
  lost(peer: PeerName, now: Millis): void {
    for (const entry of this.#entries.values()) {
      if (entry.peer !== peer || entry.inFlight) continue
      entry.nextAt = later(now, 250 + 500 * this.#random() + (this.#self < peer ? 0 : HIGHER_WAITS_MS))
    }
  }

  /** A connected peer turned out to belong to another mesh, or misbehaved. */
  shun(peer: PeerName, now: Millis): void {
    for (const [id, entry] of this.#entries) if (entry.peer === peer) this.failed(id, 'KEY_MISMATCH', now)
  }

  /** Hints that a source has now. */
  count(source: Source): number {
    return [...this.#entries.values()].filter((entry) => entry.addrs.has(source)).length
  }

  /** Peers that a source has now and that are known by name. */
  peers(source: Source): PeerName[] {
    return [...this.#entries.values()].flatMap((entry) => (entry.addrs.has(source) && entry.peer !== undefined ? [entry.peer] : []))
  }

  #offer(key: string, source: Source, hint: Hint, now: Millis): void {
    const addrs = hint.addrs.slice(0, MAX_ADDRS)
    const wait = this.#waits(source, hint.peer) ? HIGHER_WAITS_MS : 0
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      const named = hint.peer !== undefined
      this.#entries.set(key, {
        peer: hint.peer,
        named,
        addrs: new Map([[source, addrs]]),
        failures: 0,
        strange: 0,
        nextAt: later(now, wait),
        inFlight: false,
      })
      return
    }
    const known = [...entry.addrs.values()].flat()
    entry.addrs.set(source, addrs)
    if (entry.strange > 0 || entry.inFlight || addrs.every((addr) => known.includes(addr))) return
    entry.failures = 0
    if (entry.nextAt > later(now, wait)) entry.nextAt = later(now, wait)
  }

  /** Only where the other side learns of us as well does it make sense to wait for its dial. */
  #waits(source: Source, peer: PeerName | undefined): boolean {
    return peer !== undefined && peer < this.#self && (source === 'mdns' || source === 'roster')
  }
}

/** Failures that time alone does not cure. */
const STRANGE: ReadonlySet<MeshErrorCode> = new Set(['KEY_MISMATCH', 'KEY_REQUIRED', 'NOT_A_MESH', 'DIALLED_SELF'])

function later(now: Millis, ms: number): Millis {
  return (now + ms) as Millis
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const at = list.length === 0 ? 0 : by % list.length
  return [...list.slice(at), ...list.slice(0, at)]
}
