import { CHUNK_COLOURS, chunkValue, rangeXor, triadic } from '@sgsd/color'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ColourCompute } from './port.ts'

/** What every implementation of the port does, whatever it runs on. */
export function testColourCompute(name: string, open: () => Promise<ColourCompute>): void {
  describe(`colour compute, ${name}`, () => {
    let compute: ColourCompute
    beforeAll(async () => {
      compute = await open()
    })
    afterAll(() => compute.close())
    const never = new AbortController().signal

    test('names its engine, and exactly that one is active', () => {
      expect(compute.threads).toBeGreaterThanOrEqual(1)
      expect(compute.engines.filter(({ state }) => state === 'active').map(({ engine }) => engine)).toEqual([compute.engine])
    })

    test.each(['spi64', 'turbo32'] as const)('%s chunk values are those of the pure kernel', async (kernel) => {
      const values = await compute.chunkValues(kernel, 42n, 4095n, 3, never)
      expect([...values]).toEqual([4095n, 4096n, 4097n].map((chunk) => chunkValue(kernel, 42n, chunk)))
      expect(values.buffer).toBeInstanceOf(ArrayBuffer)
    })

    test.each([
      ['spi64', 0n, 0n],
      ['spi64', 17n, 1n],
      ['spi64', 2n ** 32n - 1_000n, 2_003n],
      ['spi64', 2n ** 64n - 1_000n, BigInt(CHUNK_COLOURS) + 2_003n],
      ['spi64', 3n, BigInt(2 * CHUNK_COLOURS)],
      ['turbo32', 2n ** 32n - 1_000n, BigInt(CHUNK_COLOURS) + 2_003n],
      ['turbo32', 2n ** 64n - 7n, 77n],
    ] as const)('%s XOR from %d of %d colours is that of the pure kernel', async (kernel, start, count) => {
      expect(await compute.rangeXor(kernel, 7n, start, count, never)).toBe(rangeXor(kernel, 7n, start, count))
    })

    test('no chunks are no values', async () => {
      expect(await compute.chunkValues('spi64', 1n, 0n, 0, never)).toHaveLength(0)
    })

    test('calls at the same time do not mix', async () => {
      const seeds = [1n, 2n, 3n, 4n]
      const values = await Promise.all(seeds.map((seed) => compute.chunkValues('spi64', seed, 0n, 2, never)))
      expect(values.map((each) => each[1])).toEqual(seeds.map((seed) => chunkValue('spi64', seed, 1n)))
    })

    test('progress only grows, and ends with the whole', async () => {
      const seen: bigint[] = []
      const count = BigInt(4 * CHUNK_COLOURS) + 5n
      await compute.rangeXor('turbo32', 1n, 0n, count, never, (done) => seen.push(done))
      expect(seen.at(-1)).toBe(count)
      expect(seen).toEqual([...seen].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)))
    })

    test('an abort rejects with its reason within 100 ms', async () => {
      const abort = new AbortController()
      const reason = new Error('enough')
      let abortedAt = 0
      setTimeout(() => {
        abortedAt = performance.now()
        abort.abort(reason)
      }, 20)
      await expect(compute.rangeXor('spi64', 1n, 0n, 2n ** 60n, abort.signal)).rejects.toBe(reason)
      expect(performance.now() - abortedAt).toBeLessThan(100)
      await expect(compute.chunkValues('spi64', 1n, 0n, 1, abort.signal)).rejects.toBe(reason)
    })

    test('after an abort the next call is served at once', async () => {
      await expect(compute.rangeXor('spi64', 1n, 0n, 2n ** 60n, AbortSignal.timeout(5))).rejects.toThrow(/timeout/)
      const began = performance.now()
      expect(await compute.rangeXor('spi64', 5n, 0n, 100n, never)).toBe(rangeXor('spi64', 5n, 0n, 100n))
      expect(performance.now() - began).toBeLessThan(2_000)
    })

    test('the triadic checks give their published figures', async () => {
      expect(await compute.triadic(7_202_985n, 100_000n, 'published', never)).toBe(0x4815e08adab9dcfen)
      expect(await compute.triadic(7_202_985n, 100_000n, 'canonical', never)).toBe(0x9821d39023fdf7c8n)
    })

    test.each(['published', 'canonical'] as const)('the %s triadic check over several chunks is that of the pure kernel', async (profile) => {
      const perPolarity = CHUNK_COLOURS + 12_345
      expect(await compute.triadic(99n, BigInt(perPolarity), profile, never)).toBe(triadic(99n, perPolarity, profile).xor)
      expect(await compute.triadic(99n, 0n, profile, never)).toBe(triadic(99n, 0, profile).xor)
      await expect(compute.triadic(99n, -1n, profile, never)).rejects.toThrow(RangeError)
    })

    test('benches every working engine, all with the same fingerprints', async () => {
      const heard: string[] = []
      const rows = await compute.benchEngines(['turbo32', 'spi64'], 20, never, ({ engine, kernel }) => heard.push(`${engine} ${kernel}`))
      expect(rows.map(({ engine, kernel }) => `${engine} ${kernel}`)).toEqual(heard)
      const working = compute.engines.filter(({ state }) => state === 'active' || state === 'standby').map(({ engine }) => engine)
      expect(heard).toEqual(expect.arrayContaining(working.flatMap((engine) => [`${engine} turbo32`, `${engine} spi64`])))
      for (const kernel of ['turbo32', 'spi64'] as const) {
        const own = rows.filter((row) => row.kernel === kernel)
        expect([...new Set(own.map(({ ok, fingerprint }) => `${ok} ${fingerprint}`))]).toEqual([`true ${own[0]?.fingerprint}`])
        expect(Math.max(...own.map(({ ratioToFastest }) => ratioToFastest))).toBe(1)
        expect(Math.min(...own.map(({ coloursPerSecond }) => coloursPerSecond))).toBeGreaterThan(0)
      }
      await expect(compute.benchEngines(['spi64'], 20, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    })

    test('measures a rate', async () => {
      const rate = await compute.measure('turbo32', 400)
      expect(rate).toBeGreaterThan(1e6)
      expect(Number.isFinite(rate)).toBe(true)
    })

    test('refuses negative and fractional counts', async () => {
      await expect(compute.rangeXor('spi64', 1n, 0n, -1n, never)).rejects.toThrow(RangeError)
      await expect(compute.chunkValues('spi64', 1n, 0n, -1, never)).rejects.toThrow(RangeError)
      await expect(compute.chunkValues('spi64', 1n, 0n, 1.5, never)).rejects.toThrow(RangeError)
    })

    test('closing rejects what is running and what comes after, twice is once', async () => {
      const own = await open()
      const running = own.rangeXor('spi64', 1n, 0n, 2n ** 60n, never)
      const outcome = running.catch((error: unknown) => error)
      const began = performance.now()
      await Promise.all([own.close(), own.close()])
      expect(await outcome).toMatchObject({ name: 'ComputeError', code: 'CLOSED' })
      expect(performance.now() - began).toBeLessThan(2_000)
      await expect(own.chunkValues('spi64', 1n, 0n, 1, never)).rejects.toMatchObject({ code: 'CLOSED' })
      await own[Symbol.asyncDispose]()
    })
  })
}
