import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { itemDocument } from './grade.ts'
import type { StdoutConfig } from './host-config.ts'
import type { HostEnvironment } from './host-environment.ts'
import { HostError } from './host-error.ts'
import type { Grade, Host, HostItem } from './port.ts'
import { hostPath } from './secret.ts'

/** Names the fields of a line; another meaning gets another number. */
const SCHEMA = 'sgsd.item/1'
/** A reader of standard output that takes nothing for this long is down. */
const READER_PATIENCE_MS = 10_000
/** Errors of a file that repeat until a person does something. */
const NOT_USABLE = new Set(['ENOENT', 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO'])

/** Writes each item as a line of JSON, and grades none. */
export function openStdoutHost(config: StdoutConfig, env: HostEnvironment): Host {
  const closing = new AbortController()
  const write = config.path === '-' ? streamWriter(env.stdout, closing.signal) : fileWriter(hostPath(env.root, config.path))
  return {
    kind: 'stdout',
    batch: config.batch,
    grade: async (items: readonly HostItem[], signal: AbortSignal): Promise<readonly (Grade | undefined)[]> => {
      const ending = AbortSignal.any([signal, closing.signal])
      ending.throwIfAborted()
      await write(items.map((item) => `${JSON.stringify({ schema: SCHEMA, ...itemDocument(item) })}\n`).join(''), ending)
      return items.map(() => undefined)
    },
    [Symbol.asyncDispose]: async () => closing.abort(),
  }
}

type Write = (text: string, signal: AbortSignal) => Promise<void>

/** Waits until the reader has room: a slow reader slows farming and fills no memory. */
function streamWriter(stream: Writable, closing: AbortSignal): Write {
  const host = 'stdout host (standard output)'
  const refused = (cause: unknown): HostError =>
    new HostError(
      'HOST_REFUSED',
      { host, reason: 'nobody reads it any more', remedy: 'start the daemon with a reader, or name a file as path' },
      { cause },
    )
  let broken: unknown
  // A broken pipe is told to whoever writes next; without anybody listening it would end the process.
  const onError = (error: unknown): void => void (broken = error)
  stream.on('error', onError)
  closing.addEventListener('abort', () => void stream.off('error', onError), { once: true })
  return async (text, signal) => {
    if (broken !== undefined || !stream.writable) throw refused(broken)
    if (stream.writableNeedDrain) await room(stream, host, signal)
    if (text !== '' && !stream.write(text)) await room(stream, host, signal)
    if (broken !== undefined) throw refused(broken)
  }
}

/** Resolves when the stream takes more, or has failed. */
async function room(stream: Writable, host: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const late = (): void => reject(new HostError('HOST_DOWN', { host, reason: `its reader has taken nothing for ${READER_PATIENCE_MS / 1_000} s` }))
  const stop = (): void => reject(signal.reason)
  const timer = setTimeout(late, READER_PATIENCE_MS)
  const events = ['drain', 'close', 'error'] as const
  for (const event of events) stream.once(event, resolve)
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (stream.writableNeedDrain) await promise
  } finally {
    clearTimeout(timer)
    for (const event of events) stream.off(event, resolve)
    signal.removeEventListener('abort', stop)
  }
}

/** Opens the file for each call: one that was moved away is begun anew, so that it can be rotated without a word to the daemon. */
function fileWriter(path: string): Write {
  const host = `stdout host ${path}`
  const refused = (reason: string, cause?: unknown): HostError =>
    new HostError('HOST_REFUSED', { host, reason, remedy: 'name a file in a directory that the daemon may write to' }, { cause })
  return async (text) => {
    try {
      // Opening a pipe or a device may wait for ever.
      const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      if (found?.isFile() === false) throw refused('it is not a regular file')
      await using file = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o600)
      const { size } = await file.stat()
      try {
        await file.appendFile(text)
      } catch (error) {
        // No half lines: the same items come again.
        await file.truncate(size).catch(() => {})
        throw error
      }
    } catch (error) {
      if (error instanceof HostError) throw error
      const { code = '', message } = error as NodeJS.ErrnoException
      if (NOT_USABLE.has(code)) throw refused(message, error)
      throw new HostError('HOST_DOWN', { host, reason: message }, { cause: error })
    }
  }
}
