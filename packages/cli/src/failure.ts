import { inspect } from 'node:util'
import { EXIT } from './exit-code.ts'

/** A failure that the command line itself finds; those of the daemon come as DaemonError and ControlError. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: string
  readonly exitCode: number
  readonly hint: string

  constructor(code: string, message: string, exitCode: number, hint = '', options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.exitCode = exitCode
    this.hint = hint
  }
}

/** Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

export interface Failure {
  readonly code: string
  /** One sentence without a line break. */
  readonly message: string
  /** The next command to type, or ''. */
  readonly hint: string
  readonly exitCode: number
}

/** Exit codes of the control socket's own errors. */
const CONTROL_EXITS: Readonly<Record<string, number>> = {
  DAEMON_NOT_RUNNING: EXIT.notRunning,
  NOT_PERMITTED: EXIT.notPermitted,
  TIMEOUT: EXIT.timeout,
  REFUSED: EXIT.failure,
}

/** Exit codes of what a running daemon refused, by its own reason. */
const REFUSAL_EXITS: Readonly<Record<string, number>> = {
  INVITE_INVALID: EXIT.usage,
  BAD_REQUEST: EXIT.usage,
  JOIN_WRONG_KEY: EXIT.notPermitted,
  INVITE_REFUSED: EXIT.notPermitted,
  JOIN_KEY_REQUIRED: EXIT.notPermitted,
  JOIN_TIMEOUT: EXIT.timeout,
  OTHER_MESH: EXIT.configuration,
}

/** Exit codes of what the operating system refuses. */
const SYSTEM_EXITS: Readonly<Record<string, number>> = {
  EACCES: EXIT.notPermitted,
  EPERM: EXIT.notPermitted,
  EROFS: EXIT.notPermitted,
  ETIMEDOUT: EXIT.timeout,
}

/** Puts any thrown value into one line and one exit code. Total: it never throws. */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof Error))
    return { code: 'FAILED', message: oneLine(typeof error === 'string' ? error : inspect(error)), hint: '', exitCode: EXIT.failure }
  const { code, hint, reason, exitCode } = error as { code?: unknown; hint?: unknown; reason?: unknown; exitCode?: unknown }
  const refused = code === 'REFUSED' && typeof reason === 'string' && reason !== ''
  const name = refused ? reason : typeof code === 'string' ? code : error.name === 'Error' ? 'FAILED' : error.name
  return {
    code: name,
    message: oneLine(error.message === '' ? name : error.message),
    hint: typeof hint === 'string' ? oneLine(hint) : '',
    exitCode: exitOf(error, name, exitCode),
  }
}

function exitOf(error: Error, code: string, own: unknown): number {
  if (error instanceof Interrupted || error.name === 'AbortError') return EXIT.interrupted
  if (typeof own === 'number') return own
  if (error.name === 'TimeoutError') return EXIT.timeout
  return CONTROL_EXITS[code] ?? REFUSAL_EXITS[code] ?? SYSTEM_EXITS[code] ?? EXIT.failure
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ').trim()
}
