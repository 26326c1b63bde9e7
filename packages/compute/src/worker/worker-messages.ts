import { ComputeError, type ComputeErrorCode, type ComputeErrorData } from '../compute-error.ts'

/** Functions that a worker offers, by name. Arguments and results must survive the structured clone. */
export type Calls<C> = { readonly [K in keyof C]: (...args: never[]) => unknown }

/** Main thread → worker. */
export type Request =
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  /** Answer what was asked so far, release everything, end the thread. */
  | { readonly type: 'close' }

/** Worker → main thread, one for each call, in the order of the calls. */
export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly failure: Failure }

/** An error as plain data: the structured clone would drop `code` and `data`. */
export type Failure =
  | { readonly kind: 'coded'; readonly code: ComputeErrorCode; readonly data: ComputeErrorData[ComputeErrorCode] }
  | { readonly kind: 'bug'; readonly message: string; readonly stack: string }

export function toFailure(error: unknown): Failure {
  if (error instanceof ComputeError) return { kind: 'coded', code: error.code, data: error.data }
  if (error instanceof Error) return { kind: 'bug', message: error.message, stack: error.stack ?? error.message }
  return { kind: 'bug', message: String(error), stack: '' }
}

export function fromFailure(failure: Failure): Error {
  if (failure.kind === 'coded') return new ComputeError(failure.code, failure.data)
  const error = new Error(failure.message)
  error.stack = failure.stack
  return error
}

/** Cell of the shared stop flag that the main thread raises when it closes: long calls look at it between two lines. */
export const STOP_CELL = 0

/** The buffers inside a message that can move instead of being copied: those that a byte array covers wholly. */
export function transferables(value: unknown, found: Set<ArrayBuffer> = new Set()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) found.add(value.buffer)
  } else if (Array.isArray(value)) {
    for (const each of value) transferables(each, found)
  } else if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) transferables(each, found)
  }
  return found
}
