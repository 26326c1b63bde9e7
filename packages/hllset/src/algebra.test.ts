import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bss, differenceSize, equalSets, intersectionSize, jaccard, union } from './algebra.ts'
import { cardinality } from './cardinality.ts'
import { emptySet, type HllSet, setOf } from './hll-set.ts'
import { setId } from './set-bytes.ts'
import vectors from './vectors/hllset.json' with { type: 'json' }

const tokens = fc.array(fc.string({ maxLength: 6 }), { maxLength: 40 })
const sets = tokens.map((list) => setOf(list, 42))

describe('union', () => {
  test('is commutative, associative and idempotent, with the empty set as identity', () => {
    fc.assert(
      fc.property(sets, sets, sets, (a, b, c) => {
        expect(equalSets(union(a, b), union(b, a))).toBe(true)
        expect(equalSets(union(union(a, b), c), union(a, union(b, c)))).toBe(true)
        expect(equalSets(union(a, a), a)).toBe(true)
        expect(equalSets(union(a, emptySet(42)), a)).toBe(true)
      }),
    )
  })

  test('is the set of both token lists, in whatever order and however often they come', () => {
    fc.assert(
      fc.property(tokens, tokens, (a, b) => {
        expect(setId(union(setOf(a), setOf(b)))).toBe(setId(setOf([...b, ...a, ...b])))
      }),
    )
  })

  test('of different hash functions is refused', () => {
    expect(() => union(setOf(['a'], 1), setOf(['a'], 2))).toThrow(RangeError)
  })
})

describe('sizes', () => {
  test('stay in their bounds and fit together', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const both = intersectionSize(a, b)
        expect(both).toBeGreaterThanOrEqual(0)
        expect(both).toBeLessThanOrEqual(Math.min(cardinality(a), cardinality(b)))
        expect(differenceSize(a, b)).toBeCloseTo(cardinality(a) - both, 9)
        expect(jaccard(a, b)).toBeCloseTo(jaccard(b, a), 12)
        expect(jaccard(a, b)).toBeGreaterThanOrEqual(0)
        expect(jaccard(a, b)).toBeLessThanOrEqual(1)
        expect(jaccard(a, a)).toBeCloseTo(1, 9)
      }),
    )
  })

  test('of 2,000 and 3,000 tokens with 1,000 in common are within 8 % of the union', () => {
    const a = setOf(Array.from({ length: 2_000 }, (_, i) => `t${i}`))
    const b = setOf(Array.from({ length: 3_000 }, (_, i) => `t${i + 1_000}`))
    const room = 0.08 * 4_000
    expect(Math.abs(intersectionSize(a, b) - 1_000)).toBeLessThan(room)
    expect(Math.abs(differenceSize(a, b) - 1_000)).toBeLessThan(room)
    expect(Math.abs(differenceSize(b, a) - 2_000)).toBeLessThan(room)
  })

  test('come from estimates, not from the AND of the registers, which counts bits that unequal tokens share', () => {
    const a = setOf(Array.from({ length: 5_000 }, (_, i) => `a${i}`))
    const b = setOf(Array.from({ length: 5_000 }, (_, i) => `b${i}`))
    const and: HllSet = { seed: 0, registers: a.registers.map((bits, register) => bits & b.registers[register]!) }
    expect(cardinality(and)).toBeGreaterThan(2_000)
    expect(intersectionSize(a, b)).toBeLessThan(400)
  })
})

describe('bss', () => {
  test('has no value over an empty set', () => {
    expect(bss(setOf(['a']), emptySet())).toBeUndefined()
  })

  test.each(vectors.hllset_bss_published)('$case: within 0.05 of the exact value, both ways', (published) => {
    const [a, b] = [listed(published.A), listed(published.B)]
    const ours = bss(setOf(a), setOf(b))
    if (published.exact_tau === null) {
      expect(ours).toBeUndefined()
      return
    }
    const exactRho = a.filter((token) => !b.includes(token)).length / b.length
    expect(Math.abs(ours!.tau - published.exact_tau)).toBeLessThan(0.05)
    expect(Math.abs(ours!.rho - exactRho)).toBeLessThan(0.05)
    const turned = bss(setOf(b), setOf(a))!
    expect(Math.abs(turned.tau - (published.exact_tau * b.length) / a.length)).toBeLessThan(0.05)
  })
})

/** A case's tokens: listed, or a range such as `t0..t99`. */
function listed(tokens: string | readonly string[]): readonly string[] {
  if (typeof tokens !== 'string') return tokens
  const [from, to] = [...tokens.matchAll(/\d+/g)].map(Number) as [number, number]
  return Array.from({ length: to - from + 1 }, (_, i) => `t${from + i}`)
}
