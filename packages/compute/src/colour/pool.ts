import type { Worker } from 'node:worker_threads'
import { CHUNK_COLOURS, type ColourKernelId, POLARITIES, type TriadicProfile, twistSeed } from '@sgsd/color'
import { ComputeError } from '../compute-error.ts'
import { chooseEngine, type EngineChoice } from './choose.ts'
import { benchEach } from './engine-bench.ts'
import { coloursDone, makeJob, stop, xorSoFar, type ColourJob } from './job.ts'
import type { ColourCompute, EngineBench, EngineReport } from './port.ts'
import type { EngineFinding } from './probe.ts'
import { startWorker } from './worker-thread.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'

export interface PoolOptions {
  readonly threads: number
  readonly duty: number
  readonly niceness: number
  /** The worker's file. */
  readonly worker: URL
  /** The one engine to use; absent: the fastest right one. */
  readonly engine?: string
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

/** Worker deaths, without a job that their engine finished in between, after which it is given up. */
const MAX_DEATHS_IN_A_ROW = 8

/** A worker that lived so long before it died did so for a reason of its own, ms. */
const LONG_LIFE_MS = 60_000

/** How long a worker may take to finish the units at hand and to give its engine back, ms. A driver that is cut off can abort the process. */
const CLOSE_DEADLINE_MS = 1_000

/** A range that no measurement finishes. */
const ENDLESS = 2n ** 62n

/**
 * Threads that share every job: work never touches the calling thread, which only posts a job, and hears once when
 * its last unit is done.
 */
export class ColourPool implements ColourCompute {
  readonly threads: number
  readonly #options: PoolOptions
  /** With the engines that were given up since, as wrong. */
  #findings: readonly EngineFinding[]
  #choice: EngineChoice
  readonly #workers: Worker[]
  readonly #pending = new Map<number, PendingJob>()
  #jobs = 0
  /** Deaths in a row by engine. */
  readonly #deaths = new Map<string, number>()
  #closing: Promise<void> | undefined

  private constructor(options: PoolOptions, findings: readonly EngineFinding[], choice: EngineChoice, workers: readonly Worker[]) {
    this.threads = workers.length
    this.#options = options
    this.#findings = findings
    this.#choice = choice
    this.#workers = [...workers]
    for (const [place, worker] of workers.entries()) this.#employ(worker, place)
  }

  get engine(): string {
    return this.#choice.active ?? 'none'
  }

  get engines(): readonly EngineReport[] {
    return this.#choice.reports
  }

  /** @throws ComputeError NO_ENGINE when none works, WORKER_CRASHED when the threads cannot start */
  static async open(options: PoolOptions): Promise<ColourPool> {
    const workers = Array.from({ length: options.threads }, (_, place) => startWorker(options.worker, threadName(place), options))
    try {
      const findings = await probe(workers, options.engine)
      const choice = chooseEngine(findings, options.threads)
      if (choice.active === undefined) throw noEngine(choice)
      const idle = choice.beside === undefined ? workers.splice(choice.threads) : []
      await Promise.all(idle.map((worker) => worker.terminate()))
      return new ColourPool(options, findings, choice, workers)
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

  async triadic(seed: bigint, perPolarity: bigint, profile: TriadicProfile, signal: AbortSignal): Promise<bigint> {
    if (perPolarity < 0n) throw new RangeError(`a polarity cannot have ${perPolarity} colours`)
    const fingerprints = POLARITIES.map(async (polarity) => {
      const twisted = twistSeed(seed, polarity)
      const job = makeJob(this.#jobs++, { kernel: profile, seed: twisted, start: BigInt(polarity), count: perPolarity }, false)
      await this.#run(job, 'triadic', signal)
      return twisted ^ xorSoFar(job)
    })
    return (await Promise.all(fingerprints)).reduce((xor, fingerprint) => xor ^ fingerprint, 0n)
  }

  async benchEngines(
    kernels: readonly ColourKernelId[],
    ms: number,
    signal: AbortSignal,
    onResult?: (row: EngineBench) => void,
  ): Promise<readonly EngineBench[]> {
    if (this.#closing !== undefined) throw new ComputeError('CLOSED', { call: 'benchEngines' })
    const working = this.engines.filter(({ state }) => state !== 'missing' && state !== 'wrong').map(({ engine }) => engine)
    return benchEach(working, (engine) => ColourPool.open({ ...this.#options, engine }), kernels, ms, signal, onResult)
  }

  async measure(kernel: ColourKernelId, ms: number, signal?: AbortSignal): Promise<number> {
    const job = makeJob(this.#jobs++, { kernel, seed: 0n, start: 0n, count: ENDLESS }, false)
    const enough = AbortSignal.timeout(ms)
    const cpuBefore = await this.#cpuSeconds()
    const began = performance.now()
    try {
      await this.#run(job, 'measure', signal === undefined ? enough : AbortSignal.any([enough, signal]))
    } catch (error) {
      if (error !== enough.reason) throw error
    }
    const colours = Number(coloursDone(job))
    const byClock = (colours * 1000) / (performance.now() - began)
    const cpu = ((await this.#cpuSeconds()) ?? Number.NaN) - (cpuBefore ?? Number.NaN)
    // a device beside the processor takes no processor time for its work: it goes by the clock
    const active = this.#findings.find(({ engine }) => engine === this.#choice.active)
    const onCores = active?.state === 'good' && active.threads === undefined
    return onCores && cpu > 0 ? Math.max(byClock, (colours / cpu) * this.threads * this.#options.duty) : byClock
  }

  /** Processor time of all threads so far; undefined on a Node that cannot tell. What a busy machine takes away must not count against it. */
  async #cpuSeconds(): Promise<number | undefined> {
    // an idle pool keeps no process alive, but this answer must be waited for
    const awake = setInterval(() => undefined, 1_000)
    try {
      const used = await Promise.all(this.#workers.map((worker) => worker.cpuUsage()))
      return used.reduce((sum, { user, system }) => sum + user + system, 0) / 1e6
    } catch {
      return undefined
    } finally {
      clearInterval(awake)
    }
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
    if (this.#choice.active === undefined) throw noEngine(this.#choice)
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

  #employ(worker: Worker, place: number): void {
    let cause: unknown
    worker.on('message', (message: FromWorker) => {
      if (message.type !== 'complete') return
      this.#deaths.delete(engineAt(this.#choice, this.#workers.indexOf(worker)))
      this.#pending.get(message.id)?.resolve()
    })
    worker.on('error', (error) => {
      cause = error
    })
    const bornAt = performance.now()
    worker.once('exit', (code) => {
      if (performance.now() - bornAt > LONG_LIFE_MS) this.#deaths.delete(engineAt(this.#choice, this.#workers.indexOf(worker)))
      this.#bury(worker, code, cause)
    })
    send(worker, { type: 'use', engine: engineAt(this.#choice, place) })
    if (this.#pending.size === 0) worker.unref()
  }

  /** A dead worker may have taken units that nobody will finish, so every call in flight fails; the next finds a new worker. */
  #bury(worker: Worker, code: number, cause: unknown): void {
    if (this.#closing !== undefined) return
    const place = this.#workers.indexOf(worker)
    const detail = cause instanceof Error ? cause.message : `exit code ${code}`
    for (const { reject } of this.#pending.values()) reject(new ComputeError('WORKER_CRASHED', { worker: threadName(place), detail }, { cause }))
    const engine = engineAt(this.#choice, place)
    const deaths = (this.#deaths.get(engine) ?? 0) + 1
    this.#deaths.set(engine, deaths)
    if (deaths >= MAX_DEATHS_IN_A_ROW) this.#giveUp(engine, detail)
    if (this.#choice.active === undefined) {
      this.#workers.splice(place, 1)
      return
    }
    const next = startWorker(this.#options.worker, threadName(place), this.#options)
    this.#workers[place] = next
    this.#employ(next, place)
  }

  /** The next best engine takes over; the one given up stays on the list, with its reason. */
  #giveUp(engine: string, detail: string): void {
    const why = `its threads died ${MAX_DEATHS_IN_A_ROW} times in a row: ${detail}`
    const before = this.#choice
    this.#findings = this.#findings.map((finding) => (finding.engine === engine ? { engine, state: 'wrong', why } : finding))
    this.#choice = chooseEngine(this.#findings, this.threads)
    if (this.#choice.active === undefined) return
    for (const [place, worker] of this.#workers.entries()) {
      const next = engineAt(this.#choice, place)
      if (next !== engineAt(before, place)) send(worker, { type: 'use', engine: next })
    }
  }

  async #shutDown(): Promise<void> {
    for (const { job, reject } of this.#pending.values()) {
      stop(job)
      reject(new ComputeError('CLOSED', { call: 'close' }))
    }
    await Promise.all(this.#workers.map(dismiss))
  }
}

/** The engine of the thread at a place. */
function engineAt({ active = 'none', beside, threads }: EngineChoice, place: number): string {
  return place < threads ? active : (beside ?? active)
}

function noEngine({ reports }: EngineChoice): ComputeError {
  return new ComputeError('NO_ENGINE', { tried: reports.map(({ engine, why }) => `${engine}: ${why}`) })
}

/** Lets a worker end by itself, but not for ever. */
async function dismiss(worker: Worker): Promise<void> {
  if (worker.threadId === EXITED) return
  const gone = new Promise((resolve) => worker.once('exit', resolve))
  const deadline = setTimeout(() => void worker.terminate(), CLOSE_DEADLINE_MS)
  worker.ref()
  send(worker, { type: 'close' })
  await gone
  clearTimeout(deadline)
}

/** `threadId` of a worker that is no more. */
const EXITED = -1

/** Asks the first worker about all engines, or only the one named. @throws ComputeError WORKER_CRASHED when any of them dies, or the first says nothing for too long */
async function probe(workers: readonly Worker[], only: string | undefined): Promise<readonly EngineFinding[]> {
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
    send(workers[0] as Worker, { type: 'probe', ...(only === undefined ? {} : { only }) })
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
