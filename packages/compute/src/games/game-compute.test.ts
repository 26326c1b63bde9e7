import { chainFrom, findReducedCycle, furthestColour, nearFixedPoints, parallelChains, planStrategy, rangeXor, spi64 } from '@sgsd/color'
import { afterAll, describe, expect, test } from 'vitest'
import { openGameCompute } from './open-game-compute.ts'

const never = new AbortController().signal
const SEED = 7_202_985n
/** More than two pieces of 2^20. */
const COUNT = 2_200_000n

describe.each([1, 3])('games on %d threads', (threads) => {
  const games = openGameCompute({ threads })
  afterAll(() => games.close())

  test('find what one loop finds', async () => {
    expect(await games.furthest(SEED, { start: 5n, count: COUNT }, 'gay', never)).toEqual(furthestColour(SEED, 5n, COUNT))
    expect(await games.nearFixedPoints(SEED, { start: 5n, count: COUNT }, 4, never)).toEqual(nearFixedPoints(SEED, 5n, COUNT, 4))
    expect(await games.furthest(SEED, { start: 5n, count: 0n }, 'gay', never)).toBeUndefined()
  })

  test('chains and cycles go on over the borders of pieces', async () => {
    expect(await games.chains(SEED, 5, 1_000, never)).toEqual(parallelChains(SEED, 5, 1_000))
    expect(await games.chain(spi64(SEED, 9n), Number(COUNT), never)).toEqual(chainFrom(SEED, 9n, Number(COUNT)))
    const starts = [1n, 2n, 7n]
    expect(await games.cycles(starts, 36, 4_000_000, never)).toEqual(starts.map((start) => findReducedCycle(start, 36, 4_000_000)))
  })

  test('parts of strategies, strided too', async () => {
    for (const part of planStrategy('gigastream', SEED, 60_000_000n)) {
      expect(await games.partXor(part, never)).toBe(rangeXor(part.kernel, part.seed, part.start, part.count, part.stride))
    }
  })

  test('progress only grows, and ends with the whole', async () => {
    const seen: bigint[] = []
    await games.furthest(SEED, { start: 0n, count: COUNT }, 'x', never, (done) => seen.push(done))
    expect(seen).toEqual([...seen].sort((a, b) => (a < b ? -1 : 1)))
    expect(seen.at(-1)).toBe(COUNT)
  })

  test('an abort rejects with its reason, soon, and the next call is served', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => abort.abort(reason), 50)
    const began = performance.now()
    await expect(games.furthest(SEED, { start: 0n, count: 2n ** 60n }, 'x', abort.signal)).rejects.toBe(reason)
    await expect(games.cycles([1n], 64, 2 ** 50, AbortSignal.timeout(50))).rejects.toThrow(/timeout/)
    await expect(games.chain(1n, 2 ** 50, AbortSignal.timeout(50))).rejects.toThrow(/timeout/)
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(await games.furthest(SEED, { start: 0n, count: 10n }, 'gay', never)).toEqual(furthestColour(SEED, 0n, 10n))
  })

  test('refuses a negative count', async () => {
    await expect(games.furthest(SEED, { start: 0n, count: -1n }, 'x', never)).rejects.toThrow(RangeError)
  })
})

test('a simulation runs on its own thread, tells its stages, and can be stopped', async () => {
  await using games = openGameCompute({ threads: 1 })
  const stages = new Set<string>()
  const simulation = { machines: 20_000, chunks: 20_000, fanOut: 6, seed: 1n }
  const report = await games.simulate(simulation, never, (stage) => stages.add(stage))
  expect(report.checks.every(({ ok }) => ok)).toBe(true)
  expect(stages.size).toBeGreaterThan(0)
  const began = performance.now()
  await expect(games.simulate({ ...simulation, machines: 1_000_000 }, AbortSignal.timeout(200))).rejects.toThrow(/timeout/)
  expect(performance.now() - began).toBeLessThan(10_000)
})

test('after closing, and with no threads, there is an error', async () => {
  const games = openGameCompute({ threads: 1 })
  await games.close()
  await expect(games.furthest(1n, { start: 0n, count: 1n }, 'x', never)).rejects.toMatchObject({ code: 'CLOSED' })
  expect(() => openGameCompute({ threads: 0 })).toThrow(RangeError)
})
