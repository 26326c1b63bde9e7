import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { excerpt } from './grade.ts'
import { HostError } from './host-error.ts'

/** Bytes of an answer that is an error: enough for its message. */
const MAX_FAULT_BYTES = 8_192
/** An unused connection is closed after this long. */
const IDLE_SOCKET_MS = 30_000

export interface HttpCall {
  readonly url: URL
  /** JSON text. */
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  /** From connecting to the last byte. */
  readonly timeoutMs: number
  /** An answer that is longer is HOST_WRONG, and read no further. */
  readonly maxBytes: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** UTF-8, well formed; of an error (status ≥ 300) the first 8 KiB. */
  readonly text: string
}

/**
 * POSTs JSON over connections of its own, which are kept for the next call and closed with it. Follows no redirects, takes no compressed
 * answers, and ends every call in time.
 */
export class HttpCaller implements Disposable {
  readonly #host: string
  readonly #agent: HttpAgent
  readonly #request: typeof httpRequest

  /** @param host - the host's name in errors */
  constructor(host: string, secure: boolean) {
    const options = { keepAlive: true, timeout: IDLE_SOCKET_MS }
    this.#host = host
    this.#agent = secure ? new HttpsAgent(options) : new HttpAgent(options)
    this.#request = secure ? httpsRequest : httpRequest
  }

  /** @throws HostError HOST_DOWN | HOST_WRONG | HOST_REFUSED (its certificate), or the signal's reason */
  async post(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted()
    const deadline = AbortSignal.timeout(call.timeoutMs)
    const ending = AbortSignal.any([signal, deadline])
    for (;;) {
      const started = this.#start(call, ending)
      try {
        const response = await started.response
        const answer = await this.#read(response, call.maxBytes)
        // Without a length, an answer that we cut off looks like one that has ended.
        ending.throwIfAborted()
        return answer
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof HostError) throw error
        if (deadline.aborted) {
          throw new HostError('HOST_DOWN', { host: this.#host, reason: `no whole answer within ${call.timeoutMs} ms` }, { cause: error })
        }
        // The other side closed a kept connection in the moment it was taken up again: nothing of this call was read.
        if (started.answered() || !started.reused()) throw this.#systemError(error)
      } finally {
        started.end()
      }
    }
  }

  /** Closes the connections. */
  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  #start({ url, body, headers }: HttpCall, signal: AbortSignal): Started {
    const bytes = Buffer.from(body, 'utf8')
    const request = this.#request(url, {
      method: 'POST',
      agent: this.#agent,
      signal,
      headers: {
        ...headers,
        accept: 'application/json',
        'accept-encoding': 'identity',
        'content-type': 'application/json',
        'content-length': String(bytes.length),
      },
    })
    let answered = false
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      request.on('error', reject)
      request.once('response', (message) => {
        answered = true
        // What goes wrong from here on is told to whoever reads it; when nobody does any more, to nobody.
        message.on('error', () => {})
        resolve(message)
      })
    })
    request.end(bytes)
    return {
      response,
      answered: () => answered,
      reused: () => request.reusedSocket,
      // A connection whose answer was read to its end is not touched by this.
      end: () => void request.destroy(),
    }
  }

  async #read(response: IncomingMessage, maxBytes: number): Promise<HttpAnswer> {
    const status = response.statusCode ?? 0
    const { headers } = response
    const fault = status >= 300
    const limit = fault ? MAX_FAULT_BYTES : maxBytes
    const { 'content-encoding': encoding = 'identity' } = headers
    if (encoding !== 'identity' && !fault) throw this.#wrong(`content-encoding ${excerpt(encoding, 40)}, though it was asked for none`)
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      size += chunk.length
      if (size <= limit) continue
      if (!fault) throw this.#wrong(`an answer of more than ${maxBytes} bytes`)
      break
    }
    const bytes = Buffer.concat(chunks).subarray(0, limit)
    if (fault) return { status, headers, text: new TextDecoder().decode(bytes) }
    try {
      return { status, headers, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
    } catch (error) {
      throw this.#wrong('it is not UTF-8', error)
    }
  }

  #wrong(reason: string, cause?: unknown): HostError {
    return new HostError('HOST_WRONG', { host: this.#host, reason }, { cause })
  }

  #systemError(error: unknown): HostError {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (code.startsWith('HPE_')) return this.#wrong(`it does not speak HTTP (${code})`, error)
    if (CERTIFICATE_CODES.test(code)) {
      const remedy = 'mend the certificate, or name its authority in the variable NODE_EXTRA_CA_CERTS'
      return new HostError('HOST_REFUSED', { host: this.#host, reason: `its certificate is not trusted (${code})`, remedy }, { cause: error })
    }
    if (TLS_CODES.test(code)) {
      const remedy = 'check whether its address begins with http:// or https://'
      return new HostError('HOST_REFUSED', { host: this.#host, reason: `it does not speak TLS as we do (${code})`, remedy }, { cause: error })
    }
    const reason = REASONS[code] ?? (message === '' ? code : message.includes(code) ? message : `${message} (${code})`)
    return new HostError('HOST_DOWN', { host: this.#host, reason }, { cause: error })
  }
}

interface Started {
  readonly response: Promise<IncomingMessage>
  readonly answered: () => boolean
  /** It went out over a connection of an earlier call. */
  readonly reused: () => boolean
  readonly end: () => void
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ECONNRESET: 'it broke the connection (ECONNRESET)',
  EPIPE: 'it broke the connection (EPIPE)',
  ENOTFOUND: 'its name is not known (ENOTFOUND)',
  EAI_AGAIN: 'its name cannot be looked up now (EAI_AGAIN)',
  ETIMEDOUT: 'it cannot be reached (ETIMEDOUT)',
  EHOSTUNREACH: 'it cannot be reached (EHOSTUNREACH)',
  ENETUNREACH: 'it cannot be reached (ENETUNREACH)',
}

const CERTIFICATE_CODES = /CERT|SELF_SIGNED|UNABLE_TO_/
const TLS_CODES = /^(EPROTO$|ERR_SSL_|ERR_TLS_)/
