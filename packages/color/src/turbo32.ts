/** Low halves of GOLDEN, M1 and M2, as int32 for Math.imul. */
export const GOLDEN_32 = 0x7f4a7c15
export const M1_32 = 0x1ce4e5b9
export const M2_32 = 0x133111eb

/**
 * The 32-bit kernel of the published benchmark: a bijection of the index for each seed, so the XOR over any 2^32
 * consecutive indices is 0 and indices repeat after that. Fine for benchmarks, refused as a mesh's mining kernel.
 * @param seed, index - any bigints; taken modulo 2^32
 * @returns u32 as a bigint
 */
export function turbo32(seed: bigint, index: bigint): bigint {
  const s = Number(BigInt.asIntN(32, seed))
  const i = Number(BigInt.asIntN(32, index))
  let z = (s + Math.imul(i, GOLDEN_32) + GOLDEN_32) | 0
  z = Math.imul(z ^ (z >>> 15), M1_32)
  z = Math.imul(z ^ (z >>> 13), M2_32)
  return BigInt((z ^ (z >>> 16)) >>> 0)
}
