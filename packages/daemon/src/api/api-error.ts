/** Kinds of trouble as clients of OpenAI's API know them. */
export type ApiErrorType = 'invalid_request_error' | 'rate_limit_error' | 'server_error'

/** What a request is answered with instead: status and the body that OpenAI's clients read. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string
  /** The field at fault, or null. */
  readonly param: string | null

  constructor(status: number, code: string, message: string, param: string | null = null, options?: ErrorOptions) {
    super(message, options)
    this.status = status
    this.code = code
    this.param = param
  }

  get type(): ApiErrorType {
    return this.status === 429 ? 'rate_limit_error' : this.status >= 500 ? 'server_error' : 'invalid_request_error'
  }

  get body(): { readonly error: { readonly message: string; readonly type: ApiErrorType; readonly param: string | null; readonly code: string } } {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } }
  }
}
