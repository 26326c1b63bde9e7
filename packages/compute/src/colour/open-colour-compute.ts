import { availableParallelism } from 'node:os'
import { ColourPool } from './pool.ts'
import type { ColourCompute, ColourOptions } from './port.ts'
import { COLOUR_WORKER } from './worker-thread.ts'

/**
 * Starts the worker threads, tries every engine and lets the fastest right one work.
 * @throws RangeError on options out of range
 * @throws ComputeError NO_ENGINE when none works here, or the one asked for does not, WORKER_CRASHED when the threads cannot start
 */
export async function openColourCompute(options: ColourOptions = {}): Promise<ColourCompute> {
  const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / 2))
  const duty = options.duty ?? 1
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS)
    throw new RangeError(`${threads} is not a number of threads from 1 to ${MAX_THREADS}`)
  if (!(duty > 0 && duty <= 1)) throw new RangeError(`${duty} is not a share of time in (0, 1]`)
  const niceness = options.niceness ?? NICENESS
  if (!Number.isInteger(niceness) || niceness < 0 || niceness > 19) throw new RangeError(`${niceness} is not a niceness from 0 to 19`)
  return ColourPool.open({ threads, duty, niceness, worker: COLOUR_WORKER, ...(options.engine === undefined ? {} : { engine: options.engine }) })
}

/** Names of all engines, for `ColourOptions.engine`, in the order in which they are tried and reported. */
export const COLOUR_ENGINES: readonly string[] = ['native', 'webgpu', 'wasm', 'onnx', 'reference']

/** More than the cores of any machine, few enough to start. */
const MAX_THREADS = 1024

/** Niceness of the threads unless said: whatever else the machine does comes first. */
const NICENESS = 10
