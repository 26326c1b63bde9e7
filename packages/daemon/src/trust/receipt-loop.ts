import type { HistoryCompute, LayerContent } from '@sgsd/compute'
import { beaconOf, type LayerId, receiptsDue, type Signed } from '@sgsd/consensus'
import type { Logger } from 'pino'
import { type Core, monotonicNow } from '../core.ts'
import { pause } from '../pause.ts'
import { sampleFor } from './held-out.ts'

/** A head is scored once it has stood for this long: one that learns makes a new one every few seconds. */
const STANDING_MS = 60_000
/** Between two looks; a score takes about a second of a background thread, so that this bounds the load. */
const LOOK_MS = 20_000
/** Layers that this process has scored or could not score are remembered; of more, the oldest are forgotten. */
const MAX_TRIED = 4_096

export interface ReceiptParts {
  readonly core: Core
  readonly history: Pick<HistoryCompute, 'score'>
  /** Everything of a layer. @throws where not all of it is here */
  readonly content: (layer: LayerId) => Promise<LayerContent>
  readonly heldOut: () => Promise<readonly string[]>
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Scores the heads that the beacon draws this node for, one at a time, apart from the running lattice, and signs what it found. */
export class ReceiptLoop {
  readonly #parts: ReceiptParts
  readonly #since = new Map<LayerId, number>()
  readonly #tried = new Set<LayerId>()

  constructor(parts: ReceiptParts) {
    this.#parts = parts
  }

  /** Runs until the daemon stops. */
  async run(): Promise<void> {
    const { signal } = this.#parts
    while (!signal.aborted) {
      await pause(LOOK_MS, signal)
      await this.pass()
    }
  }

  /** Scores at most one head. @returns whether it did */
  async pass(): Promise<boolean> {
    const { core, signal, log } = this.#parts
    const head = this.#next()
    if (head === undefined || signal.aborted) return false
    const { layer, author } = head.value
    this.#tried.add(layer)
    if (this.#tried.size > MAX_TRIED) this.#tried.delete(this.#tried.values().next().value!)
    try {
      const { score, items } = await this.#score(head)
      if (items === 0) return false
      core.author({ kind: 'receipt', value: { author: core.state.self, subject: author, layer, score, items, epoch: core.state.epoch } })
      log.info({ peer: author, layer, score, items }, 'a head was scored')
      return true
    } catch (error) {
      if (!signal.aborted) log.warn({ peer: author, layer, error: (error as Error).message }, 'a head cannot be scored')
      return false
    }
  }

  #next(): Signed<'head'> | undefined {
    const { core } = this.#parts
    const now = monotonicNow()
    const due = receiptsDue(core.state, now)
    const known = new Set(due.map(({ value }) => value.layer))
    for (const layer of this.#since.keys()) if (!known.has(layer)) this.#since.delete(layer)
    for (const layer of known) if (!this.#since.has(layer)) this.#since.set(layer, now)
    return due.find(({ value: { layer } }) => !this.#tried.has(layer) && now - this.#since.get(layer)! >= STANDING_MS)
  }

  async #score({ value: { layer, author, seq } }: Signed<'head'>): ReturnType<HistoryCompute['score']> {
    const { core, history, content, heldOut } = this.#parts
    const lines = sampleFor(await heldOut(), beaconOf(core.state, core.state.epoch), layer)
    return history.score([{ peer: author, seq, weight: 1, content: await content(layer) }], lines)
  }
}
