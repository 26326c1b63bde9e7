import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type BundleResult,
  combineResults,
  formatBundleResult,
  IHOR,
  makeBundle,
  parseBundleResult,
  rangeFingerprint,
  type SeedBundle,
} from './index.ts'
import vectors from './vectors/color.json' with { type: 'json' }

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

function resultsOf(bundle: SeedBundle): BundleResult[] {
  return bundle.ranges.map(({ host, start, count }) => ({
    seed: bundle.seed,
    host,
    ranges: [{ start, count, fingerprint: rangeFingerprint('turbo32', bundle.seed, start, count) }],
  }))
}

describe('results of a bundle', () => {
  test('what is written is read back', () => {
    const result = fc.record({
      seed: u64,
      host: fc.string({ minLength: 1, maxLength: 20 }),
      ranges: fc.array(fc.record({ start: u64, count: u64, fingerprint: u64 }), { minLength: 1, maxLength: 5 }),
    })
    fc.assert(
      fc.property(result, (result) => {
        expect(parseBundleResult(formatBundleResult(result))).toEqual({ ok: true, result })
      }),
    )
  })

  test('arbitrary text never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseBundleResult(text)).toMatchObject({ ok: false })
      }),
    )
  })

  test('in any order they make the fingerprint of the whole, for odd and even numbers of hosts', () => {
    const hosts = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 9 })
    fc.assert(
      fc.property(u64, hosts, fc.bigInt({ min: 0n, max: 1_000n }), fc.infiniteStream(fc.nat()), (seed, names, total, chance) => {
        const whole = rangeFingerprint('turbo32', seed, 0n, total)
        const results = resultsOf(makeBundle(seed, names, total))
        const shuffled = results.map((result) => ({ result, key: chance.next().value as number })).sort((a, b) => a.key - b.key)
        const combined = combineResults(
          { ...makeBundle(seed, names, total), expectedXor: whole },
          shuffled.map(({ result }) => result),
        )
        expect(combined).toEqual({ ok: true, fingerprint: whole, xor: whole ^ seed, agrees: true })
      }),
    )
  })

  test('the published parts make the published whole', () => {
    const { single, three_hosts: three } = vectors.bundle_combine
    const bundle = makeBundle(IHOR, ['a', 'b', 'c'], 3_000_001n)
    const results = resultsOf(bundle)
    expect(results.map(({ ranges }) => ranges[0]?.fingerprint)).toEqual(three.fps.map(BigInt))
    expect(combineResults(bundle, results)).toMatchObject({ ok: true, fingerprint: BigInt(single), agrees: undefined })
  })

  const bundle = makeBundle(1n, ['a', 'b', 'c'], 9n)
  const [a, b, c] = resultsOf(bundle) as [BundleResult, BundleResult, BundleResult]
  const of = (host: string, start: bigint, count: bigint, fingerprint = 0n): BundleResult => ({
    seed: 1n,
    host,
    ranges: [{ start, count, fingerprint }],
  })

  test.each([
    [[a, c], 'there is no result for indices 3 to 5 of "b"'],
    [[], 'there is no result for indices 0 to 2 of "a", indices 3 to 5 of "b", indices 6 to 8 of "c"'],
    [[a, of('b', 4n, 1n), c], 'there is no result for indices 3 to 3 of "b", indices 5 to 5 of "b"'],
    [[of('a', 0n, 4n), c], 'there is no result for indices 4 to 5 of "b"'],
    [[a, of('b', 2n, 4n), c], 'the results of "a" and "b" overlap at index 2'],
    [[a, b, of('x', 6n, 4n)], 'the result of "x" holds index 9, which is not in the bundle'],
    [[a, b, { ...c, seed: 2n }], 'the result of "c" is for seed 0x0000000000000002, the bundle has 0x0000000000000001'],
  ])('%#: %s', (results, reason) => {
    expect(combineResults(bundle, results)).toEqual({ ok: false, fault: 'input', reason })
  })

  test('the same range from two hosts counts once when they agree, and names both when they do not', () => {
    expect(combineResults(bundle, [a, b, c, { ...b, host: 'x' }])).toMatchObject({ ok: true })
    expect(combineResults(bundle, [a, b, c, of('x', 3n, 3n, 7n)])).toEqual({
      ok: false,
      fault: 'disagreement',
      reason: expect.stringMatching(/^"b" and "x" disagree on the 3 colours from index 3: 0x\w{16} and 0x0000000000000007$/) as string,
    })
  })

  test('a wrong fingerprint does not agree with the one expected', () => {
    const expected = { ...bundle, expectedXor: rangeFingerprint('turbo32', 1n, 0n, 9n) }
    expect(combineResults(expected, [a, b, c])).toMatchObject({ agrees: true })
    expect(combineResults(expected, [a, b, of('c', 6n, 3n, 5n)])).toMatchObject({ ok: true, agrees: false })
  })
})
