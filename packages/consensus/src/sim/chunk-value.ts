import type { ChunkRun } from '../items.ts'
import { mixed } from './chance.ts'

/** Stands for the colours: a fixed u64 for every chunk of every epoch, so that recomputing one costs nothing. */
export function chunkValues(key: number, epoch: number, { start, count }: ChunkRun): BigUint64Array {
  const values = new BigUint64Array(count)
  const words = new Uint32Array(values.buffer)
  const salt = mixed(key, epoch)
  for (let i = 0; i < count; i++) {
    const low = mixed(salt, start + i)
    words[2 * i] = low
    words[2 * i + 1] = Math.imul(low ^ (start + i), 0x9e37_79b1) ^ salt
  }
  return values
}

/** The same for one chunk. */
export function chunkValue(key: number, epoch: number, chunk: number): bigint {
  return chunkValues(key, epoch, { start: chunk, count: 1 })[0]!
}
