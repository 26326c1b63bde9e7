import { expect, test } from 'vitest'
import { cardinality } from './cardinality.ts'
import { addAddress, emptySet, type HllSet, REGISTER_BITS, setOf } from './hll-set.ts'

/** Relative standard error promised at P = 10, and the room that 60 trials need to show it (3 σ of a sample deviation of 60 is 27 %). */
const PROMISED_ERROR = 0.019
const TRIALS = 60

test('the empty set has no element; a full one has a finite estimate', () => {
  expect(cardinality(emptySet())).toBe(0)
  const full = emptySet()
  full.registers.fill(0xffff_ffff)
  expect(cardinality(full)).toBeGreaterThan(1e12)
  expect(cardinality(full)).toBeLessThan(1e14)
})

test.each([1, 2, 3, 5, 10])('%i tokens are counted to a fraction of one', (count) => {
  const tokens = Array.from({ length: count }, (_, i) => `token ${i}`)
  expect(Math.abs(cardinality(setOf(tokens, 9)) - count)).toBeLessThan(0.1)
})

test('more tokens never lower the estimate', () => {
  const set = emptySet()
  const next = xorshift(5)
  let before = 0
  for (let i = 0; i < 300; i++) {
    addRandom(set, next)
    const after = cardinality(set)
    expect(after).toBeGreaterThanOrEqual(before)
    before = after
  }
})

test.each([300, 3_000, 30_000, 300_000])('%i tokens: standard error and bias over fixed seeds', (count) => {
  const errors = Array.from({ length: TRIALS }, (_, trial) => {
    const set = emptySet()
    const next = xorshift(1 + trial * 7_919)
    for (let i = 0; i < count; i++) addRandom(set, next)
    return cardinality(set) / count - 1
  })
  const bias = errors.reduce((sum, error) => sum + error, 0) / TRIALS
  const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / TRIALS)
  expect(deviation).toBeLessThan(PROMISED_ERROR * 1.27)
  expect(Math.abs(bias)).toBeLessThan((3 * PROMISED_ERROR) / Math.sqrt(TRIALS))
})

/** What a token with a uniformly random hash does. */
function addRandom(set: HllSet, next: () => number): void {
  const register = next() & 1023
  const bits = next()
  addAddress(set, register * REGISTER_BITS + (bits === 0 ? 31 : 31 - Math.clz32(bits & -bits)))
}

/** Marsaglia's xorshift32. @param seed - not 0 */
function xorshift(seed: number): () => number {
  let x = seed
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    // the low bits of consecutive values are related; a multiplication spreads the high ones over them
    return Math.imul(x, 0x9e3779b1) ^ (Math.imul(x, 0x9e3779b1) >>> 15)
  }
}
