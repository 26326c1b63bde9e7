import { randomBytes } from 'node:crypto'
import { chunkValue } from '@sgsd/color'
import type { ColourCompute } from '@sgsd/compute'
import {
  draftVote,
  isMember,
  judgeValues,
  type Millis,
  type PeerName,
  PROBE_CHUNKS,
  PROBE_DEADLINE_MS,
  PROBE_SPAN,
  type ProbeFinding,
  revokedPeers,
} from '@sgsd/consensus'
import type { Mesh } from '@sgsd/mesh'
import { openProbeAnswer, type Probe, signProbe } from '@sgsd/wire'
import type { Logger } from 'pino'
import { type Core, monotonicNow } from '../core.ts'
import { pause } from '../pause.ts'

/** How often candidates are looked for, milliseconds. */
const LOOK_MS = 1_000
/** A candidate that was busy or broke off is asked again after this long, milliseconds; one that failed after five minutes. */
const AGAIN_MS = 7_000
const AFTER_NO_MS = 5 * 60_000
/** The answer's way here, on top of the time to compute it, milliseconds: only then it is given up. */
const GIVE_UP_MS: number = PROBE_DEADLINE_MS + 2_000

const COLOURS = BigInt(PROBE_CHUNKS) << 20n

export interface VoterParts {
  readonly core: Core
  readonly mesh: Pick<Mesh, 'links' | 'probe'>
  readonly colours: Pick<ColourCompute, 'chunkValues'>
  readonly log: Logger
}

/** What a probe showed: a finding to vote on, or nothing that can be held against anybody. */
type Outcome = ProbeFinding | 'nothing'

/**
 * A member of a mesh that votes: it probes the candidates that it is connected to, one at a time, each with a nonce and a range of its own, recomputes what
 * they answer, and votes. docs/protocol.md §10.5
 */
export class Voter {
  readonly #parts: VoterParts
  readonly #signal: AbortSignal
  readonly #nextAt = new Map<PeerName, Millis>()

  constructor(parts: VoterParts, signal: AbortSignal) {
    this.#parts = parts
    this.#signal = signal
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      for (const candidate of this.#due()) await this.#judge(candidate)
      await pause(LOOK_MS, this.#signal)
    }
  }

  #due(): readonly PeerName[] {
    const { core, mesh } = this.#parts
    const { state } = core
    if (state.admitted === undefined || !isMember(state, state.self)) return []
    const revoked = revokedPeers(state)
    const voted = new Set<PeerName>()
    for (const { value } of state.votes.values()) if (value.author === state.self && value.ok) voted.add(value.candidate)
    const now = monotonicNow()
    return mesh
      .links()
      .map(({ peer }) => peer)
      .filter((peer) => state.roster.get(peer)?.value.left === false && !isMember(state, peer))
      .filter((peer) => !voted.has(peer) && !revoked.has(peer) && (this.#nextAt.get(peer) ?? now) <= now)
  }

  async #judge(candidate: PeerName): Promise<void> {
    const { core, log } = this.#parts
    if (this.#signal.aborted) return
    const { state } = core
    const probe: Probe = {
      mesh: core.meshId,
      prober: state.self,
      candidate,
      nonce: randomBytes(32).toString('hex'),
      first: randomBytes(8).readBigUInt64LE() % PROBE_SPAN,
      chunks: PROBE_CHUNKS,
    }
    const outcome = await this.#probe(probe)
    this.#nextAt.set(candidate, (monotonicNow() + (outcome === 'nothing' || outcome.ok ? AGAIN_MS : AFTER_NO_MS)) as Millis)
    if (outcome === 'nothing') return
    log.info({ candidate, ...(outcome.ok ? { rate: String(outcome.rate) } : { why: outcome.why }) }, outcome.ok ? 'voted yes' : 'voted no')
    try {
      core.author({ kind: 'vote', value: draftVote(core.state, candidate, outcome, probe.nonce) })
    } catch (error) {
      log.error({ candidate, error: (error as Error).message }, 'a vote cannot be written')
    }
  }

  async #probe(probe: Probe): Promise<Outcome> {
    const { core, mesh, colours, log } = this.#parts
    const { candidate } = probe
    const sent = signProbe(probe, core.credentials.identity.sign)
    const startedAt = performance.now()
    let bytes: Uint8Array
    try {
      bytes = await mesh.probe(candidate, sent, AbortSignal.any([this.#signal, AbortSignal.timeout(GIVE_UP_MS)]))
    } catch (error) {
      // a candidate that gives up at the deadline, as it should, is as slow as one that is silent
      const isLate = performance.now() - startedAt > PROBE_DEADLINE_MS
      if (isLate && !this.#signal.aborted) return { ok: false, why: `no answer within ${PROBE_DEADLINE_MS} ms` }
      log.debug({ candidate, error: (error as Error).message }, 'a probe came to nothing')
      return 'nothing'
    }
    const elapsedMs = performance.now() - startedAt
    const answer = openProbeAnswer(bytes, probe, core.verifyContext.verify)
    if (answer.type !== 'accept') return { ok: false, why: answer.reason }
    if (answer.value.status !== 'done') return 'nothing'
    const { colourKernel, colourSeed } = core.state.genesis
    try {
      const expected = await colours.chunkValues(colourKernel, colourSeed, probe.first, probe.chunks, this.#signal)
      const wrong = expected.findIndex((value, i) => answer.value.values[i] !== value)
      // what speaks against another machine is first doubted on this one
      if (wrong >= 0 && chunkValue(colourKernel, colourSeed, probe.first + BigInt(wrong)) === answer.value.values[wrong]) {
        log.error({ candidate, engine: 'colours' }, 'this machine computed a probe wrong; it does not vote')
        return 'nothing'
      }
      return judgeValues(answer.value.values, expected, elapsedMs, COLOURS)
    } catch (error) {
      if (!this.#signal.aborted) log.warn({ candidate, error: (error as Error).message }, 'a probe cannot be recomputed here')
      return 'nothing'
    }
  }
}
