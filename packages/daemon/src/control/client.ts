import { request } from 'node:http'
import { join } from 'node:path'
import type { DaemonEvent } from './api.ts'

export type ControlErrorCode = 'DAEMON_NOT_RUNNING' | 'NOT_PERMITTED' | 'TIMEOUT' | 'REFUSED'

/** Why the daemon gave no answer; `hint` is the next thing to do. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly code: ControlErrorCode
  readonly hint: string
  /** The daemon's own error code when it refused. */
  readonly reason: string

  constructor(code: ControlErrorCode, message: string, hint: string, reason = '', options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.hint = hint
    this.reason = reason
  }
}

export interface ControlClient {
  get<T>(path: string, signal?: AbortSignal): Promise<T>
  post<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T>
  /** Events until the signal aborts or the daemon stops. */
  events(signal: AbortSignal): AsyncIterable<DaemonEvent>
}

/** A daemon that is busy answers late; one that hangs must not hang us. */
const ANSWER_TIMEOUT_MS = 30_000
/** Longest answer read. */
const MAX_ANSWER_BYTES = 64 * 2 ** 20

/** The control API of the daemon that runs on this data directory. */
export function openControl(root: string): ControlClient {
  const socketPath = join(root, 'control.sock')
  const call = <T>(method: 'GET' | 'POST', path: string, body: unknown, signal?: AbortSignal): Promise<T> => {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const deadline = AbortSignal.any([AbortSignal.timeout(ANSWER_TIMEOUT_MS), ...(signal === undefined ? [] : [signal])])
    return new Promise<T>((resolve, reject) => {
      const fail = (error: unknown): void => reject(refusal(error, root))
      const req = request(
        {
          socketPath,
          method,
          path,
          signal: deadline,
          headers: { host: 'sgsd', ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }) },
        },
        (res) => {
          const pieces: Buffer[] = []
          let size = 0
          res.on('data', (piece: Buffer) => {
            size += piece.length
            if (size > MAX_ANSWER_BYTES) req.destroy(new Error('the answer is too long'))
            else pieces.push(piece)
          })
          res.on('error', fail)
          res.on('end', () => {
            try {
              const answer = JSON.parse(Buffer.concat(pieces).toString('utf8')) as T & { error?: { code: string; message: string; hint?: string } }
              if ((res.statusCode ?? 500) < 400) return resolve(answer)
              reject(
                new ControlError(
                  'REFUSED',
                  answer.error?.message ?? `the daemon answered ${res.statusCode}`,
                  answer.error?.hint ?? '',
                  answer.error?.code ?? '',
                ),
              )
            } catch (error) {
              fail(error)
            }
          })
        },
      )
      req.on('error', fail)
      req.end(payload)
    })
  }
  return {
    get: (path, signal) => call('GET', path, undefined, signal),
    post: (path, body, signal) => call('POST', path, body ?? {}, signal),
    events: (signal) => events(socketPath, root, signal),
  }
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

function refusal(error: unknown, root: string): ControlError {
  const code = (error as NodeJS.ErrnoException).code
  const options = { cause: error }
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') {
    return new ControlError('DAEMON_NOT_RUNNING', `no daemon runs on ${root}`, `sgsd up --data-dir ${root}`, '', options)
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new ControlError('NOT_PERMITTED', `you may not talk to the daemon on ${root}`, 'run as its user, or join its group', '', options)
  }
  if ((error as Error).name === 'TimeoutError' || (error as Error).name === 'AbortError') {
    return new ControlError('TIMEOUT', 'the daemon did not answer in time', 'sgsd doctor', '', options)
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return new ControlError('DAEMON_NOT_RUNNING', 'the daemon stopped while it was answering', `sgsd up --data-dir ${root}`, '', options)
  }
  return new ControlError('REFUSED', (error as Error).message, '', '', options)
}
