import { utf8ToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressOf, REGISTER_BITS } from './hll-set.ts'
import { murmur3, murmur3Bytes } from './murmur3.ts'
import vectors from './vectors/hllset.json' with { type: 'json' }

const MASK = (1n << 64n) - 1n

test.each(vectors.hllset_murmur3.rows)('$token with seed $seed: hash, register, bit and address', ({ token, seed, h, reg, tz, addr }) => {
  const { high, low } = murmur3(token, seed)
  expect(`0x${((BigInt(high) << 32n) | BigInt(low)).toString(16).padStart(16, '0')}`).toBe(h)
  expect(addressOf(token, seed)).toBe(addr)
  expect(Math.floor(addr / REGISTER_BITS)).toBe(reg)
  expect(addr % REGISTER_BITS).toBe(tz)
})

test('the halves agree with the definition in 64-bit integers for bytes of every length', () => {
  const bytes = fc.uint8Array({ maxLength: 70 })
  const seed = fc.nat({ max: 0xffff_ffff })
  fc.assert(
    fc.property(bytes, seed, (bytes, seed) => {
      const { high, low } = murmur3Bytes(bytes, seed)
      expect((BigInt(high) << 32n) | BigInt(low)).toBe(murmur3Wide(bytes, BigInt(seed)))
    }),
    { numRuns: 300 },
  )
})

test('a token is hashed by its UTF-8 bytes', () => {
  expect(murmur3('人 é 𠀀', 7)).toEqual(murmur3Bytes(utf8ToBytes('人 é 𠀀'), 7))
})

test('a seed that is the length of a short token makes its hash even; seed 0 does not', () => {
  const ofSixBytes = Array.from({ length: 1_000 }, (_, i) => `t${10_000 + i}`)
  expect(ofSixBytes.filter((token) => murmur3(token, 6).low % 2 === 1)).toEqual([])
  const odd = ofSixBytes.filter((token) => murmur3(token, 0).low % 2 === 1).length
  expect(Math.abs(odd - 500)).toBeLessThan(80)
})

/** MurmurHash3 x64 128, low word, as its author wrote it. */
function murmur3Wide(bytes: Uint8Array, seed: bigint): bigint {
  const c1 = 0x87c37b91114253d5n
  const c2 = 0x4cf5ad432745937fn
  const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (64n - by))) & MASK
  const word = (at: number) => {
    let value = 0n
    for (let k = 7; k >= 0; k--) value = (value << 8n) | BigInt(bytes[at + k] ?? 0)
    return value
  }
  const mix = (x: bigint) => {
    let z = ((x ^ (x >> 33n)) * 0xff51afd7ed558ccdn) & MASK
    z = ((z ^ (z >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK
    return z ^ (z >> 33n)
  }
  const first = (k: bigint) => (rotate((k * c1) & MASK, 31n) * c2) & MASK
  const second = (k: bigint) => (rotate((k * c2) & MASK, 33n) * c1) & MASK
  let h1 = seed
  let h2 = seed
  let at = 0
  for (; at + 16 <= bytes.length; at += 16) {
    h1 = (((rotate(h1 ^ first(word(at)), 27n) + h2) & MASK) * 5n + 0x52dce729n) & MASK
    h2 = (((rotate(h2 ^ second(word(at + 8)), 31n) + h1) & MASK) * 5n + 0x38495ab5n) & MASK
  }
  if (bytes.length - at > 8) h2 ^= second(word(at + 8))
  if (bytes.length - at > 0) h1 ^= first(word(at))
  h1 ^= BigInt(bytes.length)
  h2 ^= BigInt(bytes.length)
  h1 = (h1 + h2) & MASK
  h2 = (h2 + h1) & MASK
  return (mix(h1) + mix(h2 & MASK)) & MASK
}
