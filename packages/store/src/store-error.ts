/** What can go wrong at the disk, each with the facts that a person needs to act on it. */
export interface StoreErrorData {
  /** The bytes under this id are not the block; the file was moved aside (or the partial transfer removed). */
  readonly BLOCK_CORRUPT: { readonly id: string; readonly reason: string }
  readonly BLOCK_TOO_LARGE: { readonly id: string; readonly limitBytes: number }
  /** Not 64 lower-case hex digits; nothing was read or written. The text is cut and escaped. */
  readonly ID_INVALID: { readonly id: string }
  /** `needBytes` and `freeBytes` are absent when the disk itself said so in the middle of a write. */
  readonly DISK_FULL: { readonly path: string; readonly needBytes?: number; readonly freeBytes?: number }
  /** `state.db` does not open, is not ours or fails its check. */
  readonly STATE_CORRUPT: { readonly path: string; readonly reason: string }
  /** `state.db` was written by a later version. */
  readonly STATE_NEWER: { readonly path: string; readonly found: number; readonly known: number }
  /** Another process holds the data directory; its pid is undefined in the moment before it has said it. */
  readonly ALREADY_RUNNING: { readonly dir: string; readonly pid: number | undefined }
  readonly NOT_WRITABLE: { readonly path: string; readonly reason: string }
  readonly NOT_FOUND: { readonly path: string }
  /** A secret file that group or others may touch; `mode` in octal. */
  readonly SECRET_EXPOSED: { readonly path: string; readonly mode: string }
  /** A secret is never overwritten. */
  readonly SECRET_EXISTS: { readonly path: string }
  /** Called after `close`, `finish` or `abort`. */
  readonly CLOSED: { readonly what: string }
  /** Any other answer of the system. */
  readonly IO_FAILED: { readonly path: string; readonly reason: string }
}

export type StoreErrorCode = keyof StoreErrorData

/** The one error of the disk edge: a code to switch on, data to report, a sentence that says what to do. */
export class StoreError<C extends StoreErrorCode = StoreErrorCode> extends Error {
  override readonly name = 'StoreError'
  readonly code: C
  readonly data: StoreErrorData[C]

  constructor(code: C, data: StoreErrorData[C], options?: ErrorOptions) {
    const sentence: (data: StoreErrorData[C]) => string = SENTENCES[code]
    super(sentence(data), options)
    this.code = code
    this.data = data
  }
}

/** Narrows to one code, so that its data can be read. */
export function isStoreError<C extends StoreErrorCode>(error: unknown, code: C): error is StoreError<C> {
  return error instanceof StoreError && error.code === code
}

/** The coded form of what `node:fs` threw about `path`; what the system did not say (a StoreError, a bug) passes as it is. */
export function fromSystemError(error: unknown, path: string): unknown {
  const reason = systemCode(error)
  if (reason === undefined) return error
  const options = { cause: error }
  switch (reason) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new StoreError('DISK_FULL', { path }, options)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
      return new StoreError('NOT_WRITABLE', { path, reason }, options)
    case 'ENOENT':
      return new StoreError('NOT_FOUND', { path }, options)
    default:
      return new StoreError('IO_FAILED', { path, reason }, options)
  }
}

/** `ENOENT` and the like; undefined for every other error, Node's own `ERR_…` too. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

const SENTENCES: { readonly [C in StoreErrorCode]: (data: StoreErrorData[C]) => string } = {
  BLOCK_CORRUPT: ({ id, reason }) => `block ${id} is damaged (${reason}); it was set aside and must be fetched again`,
  BLOCK_TOO_LARGE: ({ id, limitBytes }) => `block ${id} is larger than ${limitBytes} bytes`,
  ID_INVALID: ({ id }) => `${id} is not a block id (64 lower-case hex digits)`,
  DISK_FULL: ({ path, needBytes, freeBytes }) =>
    needBytes === undefined
      ? `no space left on the disk of ${path}`
      : `no space left on the disk of ${path}: ${needBytes} bytes wanted, ${freeBytes} free`,
  STATE_CORRUPT: ({ path, reason }) =>
    `${path} is damaged (${reason}); move it away and start again: blocks are kept and everything else comes back from the other members`,
  STATE_NEWER: ({ path, found, known }) => `${path} has format ${found}, this version knows up to ${known}; update sgsd`,
  ALREADY_RUNNING: ({ dir, pid }) => `another sgsd ${pid === undefined ? '' : `(pid ${pid}) `}already runs on ${dir}`,
  NOT_WRITABLE: ({ path, reason }) => `${path} cannot be written (${reason}); check its owner and permissions`,
  NOT_FOUND: ({ path }) => `${path} does not exist`,
  SECRET_EXPOSED: ({ path, mode }) => `${path} holds a secret but others may access it (mode ${mode}); run: chmod 600 ${shellQuoted(path)}`,
  SECRET_EXISTS: ({ path }) => `${path} exists and is not overwritten`,
  CLOSED: ({ what }) => `${what} is closed`,
  IO_FAILED: ({ path, reason }) => `${path}: ${reason}`,
}

/** The path as one word of a POSIX shell. */
function shellQuoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}
