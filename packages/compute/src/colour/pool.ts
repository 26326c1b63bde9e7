import type { Worker } from 'node:worker_threads'
import { CHUNK_COLOURS, type ColourKernelId } from '@sgsd/color'
import { ComputeError } from '../compute-error.ts'
import { chooseEngine } from './choose.ts'
import { coloursDone, makeJob, stop, xorSoFar, type ColourJob } from './job.ts'
import type { ColourCompute, EngineReport } from './port.ts'
import type { EngineFinding } from './probe.ts'
import { startWorker } from './worker-thread.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'

export interface PoolOptions {
  readonly threads: number
  readonly duty: number
  readonly niceness: number
  /** The worker's file. */
  readonly worker: URL
}

interface PendingJob {
  readonly job: ColourJob
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

const CHUNK = BigInt(CHUNK_COLOURS)

/** Chunks of one call, at most: 2^42 colours and 32 MiB of values, many hours of one core. */
const MAX_CHUNKS = 2 ** 22

/** How often a caller hears of progress, ms. */
const PROGRESS_MS = 100

/** How long a worker may take to start and try all engines, ms: some 150 here; 100 times that on a loaded small board. */
const PROBE_DEADLINE_MS = 15_000

/** Worker deaths without a finished job in between after which a thread is not replaced again. */
const MAX_DEATHS_IN_A_ROW = 8

/** A range that no measurement finishes. */
const ENDLESS = 2n ** 62n

/**
 * Threads that share every job: work never touches the calling thread, which only posts a job, and hears once when
 * its last unit is done.
 */
export class ColourPool implements ColourCompute {
  readonly threads: number
  readonly engine: string
  readonly engines: readonly EngineReport[]
  readonly #options: PoolOptions
  readonly #workers: Worker[]
  readonly #pending = new Map<number, PendingJob>()
  #jobs = 0
  #deathsInARow = 0
  #closing: Promise<void> | undefined

  private constructor(options: PoolOptions, engine: string, engines: readonly EngineReport[], workers: readonly Worker[]) {
    this.threads = options.threads
    this.engine = engine
    this.engines = engines
    this.#options = options
    this.#workers = [...workers]
    for (const worker of workers) this.#employ(worker)
  }

  /** @throws ComputeError NO_ENGINE when none works, WORKER_CRASHED when the threads cannot start */
  static async open(options: PoolOptions): Promise<ColourPool> {
    const workers = Array.from({ length: options.threads }, (_, place) => startWorker(options.worker, threadName(place), options))
    try {
      const { active, reports } = chooseEngine(await probe(workers))
      if (active === undefined) throw new ComputeError('NO_ENGINE', { tried: reports.map(({ engine, why }) => `${engine}: ${why}`) })
      return new ColourPool(options, active, reports, workers)
    } catch (error) {
      await Promise.all(workers.map((worker) => worker.terminate()))
      throw error
    }
  }

  async chunkValues(kernel: ColourKernelId, seed: bigint, first: bigint, count: number, signal: AbortSignal): Promise<BigUint64Array> {
    if (!Number.isInteger(count) || count < 0 || count > MAX_CHUNKS) throw new RangeError(`${count} is not a number of chunks up to ${MAX_CHUNKS}`)
    const job = makeJob(this.#jobs++, { kernel, seed, start: first * CHUNK, count: BigInt(count) * CHUNK }, true)
    await this.#run(job, 'chunkValues', signal)
    return new BigUint64Array(job.values ?? [])
  }

  async rangeXor(
    kernel: ColourKernelId,
    seed: bigint,
    start: bigint,
    count: bigint,
    signal: AbortSignal,
    onProgress?: (done: bigint) => void,
  ): Promise<bigint> {
    if (count < 0n) throw new RangeError(`a range cannot have ${count} colours`)
    const job = makeJob(this.#jobs++, { kernel, seed, start, count }, false)
    const report = onProgress && setInterval(() => onProgress(coloursDone(job)), PROGRESS_MS)
    try {
      await this.#run(job, 'rangeXor', signal)
    } finally {
      clearInterval(report)
    }
    onProgress?.(count)
    return xorSoFar(job)
  }

  async measure(kernel: ColourKernelId, ms: number): Promise<number> {
    const job = makeJob(this.#jobs++, { kernel, seed: 0n, start: 0n, count: ENDLESS }, false)
    const enough = AbortSignal.timeout(ms)
    const began = performance.now()
    try {
      await this.#run(job, 'measure', enough)
    } catch (error) {
      if (error !== enough.reason) throw error
    }
    return (Number(coloursDone(job)) * 1000) / (performance.now() - began)
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Settles when every unit is done, the signal fires, a worker dies or the pool closes, whichever is first. */
  async #run(job: ColourJob, call: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#closing !== undefined) throw new ComputeError('CLOSED', { call })
    if (job.count === 0n) return
    if (this.#workers.length === 0)
      throw new ComputeError('NO_ENGINE', { tried: [`${this.engine}: its threads died ${MAX_DEATHS_IN_A_ROW} times in a row`] })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const abort = (): void => reject(signal.reason)
    this.#pending.set(job.id, { job, resolve, reject })
    signal.addEventListener('abort', abort, { once: true })
    for (const worker of this.#workers) {
      worker.ref()
      send(worker, { type: 'job', job })
    }
    try {
      await promise
    } finally {
      stop(job)
      signal.removeEventListener('abort', abort)
      this.#pending.delete(job.id)
      // an idle pool keeps no process alive
      if (this.#pending.size === 0) for (const worker of this.#workers) worker.unref()
    }
  }

  #employ(worker: Worker): void {
    let cause: unknown
    worker.on('message', (message: FromWorker) => {
      if (message.type !== 'complete') return
      this.#deathsInARow = 0
      this.#pending.get(message.id)?.resolve()
    })
    worker.on('error', (error) => {
      cause = error
    })
    worker.once('exit', (code) => this.#bury(worker, code, cause))
    send(worker, { type: 'use', engine: this.engine })
    if (this.#pending.size === 0) worker.unref()
  }

  /** A dead worker may have taken units that nobody will finish, so every call in flight fails; the next finds a new worker. */
  #bury(worker: Worker, code: number, cause: unknown): void {
    if (this.#closing !== undefined) return
    const place = this.#workers.indexOf(worker)
    const detail = cause instanceof Error ? cause.message : `exit code ${code}`
    for (const { reject } of this.#pending.values()) reject(new ComputeError('WORKER_CRASHED', { worker: threadName(place), detail }, { cause }))
    this.#deathsInARow++
    if (this.#deathsInARow >= MAX_DEATHS_IN_A_ROW) {
      this.#workers.splice(place, 1)
      return
    }
    const next = startWorker(this.#options.worker, threadName(place), this.#options)
    this.#workers[place] = next
    this.#employ(next)
  }

  async #shutDown(): Promise<void> {
    for (const { job, reject } of this.#pending.values()) {
      stop(job)
      reject(new ComputeError('CLOSED', { call: 'close' }))
    }
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}

/** Asks the first worker. @throws ComputeError WORKER_CRASHED when any of them dies, or the first says nothing for too long */
async function probe(workers: readonly Worker[]): Promise<readonly EngineFinding[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly EngineFinding[]>()
  const listening = new AbortController()
  const fail = (place: number, detail: string, cause?: unknown): void =>
    reject(new ComputeError('WORKER_CRASHED', { worker: threadName(place), detail }, { cause }))
  const deadline = setTimeout(() => fail(0, `no answer for ${PROBE_DEADLINE_MS} ms at start`), PROBE_DEADLINE_MS)
  for (const [place, worker] of workers.entries()) {
    const onError = (error: unknown): void => fail(place, error instanceof Error ? error.message : String(error), error)
    const onExit = (code: number): void => fail(place, `exit code ${code}`)
    const onMessage = (message: FromWorker): void => {
      if (message.type === 'probed') resolve(message.findings)
    }
    worker.on('error', onError).on('exit', onExit).on('message', onMessage)
    listening.signal.addEventListener('abort', () => worker.off('error', onError).off('exit', onExit).off('message', onMessage), { once: true })
  }
  try {
    send(workers[0] as Worker, { type: 'probe' })
    return await promise
  } finally {
    clearTimeout(deadline)
    listening.abort()
  }
}

function send(worker: Worker, message: ToWorker): void {
  worker.postMessage(message)
}

function threadName(place: number): string {
  return `colour-${place}`
}
