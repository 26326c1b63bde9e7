import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bss, cosine, differenceSize, intersectionSize, jaccard, unionSize, xorSize } from './algebra.ts'
import { cardinality } from './cardinality.ts'
import { emptySet, setOf } from './hll-set.ts'
import { commonBits } from './registers.ts'
import vectors from './vectors/hllset.json' with { type: 'json' }

const tokens = fc.array(fc.string({ maxLength: 6 }), { maxLength: 40 })
const sets = tokens.map((list) => setOf(list, 42))

describe('sizes', () => {
  test('stay in their bounds and fit together', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const [both, onlyA, onlyB] = [intersectionSize(a, b), differenceSize(a, b), differenceSize(b, a)]
        for (const size of [both, onlyA, onlyB]) expect(size).toBeGreaterThanOrEqual(0)
        expect(unionSize(a, b)).toBeCloseTo(both + onlyA + onlyB, 6)
        expect(xorSize(a, b)).toBeCloseTo(onlyA + onlyB, 6)
        for (const share of [jaccard(a, b), cosine(a, b)]) {
          expect(share).toBeGreaterThanOrEqual(0)
          expect(share).toBeLessThanOrEqual(1)
        }
        expect(cosine(a, b)).toBeGreaterThanOrEqual(jaccard(a, b) - 1e-9)
        const over = bss(a, b)
        if (over !== undefined) {
          expect(over.tau).toBeGreaterThanOrEqual(0)
          expect(over.tau).toBeLessThanOrEqual(1)
          expect(over.rho).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })

  test('do not depend on which set comes first', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        for (const symmetric of [unionSize, intersectionSize, xorSize, jaccard, cosine]) expect(symmetric(a, b)).toBeCloseTo(symmetric(b, a), 6)
      }),
    )
  })

  test('of a set and itself are its cardinality; of it and the empty set too', () => {
    fc.assert(
      fc.property(sets, (a) => {
        expect(intersectionSize(a, a)).toBeCloseTo(cardinality(a), 4)
        expect(xorSize(a, a)).toBe(0)
        expect(jaccard(a, a)).toBe(1)
        expect(cosine(a, a)).toBe(1)
        expect(unionSize(a, emptySet(42))).toBeCloseTo(cardinality(a), 4)
        expect(intersectionSize(a, emptySet(42))).toBe(0)
        expect(differenceSize(a, emptySet(42))).toBeCloseTo(cardinality(a), 4)
      }),
    )
  })

  test('of empty sets', () => {
    expect([unionSize, intersectionSize, differenceSize, xorSize, jaccard, cosine].map((size) => size(emptySet(), emptySet()))).toEqual([
      0, 0, 0, 0, 1, 1,
    ])
    expect([jaccard, cosine].map((share) => share(setOf(['a']), emptySet()))).toEqual([0, 0])
  })

  test('of full sets are finite', () => {
    const full = emptySet()
    full.registers.fill(0xffff_ffff)
    for (const size of [unionSize, intersectionSize, differenceSize, xorSize]) {
      for (const [a, b] of [
        [full, full],
        [full, setOf(['a'])],
        [emptySet(), full],
      ] as const)
        expect(Number.isFinite(size(a, b))).toBe(true)
    }
  })

  test('of 2,000 and 3,000 tokens with 1,000 in common are within 5 % of the union', () => {
    const a = setOf(Array.from({ length: 2_000 }, (_, i) => `t${i}`))
    const b = setOf(Array.from({ length: 3_000 }, (_, i) => `t${i + 1_000}`))
    const room = 0.05 * 4_000
    expect(Math.abs(intersectionSize(a, b) - 1_000)).toBeLessThan(room)
    expect(Math.abs(differenceSize(a, b) - 1_000)).toBeLessThan(room)
    expect(Math.abs(differenceSize(b, a) - 2_000)).toBeLessThan(room)
  })

  test('come from estimates, not from the AND of the registers, which counts bits that unequal tokens share', () => {
    const a = setOf(Array.from({ length: 5_000 }, (_, i) => `a${i}`))
    const b = setOf(Array.from({ length: 5_000 }, (_, i) => `b${i}`))
    expect(cardinality(commonBits(a, b))).toBeGreaterThan(2_000)
    expect(intersectionSize(a, b)).toBeLessThan(200)
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
