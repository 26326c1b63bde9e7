import { readdirSync, rmSync, mkdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import type { BigIntStats } from 'node:fs'
import { join } from 'node:path'

import type { BlockId } from '@sgsd/consensus'
import { MAX_BLOCK_BYTES } from '@sgsd/wire'

import { BlockFiles } from './block-files.ts'
import type { ReadBlock } from './block-files.ts'
import { hashBlock, isBlockId, requireBlockId } from './block-id.ts'
import { freeBytes, requireRoom } from './disk-space.ts'
import { writeNewFile } from './durable-file.ts'
import { InUse } from './in-use.ts'
import { inTurns } from './in-turns.ts'
import { Incoming } from './incoming.ts'
import { KeyQueue } from './key-queue.ts'
import type { BlockEntry, BlockSink, BlockStore, ScrubReport, SweepOptions, SweepReport } from './port.ts'
import { fromSystemError, StoreError } from './store-error.ts'
import { sweepBlocks } from './sweep.ts'
import { VerifiedBlocks } from './verified-blocks.ts'
import { pack } from './zstd.ts'

/** Piece of a block on its way to a peer, bytes. */
const READ_PIECE_BYTES = 2 ** 17
const FILE_MODE = 0o640
/** Blocks of one `putMany` that are hashed, packed and written at once: the thread pool has four threads. */
const CONCURRENT_WRITES = 4

/**
 * Blocks as files. A block appears under its name only whole and synced (temporary file → fsync → rename → fsync of the directory),
 * so a kill at any point leaves the block or nothing. Changes to one id run one after the other.
 */
export class FileBlocks implements BlockStore {
  readonly #dir: string
  readonly #temp: string
  readonly #files: BlockFiles
  readonly #incoming: Incoming
  readonly #queue = new KeyQueue()
  readonly #verified = new VerifiedBlocks()
  readonly #inUse = new InUse()
  #temps = 0
  #open = true

  /** Makes the directories and sweeps what a killed process left half-written; the caller holds the data directory's lock. */
  static async open(dir: string): Promise<FileBlocks> {
    try {
      const temp = join(dir, 'tmp')
      mkdirSync(temp, { recursive: true, mode: 0o750 })
      for (const name of readdirSync(temp)) rmSync(join(temp, name), { force: true, recursive: true })
      return new FileBlocks(dir, temp, await BlockFiles.open(dir), await Incoming.open(dir))
    } catch (error) {
      throw fromSystemError(error, dir)
    }
  }

  private constructor(dir: string, temp: string, files: BlockFiles, incoming: Incoming) {
    this.#dir = dir
    this.#temp = temp
    this.#files = files
    this.#incoming = incoming
  }

  async put(bytes: Uint8Array): Promise<BlockId> {
    const [id] = await this.putMany([bytes])
    return id!
  }

  async putMany(blocks: readonly Uint8Array[]): Promise<readonly BlockId[]> {
    this.#requireOpen()
    const ids: BlockId[] = []
    await inTurns(blocks.entries(), CONCURRENT_WRITES, async ([place, bytes]) => {
      const id = await hashBlock(bytes)
      ids[place] = id
      if (bytes.length > MAX_BLOCK_BYTES) throw new StoreError('BLOCK_TOO_LARGE', { id, limitBytes: MAX_BLOCK_BYTES })
      await this.#change(id, async () => {
        if (!(await this.#isWhole(id))) await this.#write(id, await pack(bytes))
        this.#inUse.use(id, performance.now())
      })
    })
    await this.#settle(ids)
    return ids
  }

  async get(id: BlockId): Promise<Uint8Array | undefined> {
    this.#requireOpen()
    if (!isBlockId(id)) return undefined
    // Noted before the read: a sweep that decides later spares it.
    if (this.#files.has(id)) this.#inUse.use(id, performance.now())
    const read = await this.#check(id)
    if (read?.type === 'corrupt') throw new StoreError('BLOCK_CORRUPT', { id, reason: read.reason })
    return read?.bytes
  }

  has(id: BlockId): boolean {
    return isBlockId(id) && this.#files.has(id)
  }

  async read(id: BlockId, offset: number): Promise<{ readonly size: number; readonly body: AsyncIterable<Uint8Array> } | undefined> {
    this.#requireOpen()
    if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`offset ${offset}`)
    if (!isBlockId(id)) return undefined
    const stat = await this.#files.stat(id)
    if (stat === undefined) return undefined
    if (!this.#verified.has(id, stat) && (await this.get(id)) === undefined) return undefined
    return { size: Number(stat.size), body: readPieces(this.#files.path(id), offset) }
  }

  async receive(id: BlockId): Promise<BlockSink> {
    requireBlockId(id)
    this.#requireOpen()
    return this.#incoming.open(id, this.#tempPath(id), (temp) =>
      this.#change(id, async () => {
        const isNew = !(await this.#isWhole(id))
        if (isNew) await this.#place(temp, id)
        await this.#files.settle([id])
        this.#inUse.use(id, performance.now())
        return isNew
      }),
    )
  }

  async delete(id: BlockId): Promise<void> {
    if (isBlockId(id)) await this.#deleteUnless(id, () => false)
  }

  list(): Iterable<BlockId> {
    this.#requireOpen()
    return this.#files.list()
  }

  entries(): AsyncIterable<BlockEntry> {
    this.#requireOpen()
    return this.#files.entries()
  }

  async scrub(signal?: AbortSignal, pace?: (progress: ScrubReport) => Promise<void> | void): Promise<ScrubReport> {
    const damaged: BlockId[] = []
    let report: ScrubReport = { checked: 0, bytes: 0, damaged }
    for (const id of this.list()) {
      signal?.throwIfAborted()
      const read = await this.#check(id)
      if (read === undefined) continue
      if (read.type === 'corrupt') damaged.push(id)
      report = { checked: report.checked + 1, bytes: report.bytes + Number(read.stat.size), damaged }
      await pace?.(report)
    }
    return report
  }

  lease(ids: Iterable<BlockId>): Disposable {
    return this.#inUse.lease(ids)
  }

  async sweep(live: (id: BlockId) => boolean, options: SweepOptions): Promise<SweepReport> {
    const deleteUnless = (id: BlockId, stays: () => boolean): Promise<boolean> => this.#deleteUnless(id, stays)
    return sweepBlocks({ entries: () => this.entries(), deleteUnless }, this.#inUse, live, options)
  }

  async usage(): Promise<{ readonly blocks: number; readonly bytes: number; readonly freeBytes: number }> {
    this.#requireOpen()
    return { ...(await this.#files.usage()), freeBytes: await freeBytes(this.#dir) }
  }

  /** Lets running changes end; transfers under way are kept for later. */
  async close(): Promise<void> {
    this.#open = false
    await this.#incoming.close()
    await this.#queue.idle()
  }

  /** Reads and hashes a block; a damaged one is set aside. @returns undefined when it is not here */
  async #check(id: BlockId): Promise<ReadBlock | undefined> {
    this.#requireOpen()
    try {
      const read = await this.#files.read(id)
      if (read?.type === 'ok') this.#verified.add(id, read.stat)
      if (read?.type === 'corrupt') await this.#queue.run(id, () => this.#setAside(id, read.stat))
      return read
    } catch (error) {
      throw fromSystemError(error, this.#files.path(id))
    }
  }

  /** Whether the block is here and whole. One not seen in this process is read; a damaged one is set aside and counts as missing. */
  async #isWhole(id: BlockId): Promise<boolean> {
    const stat = await this.#files.stat(id)
    if (stat === undefined) return false
    if (this.#verified.has(id, stat)) return true
    const read = await this.#files.read(id)
    if (read?.type === 'ok') this.#verified.add(id, read.stat)
    if (read?.type === 'corrupt') await this.#setAside(id, read.stat)
    return read?.type === 'ok'
  }

  async #write(id: BlockId, packed: Uint8Array): Promise<void> {
    await requireRoom(this.#dir, packed.length)
    const temp = this.#tempPath(id)
    try {
      await writeNewFile(temp, packed, FILE_MODE)
      await this.#place(temp, id)
    } catch (error) {
      await rm(temp, { force: true }).catch(() => undefined)
      throw error
    }
  }

  async #settle(ids: readonly BlockId[]): Promise<void> {
    try {
      await this.#files.settle(ids)
    } catch (error) {
      throw fromSystemError(error, this.#dir)
    }
  }

  async #deleteUnless(id: BlockId, stays: () => boolean): Promise<boolean> {
    return this.#change(id, async () => {
      if (stays()) return false
      this.#verified.forget(id)
      await this.#files.remove(id)
      return true
    })
  }

  async #place(temp: string, id: BlockId): Promise<void> {
    await this.#files.place(temp, id)
    const stat = await this.#files.stat(id)
    if (stat !== undefined) this.#verified.add(id, stat)
  }

  async #setAside(id: BlockId, seen: BigIntStats): Promise<void> {
    this.#verified.forget(id)
    await this.#files.quarantine(id, seen)
  }

  async #change<T>(id: BlockId, task: () => Promise<T>): Promise<T> {
    this.#requireOpen()
    try {
      return await this.#queue.run(id, task)
    } catch (error) {
      throw fromSystemError(error, this.#files.path(id))
    }
  }

  #tempPath(id: BlockId): string {
    this.#temps += 1
    return join(this.#temp, `${id}.${this.#temps}`)
  }

  #requireOpen(): void {
    if (!this.#open) throw new StoreError('CLOSED', { what: 'the store' })
  }
}

/** The file's bytes from `offset` on. Opened with the first piece, so that a body nobody reads holds nothing. */
async function* readPieces(path: string, offset: number): AsyncGenerator<Uint8Array> {
  try {
    await using handle = await open(path, 'r')
    for (let at = offset; ;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ_PIECE_BYTES), 0, READ_PIECE_BYTES, at)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
      at += bytesRead
    }
  } catch (error) {
    throw fromSystemError(error, path)
  }
}
