import { Worker } from 'node:worker_threads'
import { ComputeError } from '../compute-error.ts'
import { type Calls, fromFailure, type Reply, type Request, STOP_CELL } from './worker-messages.ts'

/** How long `close` waits for the worker to end by itself before it is terminated unless said, ms: a call stops within one line or one fold. */
const CLOSE_DEADLINE_MS = 2_000

interface Pending {
  readonly name: string
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export interface WorkerLinkOptions {
  /** Module of the worker: `.ts` in a checkout, `.js` when built. */
  readonly url: URL
  /** Name of the thread, in errors and in profilers. */
  readonly name: string
  /** Heap of the thread, MB; node's defaults where left out. */
  readonly heap?: { readonly youngMb: number; readonly oldMb: number }
  /** How long `close` waits for the worker to end by itself before it is terminated, ms. */
  readonly closeMs?: number
  /** Given to the worker as `workerData`, with `stop` added: a shared Int32Array whose first cell becomes 1 when it should stop. */
  readonly data: Readonly<Record<string, unknown>>
}

/**
 * The main thread's end of a worker that answers calls one after the other, in order.
 * When the worker dies, every waiting and every later call is rejected with WORKER_CRASHED; after `close`, with CLOSED.
 */
export class WorkerLink<C extends Calls<C>> {
  readonly #worker: Worker
  readonly #name: string
  readonly #stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  readonly #pending = new Map<number, Pending>()
  readonly #exited: Promise<void>
  readonly #closeMs: number
  #nextId = 0
  #crash: string | undefined
  #ended = false
  #closing: Promise<void> | undefined

  constructor(options: WorkerLinkOptions) {
    this.#name = options.name
    this.#closeMs = options.closeMs ?? CLOSE_DEADLINE_MS
    this.#worker = new Worker(options.url, {
      name: options.name,
      workerData: { ...options.data, stop: this.#stop },
      ...(options.heap === undefined
        ? {}
        : { resourceLimits: { maxYoungGenerationSizeMb: options.heap.youngMb, maxOldGenerationSizeMb: options.heap.oldMb } }),
      ...(options.url.pathname.endsWith('.ts') ? { execArgv: ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning'] } : {}),
    })
    this.#worker.on('message', (reply: Reply) => this.#settle(reply))
    this.#worker.on('messageerror', (error) => this.#fail(error.message))
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error.message : String(error)))
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#fail(`it ended with exit code ${code}`)
        resolve()
      })
    })
  }

  /** Calls a function of the worker. Arguments are copied, the caller keeps its buffers. */
  call<K extends keyof C & string>(name: K, ...args: Parameters<C[K]>): Promise<Awaited<ReturnType<C[K]>>> {
    if (this.#closing !== undefined) return Promise.reject(new ComputeError('CLOSED', { call: name }))
    if (this.#crash !== undefined || this.#ended) return Promise.reject(this.#crashError())
    const id = this.#nextId++
    return new Promise<Awaited<ReturnType<C[K]>>>((resolve, reject) => {
      this.#pending.set(id, { name, resolve: resolve as (value: unknown) => void, reject })
      const request: Request = { type: 'call', id, name, args: detached(args) as readonly unknown[] }
      this.#worker.postMessage(request, buffersOf(request.args))
    })
  }

  /** Ends the worker after the call that runs now has stopped; calls that wait are rejected with CLOSED. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    Atomics.store(this.#stop, STOP_CELL, 1)
    if (!this.#ended) {
      const request: Request = { type: 'close' }
      this.#worker.postMessage(request)
    }
    const { promise: late, resolve } = Promise.withResolvers<'late'>()
    const timer = setTimeout(resolve, this.#closeMs, 'late')
    const outcome = await Promise.race([this.#exited, late])
    clearTimeout(timer)
    if (outcome === 'late') await this.#worker.terminate()
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id)
    if (pending === undefined) return
    this.#pending.delete(reply.id)
    if (reply.ok) pending.resolve(reply.value)
    else pending.reject(fromFailure(reply.failure))
  }

  #fail(detail: string): void {
    this.#ended = true
    if (this.#closing === undefined) this.#crash ??= detail
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    for (const { name, reject } of waiting) {
      reject(this.#closing === undefined ? this.#crashError() : new ComputeError('CLOSED', { call: name }))
    }
  }

  #crashError(): ComputeError {
    return new ComputeError('WORKER_CRASHED', { worker: this.#name, detail: this.#crash ?? 'it ended' })
  }
}

/**
 * The arguments with every byte array in a buffer of its own, so that it can move to the worker:
 * the structured clone of a small view would copy the whole buffer behind it. Shared memory stays shared.
 */
function detached(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(detached)
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, detached(each)]))
  }
  return value
}

/** The buffers that `detached` made: nothing else of the arguments may move. */
function buffersOf(value: unknown, found: ArrayBuffer[] = []): ArrayBuffer[] {
  if (value instanceof Uint8Array) found.push(value.buffer as ArrayBuffer)
  else if (Array.isArray(value)) for (const each of value) buffersOf(each, found)
  else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const each of Object.values(value)) buffersOf(each, found)
  }
  return found
}
