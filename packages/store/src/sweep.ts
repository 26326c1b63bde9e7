import type { BlockId } from '@sgsd/consensus'

import type { InUse } from './in-use.ts'
import type { BlockEntry, BlockSum, SweepOptions, SweepReport } from './port.ts'

/** The two things that a sweep needs of a store. */
export interface Swept {
  entries(): AsyncIterable<BlockEntry>
  /** Deletes the block unless `stays` says so at the last moment, when no other change of it is under way. @returns whether it went */
  deleteUnless(id: BlockId, stays: () => boolean): Promise<boolean>
}

/** One pass over all blocks; the rules are those of `BlockStore.sweep`. */
export async function sweepBlocks(store: Swept, inUse: InUse, live: (id: BlockId) => boolean, options: SweepOptions): Promise<SweepReport> {
  const { writtenBefore, unusedSince, dryRun = false, signal } = options
  const sums = { live: new Sum(), freed: new Sum(), spared: new Sum() }
  for await (const entry of store.entries()) {
    signal?.throwIfAborted()
    if (live(entry.id)) {
      sums.live.add(entry)
      continue
    }
    const inHand = (): boolean => inUse.has(entry.id, unusedSince)
    const goes = entry.writtenMs < writtenBefore && !inHand() && (dryRun || (await store.deleteUnless(entry.id, inHand)))
    sums[goes ? 'freed' : 'spared'].add(entry)
  }
  return { live: sums.live.sum, freed: sums.freed.sum, spared: sums.spared.sum }
}

class Sum {
  #blocks = 0
  #bytes = 0

  add({ bytes }: BlockEntry): void {
    this.#blocks += 1
    this.#bytes += bytes
  }

  get sum(): BlockSum {
    return { blocks: this.#blocks, bytes: this.#bytes }
  }
}
