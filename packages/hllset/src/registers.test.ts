import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bitCount, emptySet, type HllSet, setOf } from './hll-set.ts'
import { commonBits, differenceBits, equalSets, mayContain, maySubset, union, xorBits } from './registers.ts'
import { setId } from './set-bytes.ts'

const tokens = fc.array(fc.string({ maxLength: 3 }), { maxLength: 60 })
const sets = tokens.map((list) => setOf(list, 42))
/** Sets of a few thousand tokens too, where most low bits are shared by chance. */
const numbered = fc
  .tuple(fc.nat({ max: 4_000 }), fc.nat({ max: 4_000 }))
  .map(([from, count]) => Array.from({ length: count }, (_, i) => `${from + i}`))

describe('union', () => {
  test('is commutative, associative and idempotent, with the empty set as identity', () => {
    fc.assert(
      fc.property(sets, sets, sets, (a, b, c) => {
        same(union(a, b), union(b, a))
        same(union(union(a, b), c), union(a, union(b, c)))
        same(union(a, a), a)
        same(union(a, emptySet(42)), a)
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

  test('of different hash functions is refused, as are the others', () => {
    for (const operation of [union, commonBits, differenceBits, xorBits])
      expect(() => operation(setOf(['a'], 1), setOf(['a'], 2))).toThrow(RangeError)
  })

  test('shares no memory with its parts', () => {
    const [a, b] = [setOf(['a']), emptySet()]
    union(a, b).registers.fill(7)
    expect(setId(a)).toBe(setId(setOf(['a'])))
    expect(setId(b)).toBe(setId(emptySet()))
  })
})

describe('the bits of two sets', () => {
  test('are a Boolean algebra', () => {
    fc.assert(
      fc.property(sets, sets, sets, (a, b, c) => {
        same(commonBits(a, union(b, c)), union(commonBits(a, b), commonBits(a, c)))
        same(union(differenceBits(a, b), commonBits(a, b)), a)
        same(xorBits(a, b), union(differenceBits(a, b), differenceBits(b, a)))
        same(xorBits(xorBits(a, b), b), a)
        same(xorBits(xorBits(a, b), c), xorBits(a, xorBits(b, c)))
        same(commonBits(differenceBits(a, b), b), emptySet(42))
        expect(bitCount(union(a, b))).toBe(bitCount(a) + bitCount(b) - bitCount(commonBits(a, b)))
      }),
    )
  })

  test('bound what the tokens do: AND from above, AND NOT and XOR from below', () => {
    fc.assert(
      fc.property(numbered, numbered, (first, second) => {
        const [a, b] = [setOf(first), setOf(second)]
        const inB = new Set(second)
        const onlyA = first.filter((token) => !inB.has(token))
        const both = first.filter((token) => inB.has(token))
        const onlyB = second.length - both.length
        expect(maySubset(setOf(both), commonBits(a, b))).toBe(true)
        expect(maySubset(differenceBits(a, b), setOf(onlyA))).toBe(true)
        expect(bitCount(differenceBits(a, b))).toBeLessThanOrEqual(onlyA.length)
        expect(bitCount(xorBits(a, b))).toBeLessThanOrEqual(onlyA.length + onlyB)
      }),
      { numRuns: 40 },
    )
  })

  test('say for certain what is not in a set, and never miss what is', () => {
    fc.assert(
      fc.property(tokens, tokens, (list, others) => {
        const set = setOf(list)
        for (const token of list) expect(mayContain(set, token)).toBe(true)
        for (const token of others) if (!mayContain(set, token)) expect(list).not.toContain(token)
        expect(maySubset(set, setOf([...others, ...list]))).toBe(true)
      }),
    )
    expect(mayContain(setOf(['a']), 'b')).toBe(false)
    expect(maySubset(setOf(['a', 'b']), setOf(['a']))).toBe(false)
  })
})

function same(a: HllSet, b: HllSet): void {
  expect(equalSets(a, b)).toBe(true)
  expect(setId(a)).toBe(setId(b))
}
