import { GOLDEN, M1, M2, U64_MASK } from './constants.ts'

/**
 * SplitMix64's step and finaliser: a bijection on u64.
 * @param x - any bigint; taken modulo 2^64
 * @returns u64
 */
export function mix(x: bigint): bigint {
  let z = (x + GOLDEN) & U64_MASK
  z = ((z ^ (z >> 30n)) * M1) & U64_MASK
  z = ((z ^ (z >> 27n)) * M2) & U64_MASK
  return z ^ (z >> 31n)
}
