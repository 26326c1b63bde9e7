/**
 * Range XOR of both colour kernels.
 *
 * A colour is finish(base + k·step): the index multiplication becomes one addition. The finaliser ends in z ^ z >>> s, which
 * distributes over XOR, so it is applied once to the XOR of the unfinished colours. Scalar and vector lanes run side by side
 * because they use different execution units: of the mixes tried these were the fastest in V8 (bench/README.md).
 */

const M1_32: i32 = 0x1ce4e5b9
const M2_32: i32 = 0x133111eb
const M1_64: i64 = 0xbf58476d1ce4e5b9
const M2_64: i64 = 0x94d049bb133111eb

/**
 * @param base - seed + start·GOLDEN + GOLDEN
 * @param step - stride·GOLDEN
 * @param count - colours, 0 to 2^31 − 1
 * @returns XOR of the `turbo32` colours
 */
export function turbo32(base: i32, step: i32, count: i32): i32 {
  const step4 = i32x4.splat(4 * step)
  const skipScalars = i32x4.splat(8 * step)
  const skipVectors = 32 * step
  const vectorBase = base + 8 * step
  let scalar = base
  let vector = i32x4(vectorBase, vectorBase + step, vectorBase + 2 * step, vectorBase + 3 * step)
  let x: i32 = 0
  let a = i32x4.splat(0)
  let b = i32x4.splat(0)
  // 40 colours a round: 8 scalars, 8 vectors of 4
  for (let rounds = count / 40; rounds > 0; rounds--) {
    a = v128.xor(a, mixed32x4(vector))
    vector = i32x4.add(vector, step4)
    x ^= mixed32(scalar)
    scalar += step
    b = v128.xor(b, mixed32x4(vector))
    vector = i32x4.add(vector, step4)
    x ^= mixed32(scalar)
    scalar += step
    a = v128.xor(a, mixed32x4(vector))
    vector = i32x4.add(vector, step4)
    x ^= mixed32(scalar)
    scalar += step
    b = v128.xor(b, mixed32x4(vector))
    vector = i32x4.add(vector, step4)
    x ^= mixed32(scalar)
    scalar += step
    a = v128.xor(a, mixed32x4(vector))
    vector = i32x4.add(vector, step4)
    x ^= mixed32(scalar)
    scalar += step
    b = v128.xor(b, mixed32x4(vector))
    vector = i32x4.add(vector, step4)
    x ^= mixed32(scalar)
    scalar += step
    a = v128.xor(a, mixed32x4(vector))
    vector = i32x4.add(vector, step4)
    x ^= mixed32(scalar)
    scalar += step
    b = v128.xor(b, mixed32x4(vector))
    vector = i32x4.add(vector, step4)
    x ^= mixed32(scalar)
    scalar += step
    scalar += skipVectors
    vector = i32x4.add(vector, skipScalars)
  }
  for (let left = count % 40; left > 0; left--) {
    x ^= mixed32(scalar)
    scalar += step
  }
  a = v128.xor(a, b)
  x ^= i32x4.extract_lane(a, 0) ^ i32x4.extract_lane(a, 1) ^ i32x4.extract_lane(a, 2) ^ i32x4.extract_lane(a, 3)
  return x ^ (x >>> 16)
}

/**
 * @param base - seed + start·GOLDEN + GOLDEN
 * @param step - stride·GOLDEN
 * @param count - colours, 0 to 2^31 − 1
 * @returns XOR of the `spi64` colours
 */
export function spi64(base: i64, step: i64, count: i32): i64 {
  return xor64(base, step, count, M1_64, M2_64)
}

/** The same with the low half of each multiplier in both halves: the published triadic check. */
export function published(base: i64, step: i64, count: i32): i64 {
  return xor64(base, step, count, 0x1ce4e5b91ce4e5b9, 0x133111eb133111eb)
}

// @ts-ignore: decorator
@inline
function xor64(base: i64, step: i64, count: i32, m1: i64, m2: i64): i64 {
  const skipScalars = i64x2.splat(6 * step)
  const skipVectors = 2 * step
  let scalar = base
  let vector = i64x2(base + 4 * step, base + 5 * step)
  let x: i64 = 0
  let a = i64x2.splat(0)
  // 6 colours a round: 4 scalars, one vector of 2; no 128-bit unit multiplies 64 bits, so the scalar ones carry most
  for (let rounds = count / 6; rounds > 0; rounds--) {
    a = v128.xor(a, mixed64x2(vector, m1, m2))
    x ^= mixed64(scalar, m1, m2)
    scalar += step
    x ^= mixed64(scalar, m1, m2)
    scalar += step
    x ^= mixed64(scalar, m1, m2)
    scalar += step
    x ^= mixed64(scalar, m1, m2)
    scalar += step
    scalar += skipVectors
    vector = i64x2.add(vector, skipScalars)
  }
  for (let left = count % 6; left > 0; left--) {
    x ^= mixed64(scalar, m1, m2)
    scalar += step
  }
  x ^= i64x2.extract_lane(a, 0) ^ i64x2.extract_lane(a, 1)
  return x ^ (x >>> 31)
}

/** The finalisers without their last step. */
// @ts-ignore: decorator
@inline
function mixed32(s: i32): i32 {
  const z = (s ^ (s >>> 15)) * M1_32
  return (z ^ (z >>> 13)) * M2_32
}

// @ts-ignore: decorator
@inline
function mixed32x4(s: v128): v128 {
  const z = i32x4.mul(v128.xor(s, i32x4.shr_u(s, 15)), i32x4.splat(M1_32))
  return i32x4.mul(v128.xor(z, i32x4.shr_u(z, 13)), i32x4.splat(M2_32))
}

// @ts-ignore: decorator
@inline
function mixed64(s: i64, m1: i64, m2: i64): i64 {
  const z = (s ^ (s >>> 30)) * m1
  return (z ^ (z >>> 27)) * m2
}

// @ts-ignore: decorator
@inline
function mixed64x2(s: v128, m1: i64, m2: i64): v128 {
  const z = i64x2.mul(v128.xor(s, i64x2.shr_u(s, 30)), i64x2.splat(m1))
  return i64x2.mul(v128.xor(z, i64x2.shr_u(z, 27)), i64x2.splat(m2))
}
