import { randomInt } from 'node:crypto'
import { CHUNK_COLOURS } from '@sgsd/color'
import type { ClaimCompute, ColourCompute } from '@sgsd/compute'
import { absoluteChunk, draftClaim, itemKey, MAX_CLAIM_CHUNKS, nextWork, rosterHash, type Work } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import { encodeLeaves } from '@sgsd/wire'
import type { Logger } from 'pino'
import { type Core, monotonicNow } from '../core.ts'
import type { EventBus } from '../event-bus.ts'
import { pause } from '../pause.ts'
import { mismatch } from '../trust/mismatch.ts'
import type { Referee } from '../trust/referee.ts'
import { countClaim } from './leaves.ts'

/** A claim covers about this much work. A kill costs at most two: the one being computed and the one being stored. */
const CLAIM_MS = 1_500
/** Chunks of the first claim, before a rate is known. */
const FIRST_CLAIM_CHUNKS = 64
/** How long to wait when own range is covered and others are still at theirs. */
const IDLE_MS = 1_000
/** Weight of the newest claim in the rate that is shown, and in the one that is announced. */
const SHOWN_WEIGHT = 0.4
const ANNOUNCED_WEIGHT = 0.1

export interface MineParts {
  readonly core: Core
  readonly colours: ColourCompute
  readonly claims: ClaimCompute
  readonly referee: Pick<Referee, 'value'>
  readonly blocks: BlockStore
  readonly events: EventBus
  readonly log: Logger
  readonly signal: AbortSignal
}

/**
 * Mines this member's range of the current epoch, claim by claim. While one claim is hashed, stored and announced, the next is
 * computed already: the threads never wait.
 */
export class MineLoop {
  readonly #parts: MineParts
  /** Epochs to mine, counted from 0; 0 = no end. */
  readonly #epochs: number
  #paused: boolean
  #work: AbortController | undefined
  #wake: () => void = () => {}
  #shown = 0
  #sustained: number | undefined
  #busy = false
  #fault: string | undefined
  #chunks = 0
  /** Computed and not yet claimed. */
  #inFlight: readonly Work[] = []
  #publishing: Promise<void> = Promise.resolve()

  constructor(parts: MineParts, options: { readonly auto: boolean; readonly epochs: number }) {
    this.#parts = parts
    this.#epochs = options.epochs
    this.#paused = !options.auto
  }

  get state(): 'mining' | 'paused' | 'done' {
    const { epoch, repairing } = this.#parts.core.state
    if (this.#epochs > 0 && epoch >= BigInt(this.#epochs) && repairing.size === 0) return 'done'
    return this.#paused ? 'paused' : 'mining'
  }

  /** A person, the configuration or a fault keeps it from computing, whatever there is to do. */
  get isPaused(): boolean {
    return this.#paused
  }

  /** Colours per second of the last claims; 0 while nothing is computed. */
  get rate(): number {
    return this.#busy ? this.#shown : 0
  }

  /** Colours per second over many claims; undefined before the first. */
  get sustainedRate(): number | undefined {
    return this.#sustained
  }

  /** Why this node mines no more: its engine was seen to compute wrong. Undefined while all is well, and once a person has started it again. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** Chunks computed since the start. */
  get chunks(): number {
    return this.#chunks
  }

  start(): void {
    this.#paused = false
    this.#fault = undefined
    this.#wake()
  }

  pause(): void {
    this.#paused = true
    this.#work?.abort()
  }

  /** Stops mining until a person starts it again: nobody must be told what this machine computes. */
  halt(fault: string): void {
    const { log, events } = this.#parts
    this.#fault = fault
    log.error({ fault }, 'own-mismatch')
    events.emit({ event: 'warning', message: `mining has stopped: ${fault}` })
    this.pause()
  }

  /** Something changed that may have made new work: a roster, a claim, an epoch. */
  nudge(): void {
    this.#wake()
  }

  /** Runs until the daemon stops. */
  async run(): Promise<void> {
    const { core, log, signal } = this.#parts
    while (!signal.aborted) {
      const run = this.state === 'mining' ? nextWork(core.state, monotonicNow(), this.#claimChunks(), this.#inFlight) : undefined
      this.#busy = run !== undefined
      if (run === undefined) {
        await this.#publishing
        if (this.state !== 'mining' || nextWork(core.state, monotonicNow(), 1) === undefined) await this.#idle()
        continue
      }
      try {
        await this.#mine(run)
      } catch (error) {
        if (signal.aborted) break
        if (this.#work?.signal.aborted === true) continue
        log.error({ error: (error as Error).message }, 'mining failed; trying again')
        await pause(IDLE_MS, signal)
      }
    }
    await this.#publishing
  }

  async #mine(run: Work): Promise<void> {
    const { core, colours, signal } = this.#parts
    const { genesis } = core.state
    this.#work = new AbortController()
    const started = performance.now()
    const first = absoluteChunk(genesis, run.epoch, run.start)
    const stop = AbortSignal.any([signal, this.#work.signal])
    const values = await colours.chunkValues(genesis.colourKernel, genesis.colourSeed, first, run.count, stop)
    this.#measured((run.count * CHUNK_COLOURS * 1_000) / (performance.now() - started))
    this.#chunks += run.count
    await this.#publishing
    if (this.#fault !== undefined || !this.#isOpen(run.epoch)) return
    this.#inFlight = [run]
    this.#publishing = this.#publish(run, values).finally(() => {
      this.#inFlight = []
    })
  }

  /** Hashes, stores, signs and announces; a failure costs the run, which is then mined again. */
  async #publish(run: Work, values: BigUint64Array): Promise<void> {
    const { core, claims, blocks, events, log, signal } = this.#parts
    try {
      const context = { meshId: core.meshId, epoch: run.epoch, rosterHash: rosterHash(core.state), author: core.state.self, run }
      const [root, leaves] = await Promise.all([claims.root(context, values), blocks.put(encodeLeaves(values)), this.#selfCheck(run, values)])
      if (this.#fault !== undefined || !this.#isOpen(run.epoch)) return
      const claim = draftClaim(core.state, run, values, leaves, { rosterHash: context.rosterHash, root })
      core.author({ kind: 'claim', value: claim })
      const signed = core.state.claims.get(itemKey({ kind: 'claim', value: claim }))
      if (signed !== undefined) countClaim(core, signed, values, events)
    } catch (error) {
      if (!signal.aborted) log.error({ error: (error as Error).message }, 'a claim could not be made; its run is mined again')
    }
  }

  /** One chunk of every claim, that nobody can foresee, is computed again on the reference kernel before the claim is signed. */
  async #selfCheck(run: Work, values: BigUint64Array): Promise<void> {
    const { referee, colours } = this.#parts
    const index = randomInt(run.count)
    const reference = await referee.value(run.epoch, run.start + index)
    const value = values[index]!
    if (value !== reference) this.halt(mismatch(colours.engine, run.epoch, run.start + index, value, reference))
  }

  /** Claims of the current epoch count, and those of one that is being repaired. */
  #isOpen(epoch: bigint): boolean {
    const { state } = this.#parts.core
    return state.epoch === epoch || state.repairing.has(epoch)
  }

  #measured(rate: number): void {
    const blend = (before: number, weight: number): number => before + weight * (rate - before)
    this.#shown = this.#shown === 0 ? rate : blend(this.#shown, SHOWN_WEIGHT)
    this.#sustained = this.#sustained === undefined ? rate : blend(this.#sustained, ANNOUNCED_WEIGHT)
  }

  #claimChunks(): number {
    if (this.#shown === 0) return FIRST_CLAIM_CHUNKS
    const chunks = Math.round((this.#shown * CLAIM_MS) / 1_000 / CHUNK_COLOURS)
    return Math.max(1, Math.min(MAX_CLAIM_CHUNKS, chunks))
  }

  async #idle(): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await pause(IDLE_MS, AbortSignal.any([this.#parts.signal, woken.signal]))
    this.#wake = () => {}
  }
}
