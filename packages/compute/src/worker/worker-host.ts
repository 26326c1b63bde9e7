import type { MessagePort } from 'node:worker_threads'
import { ComputeError } from '../compute-error.ts'
import { type Calls, type Reply, type Request, STOP_CELL, toFailure, transferables } from './worker-messages.ts'

/**
 * The worker's end of a `WorkerLink`: answers calls one after the other, in the order in which they came.
 * @param stop - first cell 1 = the main thread closes: calls that have not begun are rejected with CLOSED
 * @param release - frees what the calls hold; runs once, after the last call and before the thread ends
 */
export function serveCalls<C extends Calls<C>>(port: MessagePort, calls: C, stop: Int32Array, release: () => Promise<void>): void {
  let last: Promise<void> = Promise.resolve()
  const functions = calls as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>

  const answer = async (id: number, name: string, args: readonly unknown[]): Promise<void> => {
    let reply: Reply
    try {
      if (Atomics.load(stop, STOP_CELL) === 1) throw new ComputeError('CLOSED', { call: name })
      const call = Object.hasOwn(functions, name) ? functions[name] : undefined
      if (call === undefined) throw new Error(`the worker has no call ${name}`)
      reply = { id, ok: true, value: await call(...args) }
    } catch (error) {
      reply = { id, ok: false, failure: toFailure(error) }
    }
    port.postMessage(reply, reply.ok ? [...transferables(reply.value)] : [])
  }

  port.on('message', (request: Request) => {
    if (request.type === 'call') {
      last = last.then(() => answer(request.id, request.name, request.args))
      return
    }
    last = last.then(release).finally(() => port.close())
  })
}
