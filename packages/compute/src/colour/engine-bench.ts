import { CHUNK_COLOURS, type ColourKernelId, hex64 } from '@sgsd/color'
import { ComputeError } from '../compute-error.ts'
import type { ColourCompute, EngineBench } from './port.ts'

/** What each engine computes before it is timed: across 2^32, and no multiple of any lane count. */
export const BENCH_RANGE: { readonly seed: bigint; readonly start: bigint; readonly count: bigint } = {
  seed: 7_202_985n,
  start: 0xfff0_bdc1n,
  count: BigInt(16 * CHUNK_COLOURS + 12_345),
}

/** seed ^ XOR over that range; a test computes them with the pure kernels. */
export const BENCH_FINGERPRINTS: Readonly<Record<ColourKernelId, bigint>> = { spi64: 0xaa1a_0119_6406_6c43n, turbo32: 0xe56c_7df8n }

/**
 * Times engines one after another, each alone on all its threads.
 * @param open - threads that have only the named engine
 * @param ms - how long each is timed for each kernel, about
 * @param onResult - hears of each row as it is measured, its ratio to the fastest until then
 * @returns in the order of the names, without the engines that `open` found missing or wrong; one that opened and could not finish has a
 * rate of 0, no fingerprint, and is not ok
 * @throws the signal's reason
 */
export async function benchEach(
  names: readonly string[],
  open: (engine: string) => Promise<ColourCompute>,
  kernels: readonly ColourKernelId[],
  ms: number,
  signal: AbortSignal,
  onResult?: (row: EngineBench) => void,
): Promise<readonly EngineBench[]> {
  const rows: EngineBench[] = []
  for (const name of names) {
    for (const measured of await benchOne(name, open, kernels, ms, signal)) {
      rows.push(measured)
      onResult?.(withRatio(measured, rows))
    }
  }
  return rows.map((row) => withRatio(row, rows))
}

async function benchOne(
  engine: string,
  open: (engine: string) => Promise<ColourCompute>,
  kernels: readonly ColourKernelId[],
  ms: number,
  signal: AbortSignal,
): Promise<EngineBench[]> {
  signal.throwIfAborted()
  const rows: EngineBench[] = []
  let threads = 0
  try {
    await using compute = await open(engine)
    threads = compute.threads
    for (const kernel of kernels) {
      const { seed, start, count } = BENCH_RANGE
      const fingerprint = seed ^ (await compute.rangeXor(kernel, seed, start, count, signal))
      const coloursPerSecond = await rateOf(compute, kernel, ms, signal)
      const ok = fingerprint === BENCH_FINGERPRINTS[kernel]
      rows.push({ engine, kernel, threads, coloursPerSecond, fingerprint: hex64(fingerprint), ok, ratioToFastest: 1 })
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ComputeError && error.code === 'NO_ENGINE' && threads === 0) return []
    for (const kernel of kernels.slice(rows.length))
      rows.push({ engine, kernel, threads, coloursPerSecond: 0, fingerprint: '', ok: false, ratioToFastest: 0 })
  }
  return rows
}

/** A slow engine on a busy machine may finish no chunk in so short a time: then it gets more. */
async function rateOf(compute: ColourCompute, kernel: ColourKernelId, ms: number, signal: AbortSignal): Promise<number> {
  let rate = 0
  for (let time = ms; rate === 0 && time <= LONGEST_TIMES * ms; time *= 2) rate = await compute.measure(kernel, time, signal)
  return rate
}

/** As many times the time asked for does an engine get at most, to finish anything. */
const LONGEST_TIMES = 64

function withRatio(row: EngineBench, rows: readonly EngineBench[]): EngineBench {
  const rates = rows.filter(({ kernel, ok }) => ok && kernel === row.kernel).map(({ coloursPerSecond }) => coloursPerSecond)
  const fastest = Math.max(0, ...rates)
  return { ...row, ratioToFastest: fastest === 0 ? 0 : row.coloursPerSecond / fastest }
}
