import { setTimeout as wait } from 'node:timers/promises'
import type { BlockId, PeerName } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import type { DamagedBlock, StoreGcDocument, StoreProgress, StoreScrubDocument, StoreUsageDocument } from './documents.ts'
import { LayerCards } from './layer-cards.ts'
import { type Mark, markBlocks, type Marks } from './mark.ts'
import type { Pins } from './pins.ts'
import type { RootSource } from './roots.ts'
import { otherFiles, usageOfBlocks } from './usage.ts'

/** Blocks fetched at once. */
const CONCURRENT_FETCHES = 4

export interface CareParts {
  readonly blocks: BlockStore
  readonly self: PeerName
  /** The data directory. */
  readonly root: string
  readonly pins: Pins
  readonly sources: readonly RootSource[]
  /** Blocks younger than this are not deleted, ms. */
  readonly graceMs: number
  /** No part of this process takes longer from putting a block to naming it, ms: blocks used so lately are never deleted. */
  readonly namingMs: number
  /** Brings a block back from a peer; undefined where no daemon runs. @throws when none has it */
  readonly fetch: ((id: BlockId, prefer: PeerName) => Promise<unknown>) | undefined
}

export interface JobOptions {
  readonly signal?: AbortSignal | undefined
  readonly report?: ((progress: StoreProgress) => void) | undefined
}

/** Looks after the blocks of a data directory: what takes the space, what may go, what is damaged. Every job may run beside everything else. */
export class StoreCare {
  readonly #parts: CareParts
  readonly #cards: LayerCards
  readonly #sources: RootSource[]

  constructor(parts: CareParts) {
    this.#parts = parts
    this.#cards = new LayerCards(parts.blocks)
    this.#sources = [parts.pins.roots, ...parts.sources]
  }

  /** Keeps what another part of the node names. */
  addRoots(source: RootSource): void {
    this.#sources.push(source)
  }

  async usage({ signal, report }: JobOptions = {}): Promise<StoreUsageDocument> {
    const { blocks, root, pins } = this.#parts
    report?.({ event: 'progress', doing: 'looking', done: 0, total: undefined, bytes: 0, damaged: 0 })
    const marks = await this.#mark(signal)
    const { kinds, total, layerBytes } = await usageOfBlocks(blocks, marks, signal)
    const layers = { ...marks.layers, pinned: pins.list().length, ...layerBytes }
    const { freeBytes } = await blocks.usage()
    return { schema: 'sgsd.store-du/1', by: this.#by, kinds, total, layers, files: otherFiles(root), missing: marks.missing.size, freeBytes }
  }

  /** Deletes what no root leads to, except what is young or in use. @param graceMs - instead of the usual one */
  async collect({
    signal,
    report,
    dryRun = false,
    graceMs = this.#parts.graceMs,
  }: JobOptions & { dryRun?: boolean; graceMs?: number | undefined } = {}): Promise<StoreGcDocument> {
    const { blocks } = this.#parts
    const from = performance.now()
    // From before the look at the roots: what is named after it was used at most `namingMs` before.
    const young = { writtenBefore: graceMs === 0 ? Infinity : Date.now() - graceMs, unusedSince: from - Math.max(graceMs, this.#parts.namingMs) }
    report?.({ event: 'progress', doing: 'looking', done: 0, total: undefined, bytes: 0, damaged: 0 })
    const marks = await this.#mark(signal)
    const held = heldBy(marks)
    const options = { ...young, dryRun: dryRun || held !== '', ...(signal === undefined ? {} : { signal }) }
    const swept = await blocks.sweep((id) => marks.blocks.has(id), options)
    const none = { blocks: 0, bytes: 0 }
    return {
      schema: 'sgsd.store-gc/1',
      by: this.#by,
      dryRun,
      freed: held === '' ? swept.freed : none,
      spared: held === '' ? swept.spared : { blocks: swept.spared.blocks + swept.freed.blocks, bytes: swept.spared.bytes + swept.freed.bytes },
      kept: swept.live,
      graceMs,
      held,
      ms: Math.round(performance.now() - from),
      freeBytes: (await blocks.usage()).freeBytes,
    }
  }

  /**
   * Reads and hashes every block; damaged ones are set aside, and those that something needs are fetched again.
   * @param bytesPerSecond - reads no faster than this; 0: as fast as it goes
   */
  async scrub({ signal, report, bytesPerSecond = 0 }: JobOptions & { bytesPerSecond?: number } = {}): Promise<StoreScrubDocument> {
    const { blocks } = this.#parts
    const from = performance.now()
    const { blocks: total } = await blocks.usage()
    const { checked, bytes, damaged } = await blocks.scrub(signal, async (progress) => {
      report?.({ event: 'progress', doing: 'reading', done: progress.checked, total, bytes: progress.bytes, damaged: progress.damaged.length })
      const due = bytesPerSecond === 0 ? 0 : (1_000 * progress.bytes) / bytesPerSecond - (performance.now() - from)
      // Timers shorter than this are not worth it; what is ahead is waited for later.
      if (due >= 5) await wait(due, undefined, signal === undefined ? {} : { signal })
    })
    const marks = await this.#mark(signal)
    const wanted = new Map(marks.missing)
    for (const id of damaged) {
      const mark = marks.blocks.get(id)
      if (mark !== undefined) wanted.set(id, mark)
    }
    const fetched = await this.#fetchAll(wanted, { signal, report })
    const others = [...wanted.keys()].filter((id) => !damaged.includes(id))
    return {
      schema: 'sgsd.store-scrub/1',
      by: this.#by,
      checked,
      bytes,
      ms: Math.round(performance.now() - from),
      damaged: damaged.map((id): DamagedBlock => {
        const kind = marks.blocks.get(id)?.kind ?? 'unreferenced'
        const repair = kind === 'unreferenced' ? 'not needed' : this.#parts.fetch === undefined ? 'later' : fetched.has(id) ? 'fetched' : 'lost'
        return { id, kind, repair }
      }),
      missing: { blocks: others.length, fetched: others.filter((id) => fetched.has(id)).length },
    }
  }

  /** Fetches what kept layers lack. @returns how many blocks are missing, and how many of them came */
  async repair({ signal, report }: JobOptions = {}): Promise<{ readonly missing: number; readonly fetched: number }> {
    const { missing } = await this.#mark(signal)
    return { missing: missing.size, fetched: (await this.#fetchAll(missing, { signal, report })).size }
  }

  #mark(signal: AbortSignal | undefined): Promise<Marks> {
    const { blocks, self } = this.#parts
    return markBlocks(blocks, this.#cards, this.#sources, self, signal)
  }

  get #by(): 'daemon' | 'command' {
    return this.#parts.fetch === undefined ? 'command' : 'daemon'
  }

  /** @returns those that came. A manifest that came names blocks that may be missing too: the next look finds them. */
  async #fetchAll(wanted: ReadonlyMap<BlockId, Mark>, { signal, report }: JobOptions): Promise<ReadonlySet<BlockId>> {
    const { fetch } = this.#parts
    const fetched = new Set<BlockId>()
    if (fetch === undefined) return fetched
    const left = wanted.entries()
    let done = 0
    const worker = async (): Promise<void> => {
      for (const [id, { author }] of left) {
        signal?.throwIfAborted()
        await fetch(id, author).then(
          () => fetched.add(id),
          () => {},
        )
        done += 1
        report?.({ event: 'progress', doing: 'fetching', done, total: wanted.size, bytes: 0, damaged: 0 })
      }
    }
    await Promise.all(Array.from({ length: CONCURRENT_FETCHES }, worker))
    return fetched
  }
}

function heldBy({ unsure }: Marks): string {
  if (unsure.length === 0) return ''
  const [first] = unsure
  return `the manifest of layer ${first!.slice(0, 16)}… is not here, so nobody can say what it names; peers are asked for it`
}
