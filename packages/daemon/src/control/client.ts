import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { DaemonEvent } from './api.ts'
import { ControlError, refusal } from './control-error.ts'
import { postLines } from './post-lines.ts'

export { ControlError, type ControlErrorCode } from './control-error.ts'

export interface ControlClient {
  get<T>(path: string, signal?: AbortSignal): Promise<T>
  post<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T>
  /** Posts, and yields one JSON value for each line of the answer until it ends. @throws ControlError, also in the midst of it */
  lines<T>(path: string, body: unknown, signal?: AbortSignal): AsyncIterable<T>
  /**
   * Sends a text of any length as it comes, no faster than the daemon takes it.
   * @throws ControlError; whatever the text's source throws
   */
  send<T>(path: string, text: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<T>
  /** Sends a file, as `send` does. */
  sendBytes<T>(path: string, bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<T>
  /** A file of at most so many bytes. @throws ControlError */
  bytes(path: string, most: number, signal?: AbortSignal): Promise<Uint8Array>
  /** Events until the signal aborts or the daemon stops. */
  events(signal: AbortSignal): AsyncIterable<DaemonEvent>
}

/** A daemon that is busy answers late; one that hangs must not hang us. */
const ANSWER_TIMEOUT_MS = 30_000
/** The daemon writes what it takes to disk; one that takes nothing for so long hangs. */
const STALL_MS = 60_000
/** A layer that is large, some of it fetched from peers first. */
const TRANSFER_TIMEOUT_MS = 120_000
/** Longest answer read. */
const MAX_ANSWER_BYTES = 64 * 2 ** 20

/** The control API of the daemon that runs on this data directory. */
export function openControl(root: string): ControlClient {
  const socketPath = join(root, 'control.sock')
  const call = async <T>(method: 'GET' | 'POST', path: string, body: unknown, signal?: AbortSignal): Promise<T> => {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const headers = payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }
    const deadline = AbortSignal.any([AbortSignal.timeout(ANSWER_TIMEOUT_MS), ...(signal === undefined ? [] : [signal])])
    const req = request({ socketPath, method, path, signal: deadline, headers: { host: 'sgsd', ...headers } })
    req.end(payload)
    return answerOf<T>(req, root)
  }
  return {
    get: (path, signal) => call('GET', path, undefined, signal),
    post: (path, body, signal) => call('POST', path, body ?? {}, signal),
    lines: <T>(path: string, body: unknown, signal?: AbortSignal) => postLines<T>({ socketPath, path, root }, body, signal),
    send: (path, text, signal) => send(post(socketPath, path, 'text/plain'), text, root, signal),
    sendBytes: (path, bytes, signal) => send(post(socketPath, path, 'application/octet-stream'), bytes, root, signal),
    bytes: (path, most, signal) => {
      const deadline = AbortSignal.any([AbortSignal.timeout(TRANSFER_TIMEOUT_MS), ...(signal === undefined ? [] : [signal])])
      const req = request({ socketPath, method: 'GET', path, signal: deadline, headers: { host: 'sgsd' } })
      req.end()
      return bytesOf(req, root, most)
    },
    events: (signal) => events(socketPath, root, signal),
  }
}

function post(socketPath: string, path: string, type: string): ClientRequest {
  return request({ socketPath, method: 'POST', path, headers: { host: 'sgsd', 'content-type': type } })
}

/** The whole answer. @throws ControlError */
async function answerOf<T>(req: ClientRequest, root: string): Promise<T> {
  const { status, body } = await received(req, root, MAX_ANSWER_BYTES)
  return parsed<T>(status, body, root)
}

/** The bytes of an answer. @throws ControlError */
async function bytesOf(req: ClientRequest, root: string, most: number): Promise<Uint8Array> {
  const { status, body } = await received(req, root, most)
  return status < 400 ? new Uint8Array(body.buffer, body.byteOffset, body.length) : parsed<never>(status, body, root)
}

function received(req: ClientRequest, root: string, most: number): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(refusal(error, root))
    req.on('error', fail)
    req.on('response', (res) => {
      const pieces: Buffer[] = []
      let size = 0
      res.on('data', (piece: Buffer) => {
        size += piece.length
        if (size > most) req.destroy(new Error('the answer is too long'))
        else pieces.push(piece)
      })
      res.on('error', fail)
      res.on('end', () => resolve({ status: res.statusCode ?? 500, body: Buffer.concat(pieces) }))
    })
  })
}

/** A document, or what the daemon refused. @throws ControlError */
function parsed<T>(status: number, body: Buffer, root: string): T {
  let answer: T & { error?: { code: string; message: string; hint?: string } }
  try {
    answer = JSON.parse(body.toString('utf8')) as typeof answer
  } catch (error) {
    throw refusal(error, root)
  }
  if (status < 400) return answer
  const { message, hint, code } = answer.error ?? { message: `the daemon answered ${status}`, code: '' }
  throw new ControlError('REFUSED', message, hint ?? '', code)
}

/** Writes a text into a request as fast as the daemon takes it. An answer before the end is a refusal: then the rest is not sent. */
async function send<T>(req: ClientRequest, text: AsyncIterable<Uint8Array>, root: string, signal?: AbortSignal): Promise<T> {
  const answered = new AbortController()
  const answer = answerOf<T>(req, root).finally(() => answered.abort())
  answer.catch(() => {})
  const stopped = signal === undefined ? answered.signal : AbortSignal.any([signal, answered.signal])
  try {
    for await (const piece of text) {
      if (stopped.aborted) break
      if (!req.write(piece)) await once(req, 'drain', { signal: AbortSignal.any([stopped, AbortSignal.timeout(STALL_MS)]) })
    }
    if (!stopped.aborted) {
      req.end()
      await Promise.race([answer, once(stopped, 'abort'), pause(STALL_MS, undefined, { signal: stopped }).catch(() => {})])
    }
  } catch (error) {
    // what the answer says is why the daemon takes no more
    if (!answered.signal.aborted)
      throw (error as Error).name === 'AbortError' && !stopped.aborted ? refusal(new DOMException('', 'TimeoutError'), root) : error
  } finally {
    if (!answered.signal.aborted) req.destroy()
  }
  signal?.throwIfAborted()
  const result = await answer
  req.destroy()
  return result
}

async function* events(socketPath: string, root: string, signal: AbortSignal): AsyncGenerator<DaemonEvent> {
  const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    const req = request({ socketPath, method: 'GET', path: '/v1/events', signal, headers: { host: 'sgsd' } }, resolve)
    req.on('error', (error) => reject(refusal(error, root)))
    req.end()
  })
  stream.setEncoding('utf8')
  let rest = ''
  try {
    for await (const piece of stream) {
      const lines = (rest + String(piece)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') yield JSON.parse(line) as DaemonEvent
    }
  } catch (error) {
    if (!signal.aborted && (error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
  }
}
