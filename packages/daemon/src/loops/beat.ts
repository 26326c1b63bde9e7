import { type Beat, BEAT_INTERVAL_MS, type MemberRecord, rosterHash } from '@sgsd/consensus'
import type { Logger } from 'pino'
import { type Core, monotonicNow } from '../core.ts'
import { pause } from '../pause.ts'

/** Beats that follow a change come no closer together than this. */
const MIN_BEAT_GAP_MS = 700
/** A measured rate that moved by more than this share is announced anew: each announcement moves everybody's range a little. */
const RATE_DRIFT = 0.25
/** New rates are announced no more often than this. */
const RATE_GAP_MS = 60_000

/** What the other loops know that a beat or a record tells. */
export interface BeatSources {
  readonly consensus: () => { readonly id: string; readonly digest: string }
  readonly rateNow: () => number
  /** Colours per second over many claims; undefined before the first. */
  readonly sustainedRate: () => number | undefined
  readonly layers: () => number
  readonly addrs: () => readonly string[]
}

/** Facts of a record that do not change while the daemon runs. */
export type RecordFacts = Pick<
  MemberRecord,
  'software' | 'hostName' | 'cores' | 'memoryBytes' | 'colourRate' | 'rowRate' | 'colourEngine' | 'providers'
>

/** Gossips signs of life, and keeps the own record true. */
export class BeatLoop {
  readonly #core: Core
  readonly #sources: BeatSources
  readonly #facts: RecordFacts
  readonly #log: Logger
  readonly #signal: AbortSignal
  #lastSeq = 0n
  #rateAt = -Infinity
  #wake: () => void = () => {}
  #due = false

  constructor(core: Core, sources: BeatSources, facts: RecordFacts, log: Logger, signal: AbortSignal) {
    this.#core = core
    this.#sources = sources
    this.#facts = facts
    this.#log = log
    this.#signal = signal
  }

  /** Beat soon: something changed that the others should see. */
  soon(): void {
    this.#due = true
    this.#wake()
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      this.#due = false
      this.#refreshOrReport()
      this.#core.handle({ type: 'ticked', now: monotonicNow() })
      this.#core.beat(this.#beat())
      await pause(MIN_BEAT_GAP_MS, this.#signal)
      if (!this.#due) await this.#wait(BEAT_INTERVAL_MS - MIN_BEAT_GAP_MS)
    }
  }

  /** A record that cannot be written now is authored at the next beat. */
  #refreshOrReport(): void {
    try {
      this.refreshRecord(false)
    } catch (error) {
      this.#log.error({ error: (error as Error).message }, 'own record cannot be written')
    }
  }

  /** Authors a new record when the newest one no longer holds; `left` says goodbye. */
  refreshRecord(left: boolean): void {
    const { state } = this.#core
    const newest = state.roster.get(state.self)?.value
    const next: MemberRecord = {
      ...this.#facts,
      colourRate: this.#colourRate(newest),
      rowRate: newest === undefined || drifted(newest.rowRate, this.#facts.rowRate) ? this.#facts.rowRate : newest.rowRate,
      author: state.self,
      seq: newest?.seq ?? 0n,
      addrs: this.#sources.addrs(),
      joinedEpoch: newest?.joinedEpoch ?? state.epoch,
      left,
    }
    if (newest !== undefined && same(newest, next)) return
    this.#core.author({ kind: 'record', value: { ...next, seq: next.seq + 1n } })
  }

  /** The announced rate stays until the measured one has drifted away from it: the timing at start first, later what mining sustains. */
  #colourRate(newest: MemberRecord | undefined): bigint {
    const sustained = this.#sources.sustainedRate()
    const measured = sustained === undefined ? this.#facts.colourRate : BigInt(Math.round(sustained))
    if (newest !== undefined && (!drifted(newest.colourRate, measured) || monotonicNow() - this.#rateAt < RATE_GAP_MS)) return newest.colourRate
    this.#rateAt = monotonicNow()
    return measured
  }

  #beat(): Beat {
    const { state } = this.#core
    const { id, digest } = this.#sources.consensus()
    const tally = state.tallies.get(state.epoch)
    const wall = BigInt(Date.now())
    this.#lastSeq = wall > this.#lastSeq ? wall : this.#lastSeq + 1n
    return {
      author: state.self,
      seq: this.#lastSeq,
      rosterHash: rosterHash(state),
      consensus: id,
      digest,
      epoch: state.epoch,
      chunksDone: tally?.byMember.get(state.self) ?? 0,
      chunksCovered: tally?.chunksCovered ?? 0,
      rateNow: BigInt(Math.round(this.#sources.rateNow())),
      layers: this.#sources.layers(),
    }
  }

  async #wait(ms: number): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await pause(ms, AbortSignal.any([this.#signal, woken.signal]))
    this.#wake = () => {}
  }
}

function drifted(before: bigint, now: bigint): boolean {
  return Math.abs(Number(now) - Number(before)) > RATE_DRIFT * Number(before)
}

function same(a: MemberRecord, b: MemberRecord): boolean {
  const text = (record: MemberRecord): string =>
    JSON.stringify(
      Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)),
      (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value),
    )
  return text(a) === text(b)
}
