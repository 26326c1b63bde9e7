export type DaemonErrorCode =
  | 'ALREADY_INITIALISED'
  | 'NOT_INITIALISED'
  | 'ALREADY_RUNNING'
  | 'OTHER_MESH'
  | 'CONFIG_INVALID'
  | 'GENESIS_DAMAGED'
  | 'IDENTITY_DAMAGED'
  | 'KEY_DAMAGED'
  | 'STATE_DAMAGED'
  | 'KERNEL_MISMATCH'
  | 'NOT_WRITABLE'
  | 'DISK_FULL'
  | 'LISTEN_FAILED'
  | 'PROVIDER_UNAVAILABLE'
  | 'SOCKET_PATH_TOO_LONG'
  | 'INVITE_INVALID'
  | 'INVITE_REFUSED'
  | 'JOIN_UNREACHABLE'
  | 'JOIN_TIMEOUT'
  | 'JOIN_WRONG_KEY'
  | 'JOIN_KEY_REQUIRED'
  | 'JOIN_PEER_MISMATCH'
  | 'JOIN_FAILED'
  | 'TEXT_UNKNOWN'
  | 'TEXT_NOT_UTF8'
  | 'TEXT_LINE_TOO_LONG'
  | 'TEXT_EMPTY'
  | 'TEXT_BUSY'
  | 'TEXT_LOST'
  | 'BAD_REQUEST'
  | 'PROGRAM_INVALID'
  | 'IMPORT_REFUSED'
  | 'LAYER_UNKNOWN'
  | 'LAYER_AMBIGUOUS'
  | 'LAYER_INCOMPLETE'
  | 'PROOF_UNREADABLE'
  | 'PROOF_UNKNOWN'
  | 'PROOF_AMBIGUOUS'
  | 'LAYER_REFUSED'
  | 'FORK_FOREIGN'
  | 'FORK_MERGE'
  | 'FORK_HEAD'
  | 'CONSENSUS_UNKNOWN'
  | 'CONSENSUS_AMBIGUOUS'
  | 'PEER_UNKNOWN'
  | 'PEER_AMBIGUOUS'
  | 'BLOCK_UNAVAILABLE'
  | 'BUSY'
  | 'FAILED'

/** Exit codes of the command line: 2 usage, 5 not permitted, 6 timeout, 78 bad configuration or identity. */
const EXIT_CODES: Partial<Record<DaemonErrorCode, number>> = {
  ALREADY_RUNNING: 78,
  NOT_INITIALISED: 78,
  CONFIG_INVALID: 78,
  GENESIS_DAMAGED: 78,
  IDENTITY_DAMAGED: 78,
  KEY_DAMAGED: 78,
  STATE_DAMAGED: 78,
  KERNEL_MISMATCH: 78,
  LISTEN_FAILED: 78,
  SOCKET_PATH_TOO_LONG: 78,
  OTHER_MESH: 78,
  NOT_WRITABLE: 5,
  INVITE_INVALID: 2,
  INVITE_REFUSED: 5,
  PROGRAM_INVALID: 2,
  PROOF_UNREADABLE: 2,
  JOIN_TIMEOUT: 6,
  JOIN_WRONG_KEY: 5,
  JOIN_KEY_REQUIRED: 5,
}

/** What went wrong in the daemon, for people: one sentence, and the next thing to do. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError'
  readonly code: DaemonErrorCode
  /** The next command to type, or what to mend; '' when there is none. */
  readonly hint: string

  constructor(code: DaemonErrorCode, message: string, hint = '', options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.hint = hint
  }

  get exitCode(): number {
    return EXIT_CODES[this.code] ?? 1
  }
}
