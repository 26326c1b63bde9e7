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

/** What a failed request says to people. @param root - data directory of the daemon that was asked */
export function refusal(error: unknown, root: string): ControlError {
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
