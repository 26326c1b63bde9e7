import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import type { BigIntStats } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { BlockId } from '@sgsd/consensus'

import { isBlockId } from './block-id.ts'
import { syncDirectory } from './durable-file.ts'
import { inTurns } from './in-turns.ts'
import { MAX_PACKED_BYTES } from './limits.ts'
import type { BlockEntry, BlockSum } from './port.ts'
import { pruneDirectory } from './prune.ts'
import { systemCode } from './store-error.ts'
import { verifyBlock } from './verify-block.ts'

const SUFFIX = '.zst'
/** Damaged files kept for a look; the oldest go first. */
const MAX_QUARANTINED = 256
const DIR_MODE = 0o750
/** Directories synced at once: the thread pool has four threads. */
const CONCURRENT_SYNCS = 4

/** A block as it was read: its bytes, or why they are not the block. */
export type ReadBlock =
  | { readonly type: 'ok'; readonly bytes: Uint8Array; readonly stat: BigIntStats }
  | { readonly type: 'corrupt'; readonly reason: string; readonly stat: BigIntStats }

/**
 * The files of a block directory: `blocks/ab/<64 hex>.zst`, the first two digits choosing one of 256 shards. Knows names and
 * durability, not who may change what when: `FileBlocks` orders the calls on one id.
 */
export class BlockFiles {
  readonly #blocks: string
  readonly #quarantine: string
  /** Shards that exist durably. */
  readonly #shards = new Set<string>()
  /** Shard → renames into it so far in this process. */
  readonly #renames = new Map<string, number>()
  /** Shard → how many of its renames, and all before this process, are known to be durable. */
  readonly #settled = new Map<string, number>()
  /** Shard → what it holds; dropped when the shard changes. */
  readonly #usage = new Map<string, BlockSum>()

  static async open(dir: string): Promise<BlockFiles> {
    const files = new BlockFiles(dir)
    for (const path of [files.#blocks, files.#quarantine]) mkdirSync(path, { recursive: true, mode: DIR_MODE })
    // Whatever an earlier process made and did not live to sync.
    await syncDirectory(files.#blocks)
    await syncDirectory(dir)
    for (const shard of shardsIn(files.#blocks)) files.#shards.add(shard)
    return files
  }

  private constructor(dir: string) {
    this.#blocks = join(dir, 'blocks')
    this.#quarantine = join(dir, 'quarantine')
  }

  path(id: BlockId): string {
    return join(this.#blocks, shardOf(id), id + SUFFIX)
  }

  has(id: BlockId): boolean {
    return existsSync(this.path(id))
  }

  /** @returns undefined when there is no such file */
  async stat(id: BlockId): Promise<BigIntStats | undefined> {
    return stat(this.path(id), { bigint: true }).catch(undefinedIfMissing)
  }

  /** Reads, decompresses and hashes. @returns undefined when there is no such file */
  async read(id: BlockId): Promise<ReadBlock | undefined> {
    const handle = await open(this.path(id), 'r').catch(undefinedIfMissing)
    if (handle === undefined) return undefined
    try {
      const stat = await handle.stat({ bigint: true })
      if (stat.size > MAX_PACKED_BYTES) return { type: 'corrupt', reason: `${stat.size} compressed bytes`, stat }
      const block = await verifyBlock(id, await handle.readFile())
      if (block.type === 'ok') return { ...block, stat }
      return { type: 'corrupt', reason: block.type === 'corrupt' ? block.reason : 'too large', stat }
    } finally {
      await handle.close()
    }
  }

  /** Gives a synced file its name; `settle` makes that durable. */
  async place(temp: string, id: BlockId): Promise<void> {
    const shard = shardOf(id)
    await this.#makeShard(shard)
    await rename(temp, this.path(id))
    this.#renames.set(shard, (this.#renames.get(shard) ?? 0) + 1)
    this.#usage.delete(shard)
  }

  /** Makes sure that the names of blocks that are here survive a power loss; costs nothing where that is done. */
  async settle(ids: Iterable<BlockId>): Promise<void> {
    await inTurns(new Set(Array.from(ids, shardOf)), CONCURRENT_SYNCS, async (shard) => {
      // Renames that end while the directory is being synced may or may not be covered: they count as not.
      const renames = this.#renames.get(shard) ?? 0
      if ((this.#settled.get(shard) ?? -1) >= renames) return
      await syncDirectory(join(this.#blocks, shard))
      this.#settled.set(shard, Math.max(renames, this.#settled.get(shard) ?? 0))
    })
  }

  /** Moves the damaged file that `seen` describes out of the way; a file that took its place meanwhile stays. */
  async quarantine(id: BlockId, seen: BigIntStats): Promise<void> {
    const now = await this.stat(id)
    if (now === undefined || now.ino !== seen.ino) return
    await rename(this.path(id), join(this.#quarantine, id + SUFFIX)).catch(undefinedIfMissing)
    this.#usage.delete(shardOf(id))
    await pruneDirectory(this.#quarantine, MAX_QUARANTINED)
  }

  /** Not synced: a block that comes back after a power loss does no harm. */
  async remove(id: BlockId): Promise<void> {
    await rm(this.path(id), { force: true })
    this.#usage.delete(shardOf(id))
  }

  *list(): Generator<BlockId> {
    for (const shard of shardsIn(this.#blocks)) yield* idsIn(shard, readdirSync(join(this.#blocks, shard)))
  }

  /** Reads one shard per turn of the event loop. */
  async *entries(): AsyncGenerator<BlockEntry> {
    for (const shard of shardsIn(this.#blocks)) {
      await nextTurn()
      yield* this.#entriesOf(shard)
    }
  }

  /** Reads the shards that changed since the last call, one per turn of the event loop. */
  async usage(): Promise<BlockSum> {
    let blocks = 0
    let bytes = 0
    for (const shard of shardsIn(this.#blocks)) {
      let held = this.#usage.get(shard)
      if (held === undefined) {
        await nextTurn()
        held = this.#readUsage(shard)
        this.#usage.set(shard, held)
      }
      blocks += held.blocks
      bytes += held.bytes
    }
    return { blocks, bytes }
  }

  async #makeShard(shard: string): Promise<void> {
    if (this.#shards.has(shard)) return
    mkdirSync(join(this.#blocks, shard), { recursive: true, mode: DIR_MODE })
    await syncDirectory(this.#blocks)
    this.#shards.add(shard)
  }

  /** In one turn, so that no change can end between the look and the note: a rename that it missed drops the note afterwards. */
  #readUsage(shard: string): BlockSum {
    const entries = this.#entriesOf(shard)
    return { blocks: entries.length, bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0) }
  }

  #entriesOf(shard: string): BlockEntry[] {
    const dir = join(this.#blocks, shard)
    return idsIn(shard, readdirSync(dir)).flatMap((id) => {
      const stat = statSync(join(dir, id + SUFFIX), { throwIfNoEntry: false })
      return stat === undefined ? [] : [{ id, bytes: stat.size, writtenMs: stat.mtimeMs }]
    })
  }
}

function shardOf(id: BlockId): string {
  return id.slice(0, 2)
}

function shardsIn(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .sort()
}

/** The block ids among file names; whatever else lies in the directory is not ours. */
function idsIn(shard: string, names: readonly string[]): BlockId[] {
  return names
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .filter((id) => isBlockId(id))
    .filter((id) => id.startsWith(shard))
    .sort()
}

function undefinedIfMissing(error: unknown): undefined {
  if (systemCode(error) === 'ENOENT') return undefined
  throw error
}
