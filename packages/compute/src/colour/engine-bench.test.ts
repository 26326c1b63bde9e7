import { type ColourKernelId, hex64, rangeFingerprint } from '@sgsd/color'
import { expect, test } from 'vitest'
import { ComputeError } from '../compute-error.ts'
import { BENCH_FINGERPRINTS, BENCH_RANGE, benchEach } from './engine-bench.ts'
import { InlineColourCompute } from './inline-colour-compute.ts'
import type { ColourCompute } from './port.ts'

const never = new AbortController().signal
const { seed, start, count } = BENCH_RANGE

test.each(['spi64', 'turbo32'] as const)('the known %s fingerprint is that of the pure kernel', (kernel) => {
  expect(BENCH_FINGERPRINTS[kernel]).toBe(rangeFingerprint(kernel, seed, start, count))
})

/** Threads whose answer and speed are given. */
function engineOf(xor: (kernel: ColourKernelId) => bigint, rate: number): ColourCompute {
  const compute: ColourCompute = new InlineColourCompute()
  compute.rangeXor = async (kernel) => xor(kernel)
  compute.measure = async () => rate
  return compute
}

const right = (kernel: ColourKernelId): bigint => BENCH_FINGERPRINTS[kernel] ^ seed

test('the fastest right engine is 1, a wrong one is told, one that fails has no rate, one that is missing no row', async () => {
  const engines: Record<string, () => ColourCompute> = {
    slow: () => engineOf(right, 5),
    wrong: () => engineOf((kernel) => right(kernel) ^ 1n, 100),
    missing: () => {
      throw new ComputeError('NO_ENGINE', { tried: ['missing: no GPU'] })
    },
    failing: () =>
      engineOf(() => {
        throw new Error('device lost')
      }, 7),
    fast: () => engineOf(right, 20),
  }
  const heard: number[] = []
  const open = async (engine: string): Promise<ColourCompute> => engines[engine]!()
  const rows = await benchEach(Object.keys(engines), open, ['turbo32'], 1, never, ({ ratioToFastest }) => heard.push(ratioToFastest))
  const known = { kernel: 'turbo32', threads: 1, fingerprint: hex64(BENCH_FINGERPRINTS.turbo32), ok: true }
  expect(rows).toEqual([
    { ...known, engine: 'slow', coloursPerSecond: 5, ratioToFastest: 0.25 },
    { ...known, engine: 'wrong', coloursPerSecond: 100, fingerprint: hex64(BENCH_FINGERPRINTS.turbo32 ^ 1n), ok: false, ratioToFastest: 5 },
    { ...known, engine: 'failing', coloursPerSecond: 0, fingerprint: '', ok: false, ratioToFastest: 0 },
    { ...known, engine: 'fast', coloursPerSecond: 20, ratioToFastest: 1 },
  ])
  expect(heard).toEqual([1, 20, 0, 1])
})

test('an engine that finishes nothing in the time gets more, but not for ever', async () => {
  const asked: number[] = []
  const late = (after: number): ColourCompute => {
    const compute = engineOf(right, 0)
    compute.measure = async (_kernel, ms) => {
      asked.push(ms)
      return ms < after ? 0 : 3
    }
    return compute
  }
  expect(await benchEach(['late'], async () => late(30), ['spi64'], 10, never)).toMatchObject([{ coloursPerSecond: 3, ok: true }])
  expect(asked).toEqual([10, 20, 40])
  expect(await benchEach(['never'], async () => late(Infinity), ['spi64'], 10, never)).toMatchObject([{ coloursPerSecond: 0, ratioToFastest: 0 }])
  expect(asked.at(-1)).toBe(640)
})
