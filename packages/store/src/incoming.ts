import { mkdir, open, readdir, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { constants } from 'node:fs'
import { join } from 'node:path'

import type { BlockId } from '@sgsd/consensus'
import { MAX_BLOCK_BYTES } from '@sgsd/wire'

import { isBlockId } from './block-id.ts'
import { requireRoom } from './disk-space.ts'
import { writeWhole } from './durable-file.ts'
import { MAX_PACKED_BYTES } from './limits.ts'
import type { BlockSink } from './port.ts'
import { pruneDirectory } from './prune.ts'
import { fromSystemError, StoreError } from './store-error.ts'
import { refusal, verifyBlock } from './verify-block.ts'

const SUFFIX = '.part'
/** Interrupted transfers kept; the oldest go first, since the next attempt at a block usually follows soon. */
const MAX_PARTIALS = 64
/** Room on the disk is asked for this many bytes ahead of what comes in. */
const ROOM_STEP_BYTES = 2 ** 20

/** Gives a whole, synced file its name. @returns false when the block came by another way meanwhile and the file is not needed */
type Place = (path: string) => Promise<boolean>

/** Blocks on their way in: `incoming/<id>.part`, kept between attempts. */
export class Incoming {
  readonly #dir: string
  readonly #sinks = new Map<string, FileSink>()

  /** Keeps the newest partial files of earlier processes. */
  static async open(dir: string): Promise<Incoming> {
    const incoming = new Incoming(join(dir, 'incoming'))
    await mkdir(incoming.#dir, { recursive: true, mode: 0o750 })
    for (const name of await readdir(incoming.#dir)) {
      const ours = name.endsWith(SUFFIX) && isBlockId(name.slice(0, -SUFFIX.length))
      if (!ours) await rm(join(incoming.#dir, name), { recursive: true, force: true })
    }
    await pruneDirectory(incoming.#dir, MAX_PARTIALS)
    return incoming
  }

  private constructor(dir: string) {
    this.#dir = dir
  }

  /** @param spare - where a second transfer of the same block goes; it starts from nothing and is not kept */
  async open(id: BlockId, spare: string, place: Place): Promise<BlockSink> {
    const partial = join(this.#dir, id + SUFFIX)
    const path = this.#sinks.has(partial) ? spare : partial
    const sink = new FileSink(id, path, path === partial, place, async () => {
      this.#sinks.delete(path)
      await pruneDirectory(this.#dir, MAX_PARTIALS, (path) => this.#sinks.has(path))
    })
    this.#sinks.set(path, sink)
    await sink.open()
    return sink
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sinks.values()].map((sink) => sink.abort()))
  }
}

/** One transfer. */
class FileSink implements BlockSink {
  readonly #id: BlockId
  readonly #path: string
  readonly #kept: boolean
  readonly #place: Place
  readonly #ended: () => Promise<void>
  #handle: FileHandle | undefined
  #finishing: Promise<Uint8Array> | undefined
  #have = 0
  #position = 0
  #roomUntil = 0

  constructor(id: BlockId, path: string, kept: boolean, place: Place, ended: () => Promise<void>) {
    this.#id = id
    this.#path = path
    this.#kept = kept
    this.#place = place
    this.#ended = ended
  }

  async open(): Promise<void> {
    try {
      this.#handle = await open(this.#path, constants.O_RDWR | constants.O_CREAT, 0o640)
      const { size } = await this.#handle.stat()
      if (size > MAX_PACKED_BYTES) await this.#handle.truncate(0)
      else this.#have = size
      this.#position = this.#have
    } catch (error) {
      const handle = this.#handle
      this.#handle = undefined
      await this.#end(handle, false)
      throw fromSystemError(error, this.#path)
    }
  }

  get have(): number {
    return this.#have
  }

  async write(piece: Uint8Array): Promise<void> {
    const handle = this.#require()
    const at = this.#position
    if (at + piece.length > MAX_PACKED_BYTES) {
      this.#handle = undefined
      await this.#end(handle, false)
      throw new StoreError('BLOCK_TOO_LARGE', { id: this.#id, limitBytes: MAX_BLOCK_BYTES })
    }
    this.#position = at + piece.length
    try {
      if (this.#position > this.#roomUntil) {
        const ahead = Math.max(piece.length, ROOM_STEP_BYTES)
        await requireRoom(this.#path, ahead)
        this.#roomUntil = at + ahead
      }
      await writeWhole(handle, piece, at)
    } catch (error) {
      // What is known to be written stays for a later attempt.
      this.#position = at
      throw fromSystemError(error, this.#path)
    }
  }

  async finish(): Promise<Uint8Array> {
    const handle = this.#require()
    // Nothing can be written or aborted from here on.
    this.#handle = undefined
    const finishing = this.#finish(handle)
    this.#finishing = finishing
    return finishing
  }

  async abort(): Promise<void> {
    const handle = this.#handle
    if (handle === undefined) {
      await this.#finishing?.catch(() => undefined)
      return
    }
    this.#handle = undefined
    await handle.truncate(this.#position).catch(() => undefined)
    await this.#end(handle, this.#keepable())
  }

  async #finish(handle: FileHandle): Promise<Uint8Array> {
    let stays = false
    try {
      const block = await verifyBlock(this.#id, await handle.readFile())
      if (block.type !== 'ok') throw refusal(this.#id, block)
      stays = this.#keepable()
      await handle.sync()
      stays = await this.#place(this.#path)
      return block.bytes
    } catch (error) {
      throw fromSystemError(error, this.#path)
    } finally {
      await this.#end(handle, stays)
    }
  }

  /** Whether what came so far is worth keeping for a later attempt. */
  #keepable(): boolean {
    return this.#kept && this.#position > 0
  }

  /** Closes; removes the file unless it is to stay (kept, or already under its block's name). */
  async #end(handle: FileHandle | undefined, stays: boolean): Promise<void> {
    await handle?.close()
    if (!stays) await rm(this.#path, { force: true })
    await this.#ended()
  }

  #require(): FileHandle {
    if (this.#handle === undefined) throw new StoreError('CLOSED', { what: `the transfer of block ${this.#id}` })
    return this.#handle
  }
}
