import { readdirSync, rmSync, mkdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import type { BigIntStats } from 'node:fs'
import { join } from 'node:path'

import type { BlockId } from '@sgsd/consensus'
import { MAX_BLOCK_BYTES } from '@sgsd/wire'

import { BlockFiles } from './block-files.ts'
import { hashBlock, isBlockId, requireBlockId } from './block-id.ts'
import { freeBytes, requireRoom } from './disk-space.ts'
import { writeNewFile } from './durable-file.ts'
import { Incoming } from './incoming.ts'
import { KeyQueue } from './key-queue.ts'
import type { BlockSink, BlockStore, ScrubReport } from './port.ts'
import { fromSystemError, StoreError } from './store-error.ts'
import { VerifiedBlocks } from './verified-blocks.ts'
import { pack } from './zstd.ts'

/** Piece of a block on its way to a peer, bytes. */
const READ_PIECE_BYTES = 2 ** 17
const FILE_MODE = 0o640

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
    const id = await hashBlock(bytes)
    if (bytes.length > MAX_BLOCK_BYTES) throw new StoreError('BLOCK_TOO_LARGE', { id, limitBytes: MAX_BLOCK_BYTES })
    return this.#change(id, async () => {
      if (await this.#isHere(id)) return id
      const packed = await pack(bytes)
      await requireRoom(this.#dir, packed.length)
      const temp = this.#tempPath(id)
      try {
        await writeNewFile(temp, packed, FILE_MODE)
        await this.#place(temp, id)
      } catch (error) {
        await rm(temp, { force: true }).catch(() => undefined)
        throw error
      }
      return id
    })
  }

  async get(id: BlockId): Promise<Uint8Array | undefined> {
    this.#requireOpen()
    if (!isBlockId(id)) return undefined
    try {
      const read = await this.#files.read(id)
      if (read === undefined) return undefined
      if (read.type === 'ok') {
        this.#verified.add(id, read.stat)
        return read.bytes
      }
      await this.#queue.run(id, () => this.#setAside(id, read.stat))
      throw new StoreError('BLOCK_CORRUPT', { id, reason: read.reason })
    } catch (error) {
      throw fromSystemError(error, this.#files.path(id))
    }
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
        if (await this.#isHere(id)) return false
        await this.#place(temp, id)
        return true
      }),
    )
  }

  async delete(id: BlockId): Promise<void> {
    if (!isBlockId(id)) return
    await this.#change(id, async () => {
      this.#verified.forget(id)
      await this.#files.remove(id)
    })
  }

  list(): Iterable<BlockId> {
    this.#requireOpen()
    return this.#files.list()
  }

  async scrub(signal?: AbortSignal): Promise<ScrubReport> {
    let checked = 0
    const damaged: BlockId[] = []
    for (const id of this.list()) {
      signal?.throwIfAborted()
      checked += 1
      try {
        await this.get(id)
      } catch (error) {
        if (!(error instanceof StoreError && error.code === 'BLOCK_CORRUPT')) throw error
        damaged.push(id)
      }
    }
    return { checked, damaged }
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

  /** Whether the block is here, whole and durable. One not seen in this process is read; a damaged one is set aside and counts as missing. */
  async #isHere(id: BlockId): Promise<boolean> {
    const stat = await this.#files.stat(id)
    if (stat === undefined) return false
    if (!this.#verified.has(id, stat)) {
      const read = await this.#files.read(id)
      if (read === undefined) return false
      if (read.type === 'corrupt') {
        await this.#setAside(id, read.stat)
        return false
      }
      this.#verified.add(id, read.stat)
    }
    await this.#files.settle(id)
    return true
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
