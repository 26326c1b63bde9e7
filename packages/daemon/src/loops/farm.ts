import type { LatticeCompute } from '@sgsd/compute'
import type { Head } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import type { Logger } from 'pino'
import type { FarmDocument, StatusDocument } from '../control/api.ts'
import { type Core, monotonicNow } from '../core.ts'
import { DaemonError } from '../daemon-error.ts'
import type { EventBus } from '../event-bus.ts'
import { type AdoptedLayer, type Adoption, Adoptions } from '../farm/adoption.ts'
import { finishTexts } from '../farm/finish-texts.ts'
import { type HostWait, hostWait } from '../farm/host-wait.ts'
import type { Learner } from '../farm/learner.ts'
import type { Advance, FarmLedger, LedgerText } from '../farm/ledger.ts'
import { LineageDraft } from '../farm/lineage-draft.ts'
import { storeLayer } from '../farm/store-layer.ts'
import { RateMeter } from '../farm/rate-meter.ts'
import type { SegmentBlocks } from '../farm/segment-blocks.ts'
import { type TakenText, type TextOptions, TextTaker } from '../farm/take-text.ts'
import { type LineWindow, TextReader } from '../farm/text-reader.ts'
import { Visits } from '../farm/visits.ts'
import { pause } from '../pause.ts'

/** Before a commit that failed (a full disk) is tried again. */
const RETRY_MS = 2_000
/** With nothing to do, the queue is looked at this often without being told. */
const MAX_REST_MS = 60_000
/** A commit that took longer than this, ms, earns farming nine times the excess before the next: layers of a long text hold millions of counts. */
const QUICK_COMMIT_MS = 250
const FARM_PER_COMMIT = 9
/** Texts that the farm's document lists. */
const MAX_LISTED = 50

export interface FarmParts {
  readonly core: Core
  readonly lattice: Pick<LatticeCompute, 'adopt' | 'commit'>
  readonly learner: Learner
  readonly ledger: FarmLedger
  readonly segments: SegmentBlocks
  readonly blocks: BlockStore
  readonly events: EventBus
  readonly log: Logger
  readonly signal: AbortSignal
}

export interface FarmOptions {
  /** Host calls per committed layer, at least: more where commits take long (`FARM_PER_COMMIT`). */
  readonly callsPerLayer: number
  /** Segments stay on disk when they are learned. */
  readonly keepText: boolean
}

/**
 * Farms the texts of the ledger, one host call at a time, and commits what was learned as layers. The own head's content is exactly the lines below each
 * text's `next`: a call that was learned is never made again in this process, and after a crash learning goes on from the own head.
 */
export class FarmLoop {
  readonly #parts: FarmParts
  readonly #options: FarmOptions
  readonly #taker: TextTaker
  readonly #reader: TextReader
  readonly #lineage = new LineageDraft()
  readonly #rate = new RateMeter()
  /** How far texts were learned since the last commit, and for the commit that is under way. */
  #learned = new Map<number, Advance>()
  #committing: ReadonlyMap<number, Advance> = new Map()
  /** Texts that cannot be read now, and why. */
  readonly #broken = new Map<number, DaemonError>()
  /** First line that differs now, of texts that changed while lines of them were being learned. */
  readonly #rewound = new Map<number, number>()
  readonly #adoptions = new Adoptions()
  #calls = 0
  #graded = 0
  #restUntil = 0 // before this the next layer is not due, whatever was called
  #layers = 0
  #meanScore = 0
  #idle: boolean
  #paused = false
  #failures = 0
  #wait: HostWait | undefined
  #trouble: DaemonError | undefined
  #call = new AbortController()
  /** Something changed since the loop last looked. */
  #due = false
  #abortRest: () => void = () => {}
  readonly #visits = new Visits()

  constructor(parts: FarmParts, options: FarmOptions) {
    this.#parts = parts
    this.#options = options
    this.#reader = new TextReader(parts.ledger, parts.segments)
    this.#taker = new TextTaker({ ...parts, overlap: parts.learner.overlap, onChange: (text, from) => this.#changed(text, from) })
    this.#idle = parts.ledger.totals().waiting === 0
  }

  get progress(): StatusDocument['lattice']['farm'] {
    const { lines, farmed } = this.#parts.ledger.totals()
    return { state: this.#state(), lines: farmed + this.#uncommitted(), total: lines, meanScore: this.#meanScore, why: this.#why() }
  }

  /** Layers committed by this node. */
  get layers(): number {
    return this.#layers
  }

  /** True when this node has never been given a text. */
  get untouched(): boolean {
    return this.#parts.ledger.untouched
  }

  /** What a person should know, each with the next thing to do. */
  warnings(): StatusDocument['warnings'] {
    const found = [...this.#broken.values()].map(({ message, hint }) => ({ message, hint }))
    if (this.#wait !== undefined) found.push({ message: `farming waits: ${this.#wait.why}`, hint: this.#wait.hint })
    if (this.#trouble !== undefined) found.push({ message: `a layer cannot be written: ${this.#trouble.message}`, hint: this.#trouble.hint })
    return found
  }

  /** @param turn - also count the lines up to this place in the queue */
  document(turn: number | undefined): Omit<FarmDocument, 'dir'> {
    const { ledger, learner } = this.#parts
    const { state, lines, total, meanScore, why } = this.progress
    const linesPerSecond = this.#rate.perSecond
    const left = ledger.totals().waiting - this.#uncommitted()
    return {
      schema: 'sgsd.farm-status/1',
      state,
      why,
      host: learner.kind,
      retryMs: this.#wait === undefined ? null : Math.max(0, Math.round(this.#wait.until - monotonicNow())),
      lines,
      total,
      left,
      leftUpTo: turn === undefined ? left : Math.max(0, ledger.linesUpTo(turn) - this.#uncommitted(turn)),
      uncommittedUpTo: this.#uncommitted(turn),
      linesPerSecond,
      etaMs: linesPerSecond > 0 && state === 'farming' ? Math.round((1_000 * left) / linesPerSecond) : null,
      meanScore,
      layers: this.#layers,
      texts: ledger.list(MAX_LISTED).map((text) => ({
        name: text.name,
        state: this.#textState(text),
        lines: text.lines,
        farmed: this.#learned.get(text.id)?.next ?? text.next,
        unknown: text.unknown,
        bytes: text.bytes,
        shared: text.shared,
      })),
    }
  }

  /** Reads progress back: a commit that was announced but not ticked off is ticked off now. */
  load(): void {
    const { core, ledger } = this.#parts
    const head = core.state.heads.get(core.state.self)?.value
    this.#layers = Number(head?.seq ?? 0n)
    ledger.settle(head?.layer)
  }

  /** The mean score that a restored layer carries on from. */
  restored(meanScore: number): void {
    this.#meanScore = meanScore
  }

  /** The own layer is gone: what is kept of the texts is farmed again from the beginning. */
  startOver(): void {
    const lines = this.#parts.ledger.startOver()
    this.#idle = false
    this.#wake()
    if (lines > 0) this.#parts.events.emit({ event: 'warning', message: `the own layer is lost: ${lines} lines are farmed again` })
  }

  /** Takes a text in; its lines are on disk when this resolves. @throws as `TextTaker.take` */
  take(options: TextOptions, source: AsyncIterable<Uint8Array>): Promise<TakenText> {
    return this.#taker.take(options, source)
  }

  /** Learns rows from a file, after the call that is under way, and commits them. @throws ComputeError LAYER_REFUSED with nothing learned */
  adopt(adoption: Adoption): Promise<AdoptedLayer> {
    const adopted = this.#adoptions.add(adoption)
    this.#wake()
    return adopted
  }

  /** After the call that is under way; what was learned is committed. */
  pause(): void {
    this.#paused = true
    this.#call.abort()
    this.#wake()
  }

  /** Runs `work` between two calls, all that was learned committed; the call under way is made again. @throws when the commit fails; as `work` */
  between<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#visits.add(work)
    this.#call.abort()
    this.#wake()
    return done
  }

  /** Goes on; a host that failed is asked again at once. */
  resume(): void {
    this.#paused = false
    this.#wait = undefined
    this.#wake()
  }

  /** Runs until the daemon stops; then what was learned is committed. @throws when what was learned is uncertain: only a new start is safe then */
  async run(): Promise<void> {
    const { signal } = this.#parts
    while (!signal.aborted) {
      this.#due = false
      // the lines before have a layer of their own
      const adopts = this.#adoptions.waiting && (await this.#commitOrReport())
      if (adopts && (await this.#adoptions.learnNext(this.#parts.lattice, this.#lineage))) await this.#commitOrReport()
      if (this.#visits.wanted) await this.#visits.admit((await this.#commitOrReport()) ? undefined : this.#trouble)
      if (this.#paused || this.#isWaiting()) {
        await this.#commitOrReport()
        await this.#rest()
        continue
      }
      this.#wait = undefined
      if (this.#isFull() && !(await this.#commitOrReport())) {
        await this.#rest(RETRY_MS)
        continue
      }
      const text = this.#next()
      this.#idle = text === undefined
      if (text !== undefined) await this.#farm(text)
      else if (await this.#commitOrReport()) await this.#rest()
      else await this.#rest(RETRY_MS)
    }
    await this.#commitOrReport()
    this.#adoptions.close()
  }

  /** The first text in the queue with lines that are not learned. */
  #next(): LedgerText | undefined {
    for (const text of this.#parts.ledger.waiting()) {
      if (!this.#broken.has(text.id) && (this.#learned.get(text.id)?.next ?? text.next) < text.ready) return text
    }
    return undefined
  }

  /** One host call. */
  async #farm(text: LedgerText): Promise<void> {
    const { learner, log, signal } = this.#parts
    const before = this.#learned.get(text.id) ?? { next: text.next, graded: 0, unknown: 0 }
    this.#rewound.clear()
    const window = await this.#window(text, before.next)
    if (window === undefined) return
    this.#call = new AbortController()
    try {
      const { graded, unknown } = await learner.learn(text, window, AbortSignal.any([signal, this.#call.signal]))
      const end = before.next + window.lines.length
      const next = Math.max(0, Math.min(end, this.#rewound.get(text.id) ?? end))
      this.#learned.set(text.id, { next, graded: before.graded + graded, unknown: before.unknown + unknown })
      this.#lineage.add(text.name, window.parts)
      this.#calls += 1
      this.#graded += graded
      this.#failures = 0
      this.#rate.add(window.lines.length, monotonicNow())
    } catch (error) {
      if (signal.aborted || this.#call.signal.aborted) return
      this.#failures += 1
      this.#wait = hostWait(error, this.#failures, monotonicNow())
      if (this.#wait === undefined) throw error
      this.#rate.clear()
      log.warn({ text: text.name, error: this.#wait.why, retryMs: Math.round(this.#wait.until - monotonicNow()) }, 'host failed; farming waits')
    }
  }

  /** The lines of the next call, or undefined when they cannot be read: the text is then passed over until it is given again. */
  async #window(text: LedgerText, from: number): Promise<LineWindow | undefined> {
    const { learner, log } = this.#parts
    try {
      return await this.#reader.window(text, from, learner.lines)
    } catch (error) {
      const { message } = error as Error
      const lost = error instanceof DaemonError ? error : new DaemonError('TEXT_LOST', `${text.name}: ${message}`, 'give it again: it goes on there')
      this.#broken.set(text.id, lost)
      log.error({ text: text.name, error: message }, 'a text cannot be read')
      return undefined
    }
  }

  #isFull(): boolean {
    if (this.#lineage.isFull(this.#parts.learner.lines)) return true
    return this.#calls >= this.#options.callsPerLayer && monotonicNow() >= this.#restUntil
  }

  /** @returns whether all that was learned is committed; a failure is told, and costs nothing but time */
  async #commitOrReport(): Promise<boolean> {
    if (this.#learned.size === 0 && !this.#adoptions.uncommitted) return true
    try {
      const began = monotonicNow()
      await this.#commit()
      this.#restUntil = monotonicNow() + FARM_PER_COMMIT * Math.max(0, monotonicNow() - began - QUICK_COMMIT_MS)
      this.#trouble = undefined
      return true
    } catch (error) {
      const { message } = error as Error
      this.#trouble = error instanceof DaemonError ? error : new DaemonError('FAILED', message, 'it is tried again; nothing is lost meanwhile')
      this.#parts.log.error({ error: message }, 'a layer cannot be committed; trying again')
      return false
    }
  }

  async #commit(): Promise<void> {
    const { core, ledger, lattice, blocks, events, log } = this.#parts
    const advances = this.#learned
    this.#committing = advances
    if (this.#graded > 0 || this.#adoptions.uncommitted) {
      const draft = await lattice.commit()
      const { manifest, layer } = await storeLayer(core, blocks, draft, this.#lineage.lineage)
      const head: Head = { author: manifest.author, seq: manifest.seq, layer, radicals: manifest.blocks.map((block) => block.radical) }
      ledger.expect(layer, advances)
      this.#adoptions.expect(layer)
      core.author({ kind: 'head', value: head })
      this.#adoptions.committed(layer)
      this.#layers = Number(manifest.seq)
      this.#meanScore = draft.meanScore
      const rows = manifest.blocks.reduce((sum, block) => sum + block.rows, 0)
      events.emit({ event: 'layer:committed', layer, radicals: manifest.blocks.length, rows, meanScore: draft.meanScore })
      log.info(
        { layer: layer.slice(0, 12), radicals: manifest.blocks.length, rows, meanScore: Number(draft.meanScore.toFixed(4)) },
        'layer committed',
      )
    }
    ledger.advance(advances)
    this.#learned = new Map()
    this.#committing = new Map()
    this.#lineage.clear()
    this.#calls = 0
    this.#graded = 0
    await finishTexts(this.#parts, advances.keys(), this.#options.keepText)
  }

  /** A text has more lines, or other ones from `from` on. */
  #changed(text: number, from: number | undefined): void {
    if (from !== undefined) {
      this.#rewound.set(text, Math.min(from, this.#rewound.get(text) ?? from))
      for (const advances of [this.#learned, this.#committing as Map<number, Advance>]) {
        const advance = advances.get(text)
        if (advance !== undefined) advances.set(text, { ...advance, next: Math.max(0, Math.min(from, advance.next)) })
      }
    }
    this.#broken.delete(text)
    this.#idle = false
    this.#wake()
  }

  #isWaiting(): boolean {
    return this.#wait !== undefined && monotonicNow() < this.#wait.until
  }

  #state(): StatusDocument['lattice']['farm']['state'] {
    if (this.#paused) return 'paused'
    if (this.#wait !== undefined) return 'waiting'
    if (!this.#idle || this.#taker.busy || this.#learned.size > 0) return 'farming'
    return this.#parts.ledger.totals().lines > 0 ? 'done' : 'idle'
  }

  #why(): string {
    return this.#paused ? 'farming is paused' : (this.#wait?.why ?? '')
  }

  #textState(text: LedgerText): FarmDocument['texts'][number]['state'] {
    const next = this.#learned.get(text.id)?.next ?? text.next
    if (this.#broken.has(text.id)) return 'unreadable'
    if (this.#taker.isTaking(text.name)) return 'coming in'
    if (next < text.ready) return next > 0 ? 'farming' : 'waiting'
    return text.whole ? 'done' : 'broken off'
  }

  /** Lines learned and not yet committed, of texts up to a place in the queue. */
  #uncommitted(turn = Infinity): number {
    let sum = 0
    for (const [id, { next }] of this.#learned) {
      const text = this.#parts.ledger.text(id)
      if (text !== undefined && text.turn <= turn) sum += next - text.next
    }
    return sum
  }

  #wake(): void {
    this.#due = true
    this.#abortRest()
  }

  /** Until something changes. */
  async #rest(ms = Math.max(1, (this.#wait?.until ?? Infinity) - monotonicNow())): Promise<void> {
    this.#rate.clear()
    if (this.#due) return
    const woken = new AbortController()
    this.#abortRest = () => woken.abort()
    await pause(Math.min(MAX_REST_MS, ms), AbortSignal.any([this.#parts.signal, woken.signal]))
    this.#abortRest = () => {}
  }
}
