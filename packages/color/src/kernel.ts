import { spi64 } from './spi64.ts'
import { turbo32 } from './turbo32.ts'

/** Name of a colour kernel: a pure function (seed, index) → colour. `spi64` yields u64, `turbo32` u32. */
export type ColourKernelId = 'spi64' | 'turbo32'

/** Consecutive indices in a chunk, the unit of claims and audits. */
export const CHUNK_COLOURS = 1_048_576

/**
 * @param seed, index - any bigints; taken modulo 2^64 (`spi64`) or 2^32 (`turbo32`)
 * @returns the colour at the index
 */
export function colourAt(kernel: ColourKernelId, seed: bigint, index: bigint): bigint {
  return kernel === 'spi64' ? spi64(seed, index) : turbo32(seed, index)
}
