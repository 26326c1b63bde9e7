import { M1_32, M2_32 } from './turbo32.ts'

/** A u64 as two int32 halves: what JavaScript can mix some fifteen times faster than a bigint. */
export interface Halves {
  readonly hi: number
  readonly lo: number
}

/** The multipliers of a 64-bit finaliser. */
export interface Multipliers {
  readonly m1: bigint
  readonly m2: bigint
}

/** @param x - any bigint; taken modulo 2^64 */
export function toHalves(x: bigint): Halves {
  return { hi: Number(BigInt.asIntN(32, x >> 32n)), lo: Number(BigInt.asIntN(32, x)) }
}

export function fromHalves({ hi, lo }: Halves): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)
}

/**
 * XOR of finish(base + k·step) for k in [0, count): the reference loop of the 64-bit kernels.
 * @param base - state of the first colour: seed + start·GOLDEN + GOLDEN
 * @param step - difference between neighbours: stride·GOLDEN
 * @param count - safe integer ≥ 0
 * @returns u64
 */
export function xorRun64(base: bigint, step: bigint, count: number, { m1, m2 }: Multipliers): bigint {
  const { hi: stepHi, lo: stepLo } = toHalves(step)
  const { hi: aHi, lo: aLo } = toHalves(m1)
  const { hi: bHi, lo: bLo } = toHalves(m2)
  const a0 = aLo & 0xffff
  const a1 = aLo >>> 16
  const b0 = bLo & 0xffff
  const b1 = bLo >>> 16
  let { hi: sumHi, lo: sumLo } = toHalves(base)
  let xorHi = 0
  let xorLo = 0
  for (let k = 0; k < count; k++) {
    // z ^= z >>> 30
    let lo = sumLo ^ ((sumLo >>> 30) | (sumHi << 2))
    let hi = sumHi ^ (sumHi >>> 30)
    // z *= m1: the high word of lo·m1 in 16-bit limbs (Hacker's Delight 8-2), the cross products modulo 2^32
    let z0 = lo & 0xffff
    let z1 = lo >>> 16
    let t = (Math.imul(z1, a0) + (Math.imul(z0, a0) >>> 16)) | 0
    let u = (Math.imul(z0, a1) + (t & 0xffff)) | 0
    hi = (Math.imul(z1, a1) + (t >>> 16) + (u >>> 16) + Math.imul(hi, aLo) + Math.imul(lo, aHi)) | 0
    lo = Math.imul(lo, aLo)
    // z ^= z >>> 27
    lo ^= (lo >>> 27) | (hi << 5)
    hi ^= hi >>> 27
    // z *= m2
    z0 = lo & 0xffff
    z1 = lo >>> 16
    t = (Math.imul(z1, b0) + (Math.imul(z0, b0) >>> 16)) | 0
    u = (Math.imul(z0, b1) + (t & 0xffff)) | 0
    hi = (Math.imul(z1, b1) + (t >>> 16) + (u >>> 16) + Math.imul(hi, bLo) + Math.imul(lo, bHi)) | 0
    lo = Math.imul(lo, bLo)
    // z ^= z >>> 31
    xorLo ^= lo ^ ((lo >>> 31) | (hi << 1))
    xorHi ^= hi ^ (hi >>> 31)
    sumLo = (sumLo + stepLo) | 0
    sumHi = (sumHi + stepHi + (sumLo >>> 0 < stepLo >>> 0 ? 1 : 0)) | 0
  }
  return fromHalves({ hi: xorHi, lo: xorLo })
}

/**
 * The same for turbo32.
 * @param base, step - int32
 * @param count - safe integer ≥ 0
 * @returns u32 as a number
 */
export function xorRun32(base: number, step: number, count: number): number {
  const m1 = M1_32
  const m2 = M2_32
  let sum = base
  let xor = 0
  for (let k = 0; k < count; k++) {
    let z = Math.imul(sum ^ (sum >>> 15), m1)
    z = Math.imul(z ^ (z >>> 13), m2)
    xor ^= z ^ (z >>> 16)
    sum = (sum + step) | 0
  }
  return xor >>> 0
}
