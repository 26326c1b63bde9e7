interface HostFault {
  /** Which host, as people know it: `openai host http://127.0.0.1:11434/v1`; no secrets. */
  readonly host: string
  readonly reason: string
}

/** How a host can fail, each with the facts that the farm loop and a person need. */
export interface HostErrorData {
  /** Nobody answered, or not now. `retryAfterMs`: before that, another call is pointless. */
  readonly HOST_DOWN: HostFault & { readonly retryAfterMs?: number }
  /** An answer came that grades nothing: the same items may fare better, or never. */
  readonly HOST_WRONG: HostFault
  /** A person must act, and `remedy` says how. `retryAfterMs`: it mends itself then (a budget by the day). */
  readonly HOST_REFUSED: HostFault & { readonly remedy: string; readonly retryAfterMs?: number }
}

export type HostErrorCode = keyof HostErrorData

/** The one error of hosts: a code to switch on, data to report, a sentence with what happened, why, and what to do. */
export class HostError<C extends HostErrorCode = HostErrorCode> extends Error {
  override readonly name = 'HostError'
  readonly code: C
  readonly data: HostErrorData[C]

  constructor(code: C, data: HostErrorData[C], options?: ErrorOptions) {
    const sentence: (data: HostErrorData[C]) => string = SENTENCES[code]
    super(sentence(data), options)
    this.code = code
    this.data = data
  }
}

/** Narrows to one code, so that its data can be read. */
export function isHostError<C extends HostErrorCode>(error: unknown, code: C): error is HostError<C> {
  return error instanceof HostError && error.code === code
}

const SENTENCES: { readonly [C in HostErrorCode]: (data: HostErrorData[C]) => string } = {
  HOST_DOWN: ({ host, reason }) => `the ${host} does not answer: ${reason}; farming waits for it and loses nothing`,
  HOST_WRONG: ({ host, reason }) => `the ${host} gave an answer that is none: ${reason}; see docs/hosts.md for what it must send`,
  HOST_REFUSED: ({ host, reason, remedy }) => `the ${host} cannot be used: ${reason}; ${remedy}`,
}
