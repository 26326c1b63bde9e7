import { ComputeError } from '@sgsd/compute'
import { MeshError } from '@sgsd/mesh'
import { StoreError } from '@sgsd/store'
import { DaemonError, type DaemonErrorCode } from './daemon-error.ts'

const STORE_CODES: Readonly<Record<string, DaemonErrorCode>> = {
  ALREADY_RUNNING: 'ALREADY_RUNNING',
  NOT_WRITABLE: 'NOT_WRITABLE',
  DISK_FULL: 'DISK_FULL',
  STATE_CORRUPT: 'STATE_DAMAGED',
}

const HINTS: Partial<Record<DaemonErrorCode, string>> = {
  ALREADY_RUNNING: 'sgsd status looks at it, sgsd down stops it',
  NOT_WRITABLE: 'choose another --data-dir, or mend its owner and mode',
  DISK_FULL: 'free some space and try again',
  STATE_DAMAGED: 'move state.db away: peers send back what it held',
  LISTEN_FAILED: 'sgsd up --port takes another port',
}

/** One sentence and one hint for whatever kept the daemon from starting. */
export function startupError(error: unknown, root: string): DaemonError {
  if (error instanceof DaemonError) return error
  const options = { cause: error }
  const { message } = error as Error
  if (error instanceof StoreError) {
    const code = STORE_CODES[error.code] ?? 'FAILED'
    return new DaemonError(code, message, HINTS[code] ?? '', options)
  }
  if (error instanceof MeshError && error.code === 'LISTEN_FAILED') return new DaemonError('LISTEN_FAILED', message, HINTS.LISTEN_FAILED, options)
  if (error instanceof ComputeError && error.code === 'PROVIDER_UNAVAILABLE') return providerError(error as ComputeError<'PROVIDER_UNAVAILABLE'>)
  if (error instanceof ComputeError) return new DaemonError('FAILED', message, 'sgsd doctor', options)
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return new DaemonError('NOT_WRITABLE', `cannot write to ${root}: ${message}`, HINTS.NOT_WRITABLE, options)
  if (code === 'ENOSPC') return new DaemonError('DISK_FULL', `no space left for ${root}`, HINTS.DISK_FULL, options)
  return new DaemonError('FAILED', message, '', options)
}

/** Not a fault of the configuration: a driver may come up later, so that a supervisor may try again. */
function providerError(error: ComputeError<'PROVIDER_UNAVAILABLE'>): DaemonError {
  const { provider, detail, mend } = error.data
  const instead = 'sgsd up --provider auto takes the fastest that works'
  const hint = mend === undefined ? instead : `${mend}; or: ${instead}`
  return new DaemonError('PROVIDER_UNAVAILABLE', `the lattice provider ${provider} does not work here: ${detail}`, hint, { cause: error })
}
