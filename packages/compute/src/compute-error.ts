/** What can go wrong at the compute edge, each with the facts that a reader of a log line needs. */
export interface ComputeErrorData {
  /** A worker thread died under a call; it is replaced, the call is not repeated. */
  readonly WORKER_CRASHED: { readonly worker: string; readonly detail: string }
  /** The caller's signal fired without a reason of its own; otherwise the signal's reason is what a call rejects with. */
  readonly CANCELLED: { readonly call: string }
  /** Called after `close()`, or still waiting when it came. */
  readonly CLOSED: { readonly call: string }
  /** An engine's answer differs from the reference: it is quarantined and reported. */
  readonly ENGINE_WRONG: { readonly engine: string; readonly detail: string }
  /** No engine passed its canary. */
  readonly NO_ENGINE: { readonly tried: readonly string[] }
  /** No character of the text is in the hanzi kernel. */
  readonly TEXT_UNKNOWN: { readonly text: string }
  /** A layer that `load` did not accept was named in a call. */
  readonly LAYER_REFUSED: { readonly layer: string; readonly detail: string }
  /** As many of them run as may. */
  readonly BUSY: { readonly what: string; readonly limit: number }
  /** An execution provider that was asked for by name does not work here. */
  readonly PROVIDER_UNAVAILABLE: { readonly provider: string; readonly detail: string; readonly mend?: string }
}

export type ComputeErrorCode = keyof ComputeErrorData

/** The one error of the compute edge: a code to switch on, data to report, the cause where there is one. */
export class ComputeError<C extends ComputeErrorCode = ComputeErrorCode> extends Error {
  override readonly name = 'ComputeError'
  readonly code: C
  readonly data: ComputeErrorData[C]

  constructor(code: C, data: ComputeErrorData[C], options?: ErrorOptions) {
    super(`${SENTENCES[code]} (${describe(data)})`, options)
    this.code = code
    this.data = data
  }
}

const SENTENCES: Readonly<Record<ComputeErrorCode, string>> = {
  WORKER_CRASHED: 'a worker thread died',
  CANCELLED: 'the call was cancelled',
  CLOSED: 'compute is closed',
  ENGINE_WRONG: 'an engine gave a wrong answer',
  NO_ENGINE: 'no engine works here',
  TEXT_UNKNOWN: 'no character of the text is known',
  LAYER_REFUSED: 'the layer is refused',
  BUSY: 'too many run already',
  PROVIDER_UNAVAILABLE: 'the execution provider does not work here',
}

function describe(data: ComputeErrorData[ComputeErrorCode]): string {
  return Object.entries(data)
    .map(([key, value]) => `${key}: ${String(value)}`)
    .join(', ')
}
