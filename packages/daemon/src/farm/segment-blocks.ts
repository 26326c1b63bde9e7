import { createHash } from 'node:crypto'
import type { BlockId } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'

/** First bytes of a block that holds a segment of a text. */
const MAGIC = Buffer.from('SGST\u0001\0\0\0', 'latin1')
export const SALT_BYTES = 32

/** SHA-256 of a segment, 64 hex digits: what a lineage names. */
export function segmentDigest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Segments as blocks. Peers are served any block whose id they know, and lineage tells them the hash of each segment; so a segment's block begins with a
 * salt that only this node knows, and its id is nobody else's to ask for.
 */
export class SegmentBlocks {
  readonly #blocks: BlockStore
  readonly #head: Uint8Array

  constructor(blocks: BlockStore, salt: Uint8Array) {
    this.#blocks = blocks
    this.#head = Buffer.concat([MAGIC, salt])
  }

  put(bytes: Uint8Array): Promise<BlockId> {
    return this.#blocks.put(Buffer.concat([this.#head, bytes]))
  }

  has(id: BlockId): boolean {
    return this.#blocks.has(id)
  }

  /** @returns undefined when the block is not here. @throws StoreError BLOCK_CORRUPT */
  async get(id: BlockId): Promise<Uint8Array | undefined> {
    return (await this.#blocks.get(id))?.subarray(this.#head.length)
  }

  delete(id: BlockId): Promise<void> {
    return this.#blocks.delete(id)
  }

  async freeBytes(): Promise<number> {
    return (await this.#blocks.usage()).freeBytes
  }
}
