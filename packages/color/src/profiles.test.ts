import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  capabilityRanges,
  challenge,
  findCycle,
  findReducedCycle,
  furthestColour,
  type Host,
  hex64,
  mix,
  nearFixedPoints,
  planPolarity,
  planStrategy,
  type Polarity,
  popcount64,
  previousColour,
  publishedHostRange,
  runPlan,
  seekFixedPoint,
  STRATEGY_NAMES,
  type StrategyName,
  tripartite,
} from './index.ts'
import vectors from './vectors/color.json' with { type: 'json' }

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

describe('strategies', () => {
  const whole: readonly (readonly [StrategyName, string, number, number, string])[] = [
    ...vectors.terastream.map(({ seed, n, fp }) => ['terastream', seed, n, n, fp] as const),
    ...vectors.fearless.map(({ seed, n, k, count, fp }) => [`fearless-${k}` as StrategyName, seed, n, count, fp] as const),
    ...vectors.ultra.map(({ seed, n, count, fp }) => ['ultra', seed, n, count, fp] as const),
    ...vectors.mammoth.map(({ seed, n, count, fp }) => ['mammoth', seed, n, count, fp] as const),
  ]
  test.each(whole)('%s of %s, %d colours', (name, seed, n, count, fp) => {
    const result = runPlan(planStrategy(name, BigInt(seed), BigInt(n)))
    expect([result.count, hex64(result.xor)]).toEqual([BigInt(count), fp])
  })

  const triadic = (['gigafearless', 'teratriadic', 'gigastream'] as const).flatMap((name) => vectors[name].map((vector) => ({ name, ...vector })))
  test.each(triadic)('$name of $seed, $n colours', ({ name, seed, n, count, fps, xor }) => {
    const result = runPlan(planStrategy(name, BigInt(seed), BigInt(n)))
    expect([result.count, result.fingerprints.map(hex64), hex64(result.xor)]).toEqual([BigInt(count), fps, xor])
  })

  test.each(vectors.mlx_turbo)('polarity $polarity of the first $n indices', ({ seed, polarity, n, count, fp }) => {
    const result = runPlan([planPolarity(BigInt(seed), polarity as Polarity, BigInt(n))])
    expect([result.count, hex64(result.xor)]).toEqual([BigInt(count), fp])
  })

  test('the polarities share out every index once, however few there are', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1_000n }), (n) => {
        expect(([0, 1, 2] as const).reduce((sum, polarity) => sum + planPolarity(1n, polarity, n).count, 0n)).toBe(n)
      }),
    )
  })

  test('no strategy computes more than it was asked for, and none a negative number', () => {
    for (const name of STRATEGY_NAMES) {
      expect(runPlan(planStrategy(name, 1n, 5_000n)).count).toBeLessThanOrEqual(5_000n)
      expect(() => planStrategy(name, 1n, -1n)).toThrow(RangeError)
    }
  })
})

describe('games', () => {
  test.each(vectors.game_furthest)(
    'furthest of $n colours of $seed',
    ({ seed, n, best_index: index, best_color: colour, bit_distance_to_target: distance }) => {
      expect(furthestColour(BigInt(seed), 0n, BigInt(n))).toEqual({ index: BigInt(index), colour: BigInt(colour), distance })
    },
  )

  test('nothing is furthest of nothing', () => {
    expect(furthestColour(1n, 0n, 0n)).toBeUndefined()
  })

  test('nearest to a fixed point', () => {
    const { seed, n, top5 } = vectors.approx_fixed_points
    const found = nearFixedPoints(BigInt(seed), 0n, BigInt(n), 5)
    expect(found.map(({ index, colour, distance }) => ({ dist: distance, i: Number(index), c: hex64(colour) }))).toEqual(top5)
  })

  test.each(vectors.seek_fixed_point)('no fixed point within $max_depth steps of $seed', ({ seed, max_depth: depth, result }) => {
    expect(seekFixedPoint(BigInt(seed), depth) ?? null).toBe(result)
  })

  test.each(vectors.find_cycle)('no cycle within $max_depth steps of $seed', ({ seed, max_depth: depth, result }) => {
    expect(findCycle(BigInt(seed), depth)).toEqual({ found: false, steps: result[0], last: BigInt(result[2] ?? '') })
  })

  test.each(vectors.cycle_reduced_width)('$width bits from $seed', ({ width, seed, result }) => {
    const [again, first, value] = result
    const search = findReducedCycle(BigInt(seed), width, 100_000)
    expect(search).toEqual({ found: true, cycle: { tail: first, length: (again ?? 0) - (first ?? 0), entry: BigInt(value ?? 0) } })
  })

  test('every colour has one predecessor', () => {
    fc.assert(
      fc.property(u64, (x) => {
        expect(previousColour(mix(x))).toBe(x)
        expect(mix(previousColour(x))).toBe(x)
      }),
    )
  })

  test('bits are counted', () => {
    fc.assert(
      fc.property(u64, (x) => {
        expect(popcount64(x)).toBe(x.toString(2).replaceAll('0', '').length)
      }),
    )
  })
})

describe('published partitions', () => {
  type Row = readonly (string | number)[]
  const host = ([name, memoryGb, cores, bandwidthGbps]: Row): Host => ({
    name: String(name),
    memoryGb: Number(memoryGb),
    cores: Number(cores),
    bandwidthGbps: Number(bandwidthGbps),
  })

  test.each([vectors.bukkit_3, vectors.bukkit_8, vectors.bukkit_equal])(
    'ranges in proportion to capability: $covered',
    ({ known_hosts: hosts, ranges, order, covered }) => {
      const found = capabilityRanges(hosts.map(host))
      expect(found.map(({ host: name }) => name)).toEqual(order)
      expect(Object.fromEntries(found.map(({ host: name, start, count }) => [name, { start: Number(start), count: Number(count) }]))).toEqual(ranges)
      expect(found.reduce((sum, { count }) => sum + count, 0n)).toBe(BigInt(covered))
    },
  )

  test.each(vectors.tripartite)('tripartite', ({ members, out }) => {
    const shares = tripartite(7_202_985n, members.map(host))
    expect(
      shares.map(({ host: name, polarity, start, count, score, twistedSeed }) => ({
        host: name,
        polarity,
        start: Number(start),
        count: Number(count),
        score: Number(score),
        twisted: hex64(twistedSeed),
      })),
    ).toEqual(out)
  })

  test.each(vectors.nashprop_range)('$host among $n', ({ host: name, n, start, count, position }) => {
    expect(publishedHostRange(name, n)).toEqual({ start: BigInt(start), count: BigInt(count), position })
  })

  test.each(vectors.generate_challenge)(
    'challenge to $host in round $round of $seed',
    ({ seed, host: name, round, idx, expected_color: expected }) => {
      expect(challenge(BigInt(seed), name, BigInt(round))).toEqual({ index: BigInt(idx), expected: BigInt(expected) })
    },
  )

  test('a roster without capability is refused, and so is one with NaN', () => {
    const nobody = { name: 'a', memoryGb: 0, cores: 0, bandwidthGbps: 0 }
    expect(() => capabilityRanges([nobody])).toThrow('no host has any capability')
    expect(() => capabilityRanges([])).toThrow(RangeError)
    expect(() => tripartite(1n, [{ ...nobody, cores: Number.NaN }])).toThrow('the capability of "a" is not three numbers from 0 up')
  })
})
