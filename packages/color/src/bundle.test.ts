import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { combineFingerprints, coverageFault, formatBundle, GAY_SEED, makeBundle, parseBundle, rangeFingerprint, rangesOf } from './index.ts'

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const hosts = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 40 })

describe('seed bundles', () => {
  test('what is written is read back', () => {
    fc.assert(
      fc.property(u64, hosts, u64, fc.option(u64, { nil: undefined }), (seed, names, total, expectedXor) => {
        const bundle = { ...makeBundle(seed, names, total), expectedXor }
        expect(parseBundle(formatBundle(bundle))).toEqual({ ok: true, bundle })
      }),
    )
  })

  test('parts are disjoint and complete, and their fingerprints make the whole', () => {
    fc.assert(
      fc.property(u64, hosts, fc.bigInt({ min: 0n, max: 2_000n }), (seed, names, total) => {
        const bundle = makeBundle(seed, names, total)
        expect(coverageFault(bundle.ranges, total)).toBeUndefined()
        const parts = bundle.ranges.map(({ start, count }) => rangeFingerprint('turbo32', seed, start, count))
        expect(combineFingerprints(seed, parts)).toBe(rangeFingerprint('turbo32', seed, 0n, total))
      }),
    )
  })

  test('the older decimal form keeps all 64 bits', () => {
    const text = `{"seed": ${GAY_SEED}, "ranges": [{"host": "solo", "start": 0, "count": 18446744073709551615, "polarity": 0}],
      "total": 18446744073709551615, "expected_xor": 9007199254740993}`
    expect(parseBundle(text)).toEqual({
      ok: true,
      bundle: {
        seed: GAY_SEED,
        ranges: [{ host: 'solo', start: 0n, count: 2n ** 64n - 1n, polarity: 0 }],
        total: 2n ** 64n - 1n,
        expectedXor: 2n ** 53n + 1n,
      },
    })
  })

  test('a host finds its own parts and nobody else', () => {
    const bundle = makeBundle(1n, ['a', 'b'], 5n)
    expect(rangesOf(bundle, 'b')).toEqual([{ host: 'b', start: 2n, count: 3n, polarity: 1 }])
    expect(rangesOf(bundle, 'c')).toEqual([])
  })

  const part = (host: string, start: unknown, count: unknown, polarity: unknown = 0) => ({ host, start, count, polarity })
  test.each([
    ['{', 'it is not JSON'],
    ['[]', 'it is not a JSON object'],
    [{ seed: -1 }, 'seed is not a whole number of 64 bits'],
    [{ seed: 1.5 }, 'seed is not a whole number of 64 bits'],
    [{ seed: '0x10000000000000000' }, 'seed is not a whole number of 64 bits'],
    [{ seed: 1 }, 'total is not a whole number of 64 bits'],
    [{ seed: 1, total: 1, expected_xor: 'x', ranges: [part('a', 0, 1)] }, 'expected_xor is not a whole number of 64 bits'],
    [{ seed: 1, total: 1, ranges: [] }, 'ranges is not a list of 1 to 1,000,000 parts'],
    [{ seed: 1, total: 1, ranges: [1] }, 'range 0: not a JSON object'],
    [{ seed: 1, total: 1, ranges: [part('', 0, 1)] }, 'range 0: host is not a name of 1 to 255 characters'],
    [{ seed: 1, total: 1, ranges: [part('a', -1, 1)] }, 'range 0: start is not a whole number of 64 bits'],
    [{ seed: 1, total: 1, ranges: [part('a', 0, 1.5)] }, 'range 0: count is not a whole number of 64 bits'],
    [{ seed: 1, total: 1, ranges: [part('a', 0, 1, 3)] }, 'range 0: polarity is not 0, 1 or 2'],
    [{ seed: 1, total: 4, ranges: [part('a', 0, 2), part('b', 1, 2)] }, 'the ranges of "a" and "b" overlap at index 1'],
    [{ seed: 1, total: 4, ranges: [part('b', 3, 2), part('a', 0, 2)] }, 'indices 2 to 2, between "a" and "b", belong to nobody'],
    [{ seed: 1, total: 5, ranges: [part('a', 0, 2)] }, 'the ranges hold 2 indices, total says 5'],
  ])('refuses %j: %s', (input, reason) => {
    const text = typeof input === 'string' ? input : JSON.stringify(input)
    expect(parseBundle(text)).toEqual({ ok: false, reason: `not a seed bundle: ${reason}` })
  })

  test('arbitrary text never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseBundle(text)).toMatchObject({ ok: false })
      }),
    )
  })
})
