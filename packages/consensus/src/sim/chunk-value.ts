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
    words[2 * i + 1] = highOf(low, start + i, salt)
  }
  return values
}

/** XOR over a run. */
export function chunkXor(key: number, epoch: number, { start, count }: ChunkRun): bigint {
  const salt = mixed(key, epoch)
  let lows = 0
  let highs = 0
  for (let chunk = start; chunk < start + count; chunk++) {
    const low = mixed(salt, chunk)
    lows ^= low
    highs ^= highOf(low, chunk, salt)
  }
  return new BigUint64Array(Uint32Array.of(lows, highs).buffer)[0]!
}

/** The same for one chunk. */
export function chunkValue(key: number, epoch: number, chunk: number): bigint {
  return chunkXor(key, epoch, { start: chunk, count: 1 })
}

function highOf(low: number, chunk: number, salt: number): number {
  return Math.imul(low ^ chunk, 0x9e37_79b1) ^ salt
}
