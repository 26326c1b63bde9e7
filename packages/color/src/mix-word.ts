/**
 * `mix` in place on word i of an array of u64s, each held as two int32 halves: what JavaScript mixes some thirty times faster than
 * a bigint. For long walks and scans; arrays of one word serve as a cell.
 */
export function mixWord(hi: Int32Array, lo: Int32Array, i: number): void {
  // z = x + GOLDEN
  let l = (lo[i]! + G_LO) | 0
  let h = (hi[i]! + G_HI + (l >>> 0 < G_LO ? 1 : 0)) | 0
  // z ^= z >>> 30
  l ^= (l >>> 30) | (h << 2)
  h ^= h >>> 30
  // z *= M1: the high word of l·M1 in 16-bit limbs (Hacker's Delight 8-2), the cross products modulo 2^32
  let z0 = l & 0xffff
  let z1 = l >>> 16
  let t = (Math.imul(z1, A0) + (Math.imul(z0, A0) >>> 16)) | 0
  let u = (Math.imul(z0, A1) + (t & 0xffff)) | 0
  h = (Math.imul(z1, A1) + (t >>> 16) + (u >>> 16) + Math.imul(h, A_LO) + Math.imul(l, A_HI)) | 0
  l = Math.imul(l, A_LO)
  // z ^= z >>> 27
  l ^= (l >>> 27) | (h << 5)
  h ^= h >>> 27
  // z *= M2
  z0 = l & 0xffff
  z1 = l >>> 16
  t = (Math.imul(z1, B0) + (Math.imul(z0, B0) >>> 16)) | 0
  u = (Math.imul(z0, B1) + (t & 0xffff)) | 0
  h = (Math.imul(z1, B1) + (t >>> 16) + (u >>> 16) + Math.imul(h, B_LO) + Math.imul(l, B_HI)) | 0
  l = Math.imul(l, B_LO)
  // z ^ z >>> 31
  lo[i] = l ^ ((l >>> 31) | (h << 1))
  hi[i] = h ^ (h >>> 31)
}

/** Number of bits set in the low 32 bits of a number. */
export function popcount32(x: number): number {
  let half = x
  half -= (half >>> 1) & 0x5555_5555
  half = (half & 0x3333_3333) + ((half >>> 2) & 0x3333_3333)
  return Math.imul((half + (half >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}

/** Halves of GOLDEN, M1 and M2, and the 16-bit limbs of the latter's low halves. */
const G_HI = 0x9e3779b9
const G_LO = 0x7f4a7c15
const A_HI = 0xbf58476d
const A_LO = 0x1ce4e5b9
const A0 = 0xe5b9
const A1 = 0x1ce4
const B_HI = 0x94d049bb
const B_LO = 0x133111eb
const B0 = 0x11eb
const B1 = 0x1331
