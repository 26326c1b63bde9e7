import { GOLDEN } from './constants.ts'
import { mix } from './mix.ts'

/**
 * The canonical kernel: a bijection of the index for each seed, so no colour repeats within 2^64 indices.
 * @param seed, index - any bigints; taken modulo 2^64
 * @returns u64
 */
export function spi64(seed: bigint, index: bigint): bigint {
  return mix(seed + index * GOLDEN)
}
