import { CHUNK_COLOURS } from '@sgsd/color'
import type { ColourCompute } from '@sgsd/compute'
import { type ChunkRun, chunksOfEpoch, draftClaim, itemKey, nextWork } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import { encodeLeaves } from '@sgsd/wire'
import type { Logger } from 'pino'
import { type Core, monotonicNow } from '../core.ts'
import type { EventBus } from '../event-bus.ts'
import { pause } from '../pause.ts'
import { admitLeaves } from './leaves.ts'

/** A claim covers about this much work: what a kill may cost. */
const CLAIM_MS = 1_500
/** Chunks in a claim: hashing and checking more would hold the main thread for over 50 ms. */
const MAX_CLAIM_CHUNKS = 4_096
/** Chunks of the first claim, before a rate is known. */
const FIRST_CLAIM_CHUNKS = 128
/** How long to wait when own range is covered and others are still at theirs. */
const IDLE_MS = 1_000

/** Mines this member's range of the current epoch, claim by claim. */
export class MineLoop {
  readonly #core: Core
  readonly #colours: ColourCompute
  readonly #blocks: BlockStore
  readonly #events: EventBus
  readonly #log: Logger
  readonly #signal: AbortSignal
  /** Epochs to mine, counted from 0; 0 = no end. */
  readonly #epochs: number
  #paused: boolean
  #work: AbortController | undefined
  #wake: () => void = () => {}
  #rate = 0
  #busy = false

  constructor(
    parts: { core: Core; colours: ColourCompute; blocks: BlockStore; events: EventBus; log: Logger; signal: AbortSignal },
    options: { readonly auto: boolean; readonly epochs: number },
  ) {
    this.#core = parts.core
    this.#colours = parts.colours
    this.#blocks = parts.blocks
    this.#events = parts.events
    this.#log = parts.log
    this.#signal = parts.signal
    this.#epochs = options.epochs
    this.#paused = !options.auto
  }

  get state(): 'mining' | 'paused' | 'done' {
    if (this.#finished()) return 'done'
    return this.#paused ? 'paused' : 'mining'
  }

  /** Colours per second of the last claims; 0 while nothing is computed. */
  get rate(): number {
    return this.#busy ? this.#rate : 0
  }

  start(): void {
    this.#paused = false
    this.#wake()
  }

  pause(): void {
    this.#paused = true
    this.#work?.abort()
  }

  /** Something changed that may have made new work: a roster, a claim, an epoch. */
  nudge(): void {
    this.#wake()
  }

  /** Runs until the daemon stops. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const run = this.state === 'mining' ? nextWork(this.#core.state, monotonicNow(), this.#claimChunks()) : undefined
      if (run === undefined) {
        this.#busy = false
        await this.#idle()
        continue
      }
      this.#busy = true
      try {
        await this.#mine(run)
      } catch (error) {
        if (this.#signal.aborted) return
        if (this.#work?.signal.aborted) continue
        this.#log.error({ error: (error as Error).message }, 'mining failed; trying again')
        await pause(IDLE_MS, this.#signal)
      }
    }
  }

  async #mine(run: ChunkRun): Promise<void> {
    const { epoch, genesis } = this.#core.state
    this.#work = new AbortController()
    const started = performance.now()
    const first = epoch * BigInt(chunksOfEpoch(genesis)) + BigInt(run.start)
    const values = await this.#colours.chunkValues(
      genesis.colourKernel,
      genesis.colourSeed,
      first,
      run.count,
      AbortSignal.any([this.#signal, this.#work.signal]),
    )
    const rate = (run.count * CHUNK_COLOURS * 1_000) / (performance.now() - started)
    this.#rate = this.#rate === 0 ? rate : 0.6 * this.#rate + 0.4 * rate
    const bytes = encodeLeaves(values)
    const leaves = await this.#blocks.put(bytes)
    if (this.#core.state.epoch !== epoch) return
    const claim = draftClaim(this.#core.state, run, values, leaves)
    this.#core.author({ kind: 'claim', value: claim })
    const signed = this.#core.state.claims.get(itemKey({ kind: 'claim', value: claim }))
    if (signed !== undefined) admitLeaves(this.#core, signed, bytes, this.#events)
  }

  #claimChunks(): number {
    if (this.#rate === 0) return FIRST_CLAIM_CHUNKS
    const chunks = Math.round((this.#rate * CLAIM_MS) / 1_000 / CHUNK_COLOURS)
    return Math.max(1, Math.min(MAX_CLAIM_CHUNKS, chunks))
  }

  #finished(): boolean {
    return this.#epochs > 0 && this.#core.state.epoch >= BigInt(this.#epochs)
  }

  async #idle(): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await pause(IDLE_MS, AbortSignal.any([this.#signal, woken.signal]))
    this.#wake = () => {}
  }
}
