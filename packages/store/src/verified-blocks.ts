import type { BigIntStats } from 'node:fs'

import type { BlockId } from '@sgsd/consensus'

/** Remembered at most; the oldest is forgotten first and then checked again when it is next served. About 20 MB when full. */
const MAX_REMEMBERED = 100_000

/** Which files hashed right in this process. A file that was replaced or written to since (inode, size, times) counts as unseen. */
export class VerifiedBlocks {
  readonly #stamps = new Map<BlockId, string>()

  add(id: BlockId, stat: BigIntStats): void {
    this.#stamps.set(id, stampOf(stat))
    if (this.#stamps.size > MAX_REMEMBERED) this.#stamps.delete(this.#stamps.keys().next().value!)
  }

  has(id: BlockId, stat: BigIntStats): boolean {
    return this.#stamps.get(id) === stampOf(stat)
  }

  forget(id: BlockId): void {
    this.#stamps.delete(id)
  }
}

/** Changes whenever the file's content is replaced or written through the system. */
function stampOf(stat: BigIntStats): string {
  return `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`
}
