import type { BlockId, ItemId, ItemKind } from '@sgsd/consensus'
import { MAX_BLOCK_BYTES } from '@sgsd/wire'

import { hashBlock, requireBlockId } from './block-id.ts'
import { InUse } from './in-use.ts'
import { MAX_PACKED_BYTES } from './limits.ts'
import type { BlockEntry, BlockSink, BlockStore, ItemStore, Note, ScrubReport, Store, StoredItem, SweepOptions, SweepReport } from './port.ts'
import { StoreError } from './store-error.ts'
import { sweepBlocks } from './sweep.ts'
import { refusal, verifyBlock } from './verify-block.ts'
import { pack } from './zstd.ts'

/** What outlives a memory store: hand the same disk to the next one to reopen it, change a block's bytes to damage it. */
export interface MemoryDisk {
  /** Compressed blocks. */
  readonly blocks: Map<BlockId, Uint8Array>
  /** Compressed bytes of interrupted transfers. */
  readonly partials: Map<BlockId, Uint8Array>
  /** By kind and key. */
  items: Map<string, StoredItem>
  notes: Map<string, Note & { readonly kind: string }>
  values: Map<string, Uint8Array>
}

export function createMemoryDisk(): MemoryDisk {
  return { blocks: new Map(), partials: new Map(), items: new Map(), notes: new Map(), values: new Map() }
}

/** The store's twin without files, for tests and simulations: same contract, same errors, nothing survives but the disk object. */
export async function openMemoryStore(disk: MemoryDisk = createMemoryDisk()): Promise<Store> {
  const life: Life = { open: true, transfers: new Set() }
  const close = async (): Promise<void> => {
    life.open = false
    for (const sink of life.transfers) await sink.abort()
  }
  return { blocks: new MemoryBlocks(disk, life), items: new MemoryItems(disk, life), close, [Symbol.asyncDispose]: close }
}

interface Life {
  open: boolean
  /** Transfers under way; the first of a block owns its partial bytes. */
  readonly transfers: Set<MemorySink>
}

class MemoryBlocks implements BlockStore {
  readonly #disk: MemoryDisk
  readonly #life: Life
  readonly #inUse = new InUse()
  /** When blocks were written, wall clock; those of earlier stores are as old as can be. */
  readonly #written = new Map<BlockId, number>()

  constructor(disk: MemoryDisk, life: Life) {
    this.#disk = disk
    this.#life = life
  }

  async put(bytes: Uint8Array): Promise<BlockId> {
    requireOpen(this.#life)
    const id = await hashBlock(bytes)
    if (bytes.length > MAX_BLOCK_BYTES) throw new StoreError('BLOCK_TOO_LARGE', { id, limitBytes: MAX_BLOCK_BYTES })
    const packed = await pack(bytes)
    await this.#place(id, packed)
    return id
  }

  async putMany(blocks: readonly Uint8Array[]): Promise<readonly BlockId[]> {
    const ids: BlockId[] = []
    for (const bytes of blocks) ids.push(await this.put(bytes))
    return ids
  }

  async get(id: BlockId): Promise<Uint8Array | undefined> {
    requireOpen(this.#life)
    const packed = this.#disk.blocks.get(id)
    if (packed === undefined) return undefined
    this.#inUse.use(id, performance.now())
    const block = await verifyBlock(id, packed)
    if (block.type === 'ok') return block.bytes
    if (this.#disk.blocks.get(id) === packed) this.#disk.blocks.delete(id)
    throw new StoreError('BLOCK_CORRUPT', { id, reason: block.type === 'corrupt' ? block.reason : 'too large' })
  }

  has(id: BlockId): boolean {
    return this.#disk.blocks.has(id)
  }

  async read(id: BlockId, offset: number): Promise<{ readonly size: number; readonly body: AsyncIterable<Uint8Array> } | undefined> {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`offset ${offset}`)
    if ((await this.get(id)) === undefined) return undefined
    const packed = this.#disk.blocks.get(id)!
    return { size: packed.length, body: pieces(packed.subarray(offset)) }
  }

  async receive(id: BlockId): Promise<BlockSink> {
    requireBlockId(id)
    requireOpen(this.#life)
    const kept = ![...this.#life.transfers].some((sink) => sink.id === id && sink.kept)
    const partial = (kept ? this.#disk.partials.get(id) : undefined) ?? new Uint8Array()
    const sink = new MemorySink(id, kept, partial, {
      place: async (packed) => {
        requireOpen(this.#life)
        await this.#place(id, packed)
      },
      end: (partial) => {
        this.#life.transfers.delete(sink)
        if (!kept) return
        if (partial.length > 0) this.#disk.partials.set(id, partial)
        else this.#disk.partials.delete(id)
      },
    })
    this.#life.transfers.add(sink)
    return sink
  }

  async delete(id: BlockId): Promise<void> {
    requireOpen(this.#life)
    this.#disk.blocks.delete(id)
  }

  list(): Iterable<BlockId> {
    requireOpen(this.#life)
    return [...this.#disk.blocks.keys()].sort()
  }

  async *entries(): AsyncGenerator<BlockEntry> {
    for (const id of this.list()) {
      const bytes = this.#disk.blocks.get(id)?.length
      if (bytes !== undefined) yield { id, bytes, writtenMs: this.#written.get(id) ?? 0 }
    }
  }

  async scrub(signal?: AbortSignal, pace?: (progress: ScrubReport) => Promise<void> | void): Promise<ScrubReport> {
    const damaged: BlockId[] = []
    let report: ScrubReport = { checked: 0, bytes: 0, damaged }
    for (const id of this.list()) {
      signal?.throwIfAborted()
      const packed = this.#disk.blocks.get(id)
      if (packed === undefined) continue
      const block = await verifyBlock(id, packed)
      if (block.type !== 'ok') {
        if (this.#disk.blocks.get(id) === packed) this.#disk.blocks.delete(id)
        damaged.push(id)
      }
      report = { checked: report.checked + 1, bytes: report.bytes + packed.length, damaged }
      await pace?.(report)
    }
    return report
  }

  lease(ids: Iterable<BlockId>): Disposable {
    return this.#inUse.lease(ids)
  }

  async sweep(live: (id: BlockId) => boolean, options: SweepOptions): Promise<SweepReport> {
    const deleteUnless = async (id: BlockId, stays: () => boolean): Promise<boolean> => !stays() && this.#disk.blocks.delete(id)
    return sweepBlocks({ entries: () => this.entries(), deleteUnless }, this.#inUse, live, options)
  }

  async usage(): Promise<{ readonly blocks: number; readonly bytes: number; readonly freeBytes: number }> {
    requireOpen(this.#life)
    const bytes = [...this.#disk.blocks.values()].reduce((sum, packed) => sum + packed.length, 0)
    return { blocks: this.#disk.blocks.size, bytes, freeBytes: Number.MAX_SAFE_INTEGER }
  }

  /** Writes the block unless it is here whole. */
  async #place(id: BlockId, packed: Uint8Array): Promise<void> {
    const here = this.#disk.blocks.get(id)
    this.#inUse.use(id, performance.now())
    if (here !== undefined && (await verifyBlock(id, here)).type === 'ok' && this.#disk.blocks.has(id)) return
    this.#disk.blocks.set(id, packed)
    this.#written.set(id, Date.now())
  }
}

interface SinkEnds {
  place(packed: Uint8Array): Promise<void>
  /** @param partial - bytes worth keeping; none after a success or a refusal */
  end(partial: Uint8Array): void
}

class MemorySink implements BlockSink {
  readonly id: BlockId
  readonly kept: boolean
  readonly have: number
  readonly #ends: SinkEnds
  #bytes: Uint8Array
  #open = true

  constructor(id: BlockId, kept: boolean, partial: Uint8Array, ends: SinkEnds) {
    this.id = id
    this.kept = kept
    this.have = partial.length
    this.#bytes = partial
    this.#ends = ends
  }

  async write(piece: Uint8Array): Promise<void> {
    this.#require()
    if (this.#bytes.length + piece.length > MAX_PACKED_BYTES) {
      this.#end(new Uint8Array())
      throw new StoreError('BLOCK_TOO_LARGE', { id: this.id, limitBytes: MAX_BLOCK_BYTES })
    }
    this.#bytes = new Uint8Array(Buffer.concat([this.#bytes, piece]))
  }

  async finish(): Promise<Uint8Array> {
    this.#require()
    this.#open = false
    let partial = new Uint8Array()
    try {
      const block = await verifyBlock(this.id, this.#bytes)
      if (block.type !== 'ok') throw refusal(this.id, block)
      partial = new Uint8Array(this.#bytes)
      await this.#ends.place(this.#bytes)
      partial = new Uint8Array()
      return block.bytes
    } finally {
      this.#ends.end(partial)
    }
  }

  async abort(): Promise<void> {
    if (this.#open) this.#end(this.#bytes)
  }

  #end(partial: Uint8Array): void {
    this.#open = false
    this.#ends.end(partial)
  }

  #require(): void {
    if (!this.#open) throw new StoreError('CLOSED', { what: `the transfer of block ${this.id}` })
  }
}

class MemoryItems implements ItemStore {
  readonly #disk: MemoryDisk
  readonly #life: Life
  #inBatch = false

  constructor(disk: MemoryDisk, life: Life) {
    this.#disk = disk
    this.#life = life
  }

  items(): Iterable<StoredItem> {
    requireOpen(this.#life)
    return [...this.#disk.items.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => copied(item))
  }

  put(item: StoredItem): void {
    requireOpen(this.#life)
    this.#disk.items.set(placeOf(item.kind, item.key), copied(item))
  }

  delete(kind: ItemKind, key: string, id: ItemId): void {
    requireOpen(this.#life)
    const place = placeOf(kind, key)
    if (this.#disk.items.get(place)?.id === id) this.#disk.items.delete(place)
  }

  notes(kind: string): Iterable<Note> {
    requireOpen(this.#life)
    return [...this.#disk.notes.values()]
      .filter((note) => note.kind === kind)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ key, bytes }) => ({ key, bytes: bytes.slice() }))
  }

  setNote(kind: string, key: string, bytes: Uint8Array): void {
    requireOpen(this.#life)
    this.#disk.notes.set(`${kind}\0${key}`, { kind, key, bytes: new Uint8Array(bytes) })
  }

  deleteNote(kind: string, key: string): boolean {
    requireOpen(this.#life)
    return this.#disk.notes.delete(`${kind}\0${key}`)
  }

  getValue(name: string): Uint8Array | undefined {
    requireOpen(this.#life)
    return this.#disk.values.get(name)?.slice()
  }

  setValue(name: string, value: Uint8Array): void {
    requireOpen(this.#life)
    this.#disk.values.set(name, new Uint8Array(value))
  }

  batch<T>(work: () => T): T {
    requireOpen(this.#life)
    if (this.#inBatch) return work()
    this.#inBatch = true
    const before = { items: new Map(this.#disk.items), notes: new Map(this.#disk.notes), values: new Map(this.#disk.values) }
    try {
      return work()
    } catch (error) {
      this.#disk.items = before.items
      this.#disk.notes = before.notes
      this.#disk.values = before.values
      throw error
    } finally {
      this.#inBatch = false
    }
  }
}

async function* pieces(packed: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < packed.length; at += 2 ** 17) yield packed.slice(at, at + 2 ** 17)
}

function placeOf(kind: ItemKind, key: string): string {
  return `${kind}\0${key}`
}

function copied(item: StoredItem): StoredItem {
  return { kind: item.kind, key: item.key, id: item.id, bytes: new Uint8Array(item.bytes) }
}

function requireOpen(life: Life): void {
  if (!life.open) throw new StoreError('CLOSED', { what: 'the store' })
}
