import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CHUNK_COLOURS, chunkValue, colourAt, type ColourKernelId, rangeFingerprint, rangeXor, spi64, turbo32 } from './index.ts'

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const kernel = fc.constantFrom<ColourKernelId>('spi64', 'turbo32')
/** Starts that make a range of a few hundred cross 2^32 and 2^64. */
const start = fc.oneof(u64, fc.bigInt({ min: 2n ** 32n - 200n, max: 2n ** 32n + 200n }), fc.bigInt({ min: 2n ** 64n - 200n, max: 2n ** 64n + 200n }))
const count = fc.bigInt({ min: 0n, max: 300n })

describe('rangeXor', () => {
  test('is the XOR of the single colours, with any stride', () => {
    fc.assert(
      fc.property(kernel, u64, start, count, fc.bigInt({ min: 1n, max: 9n }), (k, seed, from, n, stride) => {
        let xor = 0n
        for (let i = 0n; i < n; i++) xor ^= colourAt(k, seed, from + i * stride)
        expect(rangeXor(k, seed, from, n, stride)).toBe(xor)
      }),
    )
  })

  test('composes: two neighbours make their union', () => {
    fc.assert(
      fc.property(kernel, u64, start, count, count, (k, seed, from, a, b) => {
        expect(rangeXor(k, seed, from, a) ^ rangeXor(k, seed, from + a, b)).toBe(rangeXor(k, seed, from, a + b))
      }),
    )
  })

  test('of a range twice is nothing, and a fingerprint of nothing is the seed', () => {
    fc.assert(
      fc.property(kernel, u64, start, (k, seed, from) => {
        expect(rangeFingerprint(k, seed, from, 0n)).toBe(seed)
        expect(rangeXor(k, seed, from, 7n) ^ rangeXor(k, seed, from, 7n)).toBe(0n)
      }),
    )
  })

  test('refuses a negative count', () => {
    expect(() => rangeXor('spi64', 1n, 0n, -1n)).toThrow(RangeError)
  })
})

test('a chunk is its 2^20 indices', () => {
  const colours = BigInt(CHUNK_COLOURS)
  for (const k of ['spi64', 'turbo32'] as const) {
    expect(chunkValue(k, 69n, 3n)).toBe(rangeXor(k, 69n, 3n * colours, colours))
  }
})

describe('the kernels are bijections of the index', () => {
  test('turbo32 on a window where a lossy finaliser would collide', () => {
    // 2^18 of 2^32 values: 8 collisions expected of a random function, none of a bijection
    const seen = new Set<bigint>()
    for (let i = 0n; i < 2n ** 18n; i++) seen.add(turbo32(7n, i * 16_381n))
    expect(seen.size).toBe(2 ** 18)
  })

  test('indices wrap modulo 2^64 and 2^32', () => {
    fc.assert(
      fc.property(u64, u64, (seed, i) => {
        expect(spi64(seed, i + 2n ** 64n)).toBe(spi64(seed, i))
        expect(turbo32(seed, i + 2n ** 32n)).toBe(turbo32(seed, i))
        expect(turbo32(seed + 2n ** 32n, i)).toBe(turbo32(seed, i))
      }),
    )
  })
})
