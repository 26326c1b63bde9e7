export type GitErrorCode =
  | 'GIT_MISSING'
  | 'REMOTE_INVALID'
  | 'REMOTE_UNREACHABLE'
  | 'REMOTE_REFUSED'
  | 'BRANCH_UNKNOWN'
  | 'GIT_TIMEOUT'
  | 'GIT_FAILED'
  | 'REPOSITORY_TOO_LARGE'
  | 'LAYER_TOO_LARGE'
  | 'RACE_LOST'

/** Exit codes of the command line: 2 usage, 6 timeout. */
const EXIT_CODES: Partial<Record<GitErrorCode, number>> = { REMOTE_INVALID: 2, GIT_TIMEOUT: 6 }

/** What went wrong with a git remote, for people: one sentence, and the next thing to do. */
export class GitError extends Error {
  override readonly name = 'GitError'
  readonly code: GitErrorCode
  readonly hint: string

  constructor(code: GitErrorCode, message: string, hint = '', options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.hint = hint
  }

  get exitCode(): number {
    return EXIT_CODES[this.code] ?? 1
  }
}
