import { ComputeError, type FoldReport, type LatticeCompute } from '@sgsd/compute'
import { consensusHeads, foldWeights, type Signed } from '@sgsd/consensus'
import type { Logger } from 'pino'
import { type Core, monotonicNow } from '../core.ts'
import type { EventBus } from '../event-bus.ts'
import { pause } from '../pause.ts'

/** Heads arrive in bursts; one fold for all that come within this time. */
const DEBOUNCE_MS = 150

/** The consensus that this node runs on. */
export interface Consensus {
  readonly id: string
  readonly heads: number
  /** What was folded, in peer-id order. */
  readonly members: Parameters<LatticeCompute['fold']>[0]
  readonly fold: FoldReport
  readonly changedAt: number
}

/** Folds the ready heads whenever their set changes; the newest set wins. */
export class MergeLoop {
  readonly #core: Core
  readonly #lattice: LatticeCompute
  readonly #events: EventBus
  readonly #log: Logger
  readonly #signal: AbortSignal
  #current: Consensus | undefined
  #wanted = false
  #wake: () => void = () => {}
  /** Called with the heads of a fold that a layer was missing for. */
  onMissing: (heads: readonly Signed<'head'>[]) => Promise<void> = async () => {}
  /** Called after each fold. */
  onConsensus: () => void = () => {}

  constructor(core: Core, lattice: LatticeCompute, events: EventBus, log: Logger, signal: AbortSignal) {
    this.#core = core
    this.#lattice = lattice
    this.#events = events
    this.#log = log
    this.#signal = signal
  }

  get current(): Consensus | undefined {
    return this.#current
  }

  request(): void {
    this.#wanted = true
    this.#wake()
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      if (!this.#wanted) {
        await this.#idle()
        continue
      }
      await pause(DEBOUNCE_MS, this.#signal)
      if (this.#signal.aborted) return
      this.#wanted = false
      try {
        await this.#fold()
      } catch (error) {
        if (this.#signal.aborted) return
        this.#log.error({ error: (error as Error).message }, 'fold failed; trying again')
        await pause(1_000, this.#signal)
        this.#wanted = true
      }
    }
  }

  async #fold(): Promise<void> {
    const id = this.#core.state.consensus
    const heads = consensusHeads(this.#core.state)
    const weights = foldWeights(this.#core.state)
    const members = heads.map(({ value }) => ({ peer: value.author, seq: value.seq, layer: value.layer, weight: weights.get(value.author) ?? 1 }))
    const fold = await this.#lattice.fold(members).catch(async (error: unknown) => {
      if (!(error instanceof ComputeError) || error.code !== 'LAYER_REFUSED') throw error
      await this.onMissing(heads)
      return this.#lattice.fold(members)
    })
    const before = this.#current
    this.#current = { id, heads: heads.length, members, fold, changedAt: monotonicNow() }
    if (before?.id === id && before.fold.digest === fold.digest) return
    this.#events.emit({ event: 'consensus:changed', id, digest: fold.digest, heads: heads.length })
    this.#log.info({ consensus: id.slice(0, 12), heads: heads.length, rows: fold.rows, foldMs: Math.round(fold.ms) }, 'consensus changed')
    this.onConsensus()
  }

  async #idle(): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await pause(60_000, AbortSignal.any([this.#signal, woken.signal]))
    this.#wake = () => {}
  }
}
