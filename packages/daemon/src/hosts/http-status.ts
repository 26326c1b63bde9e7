import { excerpt } from './grade.ts'
import { HostError } from './host-error.ts'
import type { HttpAnswer } from './http-call.ts'
import { retryAfterMs } from './retry.ts'

/** What a person does about a status that repeats until somebody acts. */
const REMEDIES: Readonly<Record<number, string>> = {
  401: 'check the key',
  402: 'its account has no credit',
  403: 'check what the key is allowed to do',
  404: 'check the address and the model',
  407: 'its proxy wants a login',
}

/** Client errors that are about the moment and not about the request. */
const MOMENTARY = new Set([408, 425, 429])

/**
 * What an answer that is no success (2xx) means: 408, 425, 429 and 5xx come right by themselves, anything else needs a person.
 * @param redact - takes secrets out of what the host wrote
 */
export function statusError(host: string, answer: HttpAnswer, now: number, redact: (text: string) => string): HostError {
  const { status, headers, text } = answer
  const said = excerpt(redact(faultMessage(text)))
  const reason = `status ${status}${said === '' ? '' : `, “${said}”`}`
  if (status >= 500 || MOMENTARY.has(status)) {
    const after = retryAfterMs(headers['retry-after'], now)
    return new HostError('HOST_DOWN', { host, reason, ...(after === undefined ? {} : { retryAfterMs: after }) })
  }
  if (status >= 300 && status < 400) {
    const to = headers.location === undefined ? '' : ` to ${excerpt(redact(headers.location))}`
    return new HostError('HOST_REFUSED', { host, reason: `status ${status}: it redirects${to}`, remedy: 'configure the address that it really has' })
  }
  return new HostError('HOST_REFUSED', { host, reason, remedy: REMEDIES[status] ?? 'it does not take this request: check what serves this address' })
}

/** The message of an error body as OpenAI's, or the body's text. */
export function faultMessage(text: string): string {
  try {
    const { error, message } = JSON.parse(text) as { readonly error?: unknown; readonly message?: unknown }
    if (typeof error === 'string') return error
    const inner = (error as { readonly message?: unknown } | null | undefined)?.message ?? message
    return typeof inner === 'string' ? inner : text
  } catch {
    return text
  }
}
