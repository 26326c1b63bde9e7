import { MeshError, reasonOf, type MeshErrorCode } from './mesh-error.ts'
import { HANDSHAKE_KEY_MISMATCH, HANDSHAKE_PEER_MISMATCH } from './noise-guard.ts'

export interface DialContext {
  /** What was dialled, for people. */
  readonly to: string
  /** How long the dial took, milliseconds. */
  readonly afterMs: number
  /** Without a mesh key of our own a refused handshake means that one is needed. */
  readonly keyed: boolean
}

/**
 * What libp2p's error for a failed dial means. libp2p has few error classes and wraps most in `EncryptionFailedError`, keeping the
 * message only; every branch here was observed on real sockets and is tested there.
 *
 * Several addresses of one peer fail together: the answer that says most wins, but a mismatch only if every address that answered
 * at all had one, since a loopback address of another machine may lead to a different mesh on this one.
 */
export function dialFailure(error: unknown, context: DialContext): MeshError {
  if (error instanceof MeshError) return error
  if (error instanceof AggregateError && error.errors.length > 0) return strongest(error.errors.map((one) => dialFailure(one, context)))
  const detail = reasonOf(error)
  const name = error instanceof Error ? error.name : ''
  const { to } = context
  const cause = { cause: error }

  if (detail.startsWith(HANDSHAKE_KEY_MISMATCH)) return new MeshError(context.keyed ? 'KEY_MISMATCH' : 'KEY_REQUIRED', { to }, cause)
  if (detail.startsWith(HANDSHAKE_PEER_MISMATCH)) return new MeshError('PEER_MISMATCH', { to, detail: afterColon(detail) }, cause)
  if (/dial self/i.test(detail)) return new MeshError('DIALLED_SELF', { to }, cause)
  if (codeOf(error) === 'ECONNREFUSED') return new MeshError('DIAL_REFUSED', { to, detail: afterColon(detail) }, cause)
  if (name === 'AbortError' || name === 'TimeoutError' || /aborted|timed? ?out/i.test(detail)) {
    return new MeshError('DIAL_TIMEOUT', { to, afterMs: Math.round(context.afterMs) }, cause)
  }
  if (name === 'NoValidAddressesError') return new MeshError('ADDRESS_INVALID', { address: to, detail }, cause)
  if (name === 'EncryptionFailedError' && !BROKE_OFF.test(detail)) return new MeshError('NOT_A_MESH', { to, detail }, cause)
  return new MeshError(
    'UNREACHABLE',
    { to, detail: name === 'EncryptionFailedError' ? 'it closed the connection before the handshake' : detail },
    cause,
  )
}

/** The messages of a connection that ended before one byte of an answer. */
const BROKE_OFF =
  /^Encryption failed$|EOF - (?:tried to read|.*\b0\/\d+ bytes)|^(?:The )?stream .*(?:reset|closed|aborted)|ECONNRESET|EPIPE|TCP transmission/i

/** Most telling first, among failures that are not mismatches of a key or peer. */
const TELLING: readonly MeshErrorCode[] = ['DIALLED_SELF', 'NOT_A_MESH', 'DIAL_TIMEOUT', 'UNREACHABLE', 'DIAL_REFUSED', 'ADDRESS_INVALID']

const MISMATCHES: readonly MeshErrorCode[] = ['KEY_MISMATCH', 'KEY_REQUIRED', 'PEER_MISMATCH']

function strongest(failures: readonly MeshError[]): MeshError {
  const [first, ...others] = failures
  if (first === undefined) throw new RangeError('no failure to choose from')
  const answered = failures.filter((failure) => failure.code !== 'DIAL_REFUSED' && failure.code !== 'ADDRESS_INVALID')
  const mismatch = answered.find((failure) => MISMATCHES.includes(failure.code))
  if (mismatch !== undefined && answered.every((failure) => failure.code === mismatch.code)) return mismatch
  const rank = (failure: MeshError): number => (TELLING.includes(failure.code) ? TELLING.indexOf(failure.code) : TELLING.length)
  return others.reduce((best, failure) => (rank(failure) < rank(best) ? failure : best), first)
}

function afterColon(detail: string): string {
  return detail.slice(detail.indexOf(': ') + 2)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
