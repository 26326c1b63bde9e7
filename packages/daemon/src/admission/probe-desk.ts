import type { ColourCompute } from '@sgsd/compute'
import { isMember, type Millis, PROBE_CHUNKS, PROBE_DEADLINE_MS, type PeerName } from '@sgsd/consensus'
import { MeshError } from '@sgsd/mesh'
import { openProbe, probeId, type ProbeStatus, signProbeAnswer } from '@sgsd/wire'
import { type Core, monotonicNow } from '../core.ts'

/** Probes that a candidate computes at once, and how many a minute: 30 of them are some seconds of one core. */
const MAX_AT_ONCE = 2
const MAX_PER_MINUTE = 30

/** One member is answered this often, milliseconds. */
const MEMBER_GAP_MS = 5_000

/** Bounds what members can make a candidate compute. No clock: `now` is an argument. */
export class ProbeLimit {
  readonly #answered = new Map<PeerName, Millis>()
  #open = 0

  /** @returns whether to compute for this prober now; then `done` ends it */
  begin(prober: PeerName, now: Millis): boolean {
    for (const [peer, at] of this.#answered) if (now - at >= 60_000) this.#answered.delete(peer)
    const last = this.#answered.get(prober)
    if (this.#open >= MAX_AT_ONCE || this.#answered.size >= MAX_PER_MINUTE || (last !== undefined && now - last < MEMBER_GAP_MS)) return false
    this.#answered.set(prober, now)
    this.#open += 1
    return true
  }

  done(): void {
    this.#open -= 1
  }
}

/**
 * Answers members that want to see this candidate compute. It computes for nobody else, never more than `PROBE_CHUNKS`, and for nobody once it is in.
 * docs/protocol.md §10.5
 */
export class ProbeDesk {
  readonly #core: Core
  readonly #colours: Pick<ColourCompute, 'chunkValues'>
  readonly #limit = new ProbeLimit()

  constructor(core: Core, colours: Pick<ColourCompute, 'chunkValues'>) {
    this.#core = core
    this.#colours = colours
  }

  /** @throws MeshError FRAME_INVALID, which counts against the peer, for what is no probe of this peer for this node */
  async answer(bytes: Uint8Array, from: PeerName, signal: AbortSignal): Promise<Uint8Array> {
    const { state, meshId, verifyContext, credentials } = this.#core
    const probe = openProbe(bytes, { mesh: meshId, prober: from, candidate: state.self }, verifyContext.verify)
    if (probe.type !== 'accept') throw new MeshError('FRAME_INVALID', { peer: from, detail: probe.reason })
    const { first, chunks } = probe.value
    const reply = (status: ProbeStatus, values: BigUint64Array = new BigUint64Array()): Uint8Array =>
      signProbeAnswer({ candidate: state.self, probe: probeId(probe.value), status, values }, credentials.identity.sign)
    if (isMember(state, state.self)) return reply('member')
    if (!isMember(state, from) || chunks > PROBE_CHUNKS || !this.#limit.begin(from, monotonicNow())) return reply('busy')
    try {
      const { colourKernel, colourSeed } = state.genesis
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(PROBE_DEADLINE_MS)])
      return reply('done', await this.#colours.chunkValues(colourKernel, colourSeed, first, chunks, deadline))
    } finally {
      this.#limit.done()
    }
  }
}
