import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  chainAt,
  chainFrom,
  condenseChain,
  type CycleSearch,
  type CycleWalk,
  deriveChain,
  findReducedCycle,
  fnv1a64,
  furthestColour,
  mix,
  nearer,
  nearest,
  nearFixedPoints,
  nextColour,
  popcount64,
  spi64,
  startCycleWalk,
  U64_MASK,
  walkCycle,
} from './index.ts'

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const start = fc.oneof(u64, fc.bigInt({ min: 2n ** 32n - 99n, max: 2n ** 32n }), fc.bigInt({ min: 2n ** 64n - 99n, max: 2n ** 64n - 1n }))
const count = fc.bigInt({ min: 0n, max: 200n })

describe('searches by halves find what single colours say', () => {
  test('furthest', () => {
    fc.assert(
      fc.property(u64, start, count, (seed, from, n) => {
        const target = fnv1a64('gay') ^ U64_MASK
        const all = Array.from({ length: Number(n) }, (_, i) => {
          const colour = spi64(seed, from + BigInt(i))
          return { index: from + BigInt(i), colour, distance: popcount64(colour ^ target) }
        })
        expect(furthestColour(seed, from, n)).toEqual(all.length === 0 ? undefined : all.reduce(nearer))
      }),
    )
  })

  test('nearest to a fixed point, and parts combine to the whole', () => {
    fc.assert(
      fc.property(u64, start, count, fc.bigInt({ min: 0n, max: 200n }), fc.nat(6), (seed, from, n, cut, top) => {
        const all = Array.from({ length: Number(n) }, (_, i) => {
          const colour = spi64(seed, from + BigInt(i))
          return { index: from + BigInt(i), colour, distance: popcount64(mix(colour) ^ colour) }
        })
        const whole = nearFixedPoints(seed, from, n, top)
        expect(whole).toEqual(nearest(all, top))
        const first = cut < n ? cut : n
        expect(nearest([...nearFixedPoints(seed, from + first, n - first, top), ...nearFixedPoints(seed, from, first, top)], top)).toEqual(whole)
      }),
    )
  })

  test('chains', () => {
    fc.assert(
      fc.property(u64, start, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), (seed, from, length, more) => {
        const chain = deriveChain(spi64(seed, from), length + more)
        const xor = (colours: readonly bigint[]): bigint => colours.reduce((a, b) => a ^ b, 0n)
        expect(chainFrom(seed, from, length + more)).toEqual({ fingerprint: xor(chain), last: chain.at(-1) })
        expect(chainAt(chain[0]!, length)).toBe(chain[length])
        const head = chainFrom(seed, from, length)
        const tail = condenseChain(nextColour(head.last), more)
        expect({ fingerprint: head.fingerprint ^ tail.fingerprint, last: tail.last }).toEqual(chainFrom(seed, from, length + more))
      }),
    )
  })
})

describe('cycles', () => {
  const naive = (seed: bigint, width: number): { tail: number; length: number; entry: bigint } => {
    const seen = new Map<bigint, number>()
    let x = BigInt.asUintN(width, seed)
    for (let step = 0; ; step++) {
      const before = seen.get(x)
      if (before !== undefined) return { tail: before, length: step - before, entry: x }
      seen.set(x, step)
      x = BigInt.asUintN(width, mix(x))
    }
  }

  test('are those that a list of all values shows', () => {
    fc.assert(
      fc.property(u64, fc.integer({ min: 1, max: 16 }), (seed, width) => {
        expect(findReducedCycle(seed, width, 1_000_000)).toEqual({ found: true, cycle: naive(seed, width) })
      }),
    )
  })

  test('are the same however often the search is interrupted', () => {
    fc.assert(
      fc.property(u64, fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 300 }), fc.nat(3_000), (seed, width, steps, most) => {
        let walk: CycleWalk | CycleSearch = startCycleWalk(seed, width, most)
        while (!('found' in walk)) walk = walkCycle(structuredClone(walk), steps)
        expect(walk).toEqual(findReducedCycle(seed, width, most))
      }),
    )
  })

  test.each([
    [0, 10],
    [65, 10],
    [8.5, 10],
    [8, -1],
    [8, 1.5],
  ])('a width of %d bits and %d steps are refused', (width, steps) => {
    expect(() => startCycleWalk(1n, width, steps)).toThrow(RangeError)
  })
})

test('a search of a negative or uncountable range is refused', () => {
  expect(() => furthestColour(1n, 0n, -1n)).toThrow(RangeError)
  expect(() => nearFixedPoints(1n, 0n, 2n ** 53n, 1)).toThrow(RangeError)
})
