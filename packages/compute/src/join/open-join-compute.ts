import { WorkerLink } from '../worker/worker-link.ts'
import { checkGate, checkSets } from './check-join.ts'
import type { JoinCalls } from './join-calls.ts'
import { assemblePairs, type JoinPiece } from './join-run.ts'
import type { IdSets, JoinCompute, JoinEngineName, JoinEngineReport, OnRows, PairGate, SetPairs } from './port.ts'

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './join-worker.ts' : './join-worker.js', import.meta.url)

export interface JoinOptions {
  /** This engine or none; default the fastest that works. */
  readonly engine?: JoinEngineName
}

/** Starts the thread of the joins and checks its engines. @throws ComputeError NO_ENGINE | WORKER_CRASHED */
export async function openJoinCompute({ engine }: JoinOptions = {}): Promise<JoinCompute> {
  const link = new WorkerLink<JoinCalls>({ url: WORKER, name: 'join', data: {} })
  try {
    const opened = await link.call('open', engine)
    return new JoinWorker(link, opened.engine, opened.engines)
  } catch (error) {
    await link.close()
    throw error
  }
}

class JoinWorker implements JoinCompute {
  readonly engine: JoinEngineName
  readonly engines: readonly JoinEngineReport[]
  readonly #link: WorkerLink<JoinCalls>
  #last: Promise<unknown> = Promise.resolve()

  constructor(link: WorkerLink<JoinCalls>, engine: JoinEngineName, engines: readonly JoinEngineReport[]) {
    this.#link = link
    this.engine = engine
    this.engines = engines
  }

  async join(sets: IdSets, gate: PairGate, signal: AbortSignal, onRows?: OnRows): Promise<SetPairs> {
    checkSets(sets)
    checkGate(gate)
    signal.throwIfAborted()
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    // an abort that nobody waits for is no error
    aborted.catch(() => {})
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const before = this.#last
    const mine = before.then(() => this.#run(whole(sets), gate, signal, aborted, onRows))
    this.#last = mine.catch(() => {})
    try {
      return await Promise.race([mine, aborted])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(sets: IdSets, gate: PairGate, signal: AbortSignal, aborted: Promise<never>, onRows: OnRows | undefined): Promise<SetPairs> {
    signal.throwIfAborted()
    const rows = sets.ptr.length - 1
    try {
      const sizes = await Promise.race([this.#link.call('begin', sets, gate), aborted])
      const pieces: JoinPiece[] = []
      for (let next = await this.#link.call('next'); next !== undefined; next = await this.#link.call('next')) {
        signal.throwIfAborted()
        pieces.push(next.piece)
        onRows?.(next.done, rows)
      }
      onRows?.(rows, rows)
      return assemblePairs(sizes, pieces)
    } finally {
      // a worker that died has nothing to let go of
      void this.#link.call('end').catch(() => {})
    }
  }
}

/** Arrays that are all of their buffers: the structured clone copies whole buffers. */
function whole({ ptr, ids }: IdSets): IdSets {
  const own = (array: Uint32Array): Uint32Array => (array.byteLength === array.buffer.byteLength ? array : array.slice())
  return { ptr: own(ptr), ids: own(ids) }
}
