import type { FoldId } from '@sgsd/consensus'
import { ComputeError } from '../compute-error.ts'
import { WorkerLink } from '../worker/worker-link.ts'
import type { HistoryCalls } from './history-calls.ts'
import type { HistoryCompute } from './port.ts'

/** How long an idle thread is kept, ms: it holds some 100 MB, and takes a second to start. */
const IDLE_MS = 30_000

/** Heap of the thread, MB: as of the lattice worker's; matrices and layers lie outside. */
const HEAP = { youngMb: 6, oldMb: 256 } as const

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './history-worker.ts' : './history-worker.js', import.meta.url)

/** Starts no thread yet. @param idleMs - how long one is kept that has nothing to do */
export function openHistoryCompute(foldId: FoldId, idleMs: number = IDLE_MS): HistoryCompute {
  const thread = new IdleThread(foldId, idleMs)
  const close = (): Promise<void> => thread.close()
  return {
    check: (content) => thread.call('check', content),
    fold: (members) => thread.call('fold', members),
    lattice: (members) => thread.call('lattice', members),
    score: (members, lines) => thread.call('score', members, lines),
    merge: (members) => thread.call('merge', members),
    pairwise: (a, b) => thread.call('pairwise', a, b),
    diff: (blocks, top) => thread.call('diff', blocks, top),
    edge: (block, row, column) => thread.call('edge', block, row, column),
    rowsOf: (text) => thread.call('rowsOf', text),
    characters: (rows) => thread.call('characters', rows),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A worker thread that is there while there is work for it. */
class IdleThread {
  readonly #foldId: FoldId
  readonly #idleMs: number
  #link: WorkerLink<HistoryCalls> | undefined
  #running = 0
  #idle: NodeJS.Timeout | undefined
  #ending: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(foldId: FoldId, idleMs: number) {
    this.#foldId = foldId
    this.#idleMs = idleMs
  }

  async call<K extends keyof HistoryCalls & string>(name: K, ...args: Parameters<HistoryCalls[K]>): Promise<Awaited<ReturnType<HistoryCalls[K]>>> {
    if (this.#closed) throw new ComputeError('CLOSED', { call: name })
    clearTimeout(this.#idle)
    this.#link ??= new WorkerLink<HistoryCalls>({ url: WORKER, name: 'history', data: { foldId: this.#foldId }, heap: HEAP })
    const link = this.#link
    this.#running += 1
    try {
      return await link.call(name, ...args)
    } catch (error) {
      // a thread that died is replaced by the next call
      if (error instanceof ComputeError && error.code === 'WORKER_CRASHED' && this.#link === link) this.#end()
      throw error
    } finally {
      this.#running -= 1
      if (this.#running === 0 && !this.#closed) this.#idle = setTimeout(() => this.#end(), this.#idleMs).unref()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idle)
    this.#end()
    await this.#ending
  }

  #end(): void {
    const link = this.#link
    this.#link = undefined
    if (link !== undefined) this.#ending = Promise.all([this.#ending, link.close()])
  }
}
