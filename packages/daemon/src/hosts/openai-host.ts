import { Budget } from './budget.ts'
import { type ChatVerdict, readCompletion } from './chat-answer.ts'
import { chatRequest, DEFAULT_PROMPT, type Dialect, FIRST_DIALECT, nextDialect } from './chat.ts'
import { excerpt, MAX_GRADE_BYTES } from './grade.ts'
import type { OpenaiConfig } from './host-config.ts'
import type { HostEnvironment } from './host-environment.ts'
import { HostError, isHostError } from './host-error.ts'
import { type HttpAnswer, HttpCaller } from './http-call.ts'
import { faultMessage, statusError } from './http-status.ts'
import type { Grade, Host, HostItem } from './port.ts'
import { withRetries } from './retry.ts'
import { hostPath, readKey, redactor } from './secret.ts'

/** Bytes of an answer that one token may become: the longest tokens are about this long, and JSON escapes them. */
const BYTES_PER_ANSWER_TOKEN = 32
/** Chinese has about one token to three bytes of UTF-8; no tokeniser does much worse. */
const BYTES_PER_PROMPT_TOKEN = 2 /** An answer that is none is asked for once more: at temperature 0 it changes little. */
const WRONG_RETRIES = 1
/** Lines in a row that may be passed over, after as many good ones. */
const MAX_CREDIT = 8
/** Grades kept for a second try; a caller that never asks again for them does not fill the memory. */
const MAX_PAID = 256

/** A language model behind any OpenAI-compatible server: a chat completion an item, `batch` of them at once. */
export function openOpenaiHost(config: OpenaiConfig, env: HostEnvironment): Host {
  const url = new URL(config.baseUrl)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/chat/completions`
  const host = `openai host ${url.origin}${url.pathname.replace(/\/chat\/completions$/, '')}, model ${config.model}`
  return new OpenaiHost(config, env, url, host)
}

class OpenaiHost implements Host {
  readonly kind = 'openai'
  readonly batch: number
  readonly #config: OpenaiConfig
  readonly #env: HostEnvironment
  readonly #url: URL
  readonly #host: string
  readonly #caller: HttpCaller
  readonly #budget: Budget
  readonly #closing = new AbortController()
  #dialect: Dialect = FIRST_DIALECT
  /** Items graded well, less those passed over: a model that stumbles over one line must not hold up the text, one that always does must. */
  #credit = 0
  /** Grades of a call of which another item failed: paid for, and kept until the caller asks again. */
  #paid = new Map<string, Grade | undefined>()

  constructor(config: OpenaiConfig, env: HostEnvironment, url: URL, host: string) {
    this.batch = config.batch
    this.#config = config
    this.#env = env
    this.#url = url
    this.#host = host
    this.#caller = new HttpCaller(host, url.protocol === 'https:')
    this.#budget = new Budget(host, config.budget, env)
  }

  async grade(items: readonly HostItem[], signal: AbortSignal): Promise<readonly (Grade | undefined)[]> {
    const ending = AbortSignal.any([signal, this.#closing.signal])
    ending.throwIfAborted()
    const key = await this.#key()
    if (this.#paid.size > MAX_PAID) this.#paid = new Map()
    const paid = this.#paid
    const results = await Promise.allSettled(
      items.map(async (item) => {
        const name = JSON.stringify([item.line, item.next, item.nearest.map(({ character }) => character)])
        if (!paid.has(name)) paid.set(name, await this.#gradeOne(item, key, ending))
        return paid.get(name)
      }),
    )
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    this.#paid = new Map()
    return results.map((result) => (result as PromiseFulfilledResult<Grade | undefined>).value)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    this.#caller[Symbol.dispose]()
  }

  async #key(): Promise<string | undefined> {
    const { apiKeyFile, apiKeyEnv } = this.#config
    if (apiKeyFile !== undefined) return await readKey(this.#host, { file: hostPath(this.#env.root, apiKeyFile) }, this.#env.variables)
    if (apiKeyEnv !== undefined) return await readKey(this.#host, { variable: apiKeyEnv }, this.#env.variables)
    return undefined
  }

  async #gradeOne(item: HostItem, key: string | undefined, signal: AbortSignal): Promise<Grade | undefined> {
    let wrong = 0
    const also = (error: unknown): boolean => isHostError(error, 'HOST_WRONG') && wrong++ < WRONG_RETRIES
    const attempt = async (): Promise<Grade | undefined> => await this.#attempt(item, key, signal)
    try {
      const grade = await withRetries(attempt, { retries: this.#config.retries, random: this.#env.random, also }, signal)
      this.#credit = Math.min(MAX_CREDIT, this.#credit + 1)
      return grade
    } catch (error) {
      if (!isHostError(error, 'HOST_WRONG') || this.#credit === 0) throw error
      this.#credit--
      this.#env.log.warn({ error: error.message, line: excerpt(item.line, 40) }, 'the model gives no grade for this line; it is passed over')
      return undefined
    }
  }

  /** One request, or a few while the server's spelling is being found. */
  async #attempt(item: HostItem, key: string | undefined, signal: AbortSignal): Promise<Grade | undefined> {
    const { model, prompt = DEFAULT_PROMPT, maxAnswerTokens } = this.#config
    const redact = redactor(key === undefined ? [] : [key])
    for (let dialect = this.#dialect; ;) {
      const body = chatRequest(item, model, prompt, maxAnswerTokens, dialect)
      const { answer, verdict } = await this.#send(body, key, signal)
      if (verdict !== undefined) {
        this.#dialect = dialect
        if (!verdict.ok) throw new HostError('HOST_WRONG', { host: this.#host, reason: redact(verdict.reason) })
        return verdict.grade
      }
      const other = answer.status === 400 || answer.status === 422 ? nextDialect(dialect, faultMessage(answer.text)) : undefined
      if (other === undefined) throw this.#statusError(answer, redact)
      dialect = other
    }
  }

  /** One request against the budget; no verdict when the status is no success. */
  async #send(body: string, key: string | undefined, signal: AbortSignal): Promise<{ answer: HttpAnswer; verdict?: ChatVerdict }> {
    const { maxAnswerTokens, timeoutMs } = this.#config
    const settle = this.#budget.take(Math.ceil(Buffer.byteLength(body) / BYTES_PER_PROMPT_TOKEN) + maxAnswerTokens)
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const maxBytes = MAX_GRADE_BYTES + BYTES_PER_ANSWER_TOKEN * maxAnswerTokens
    // Whatever is thrown here may have been worked on, and is not given back.
    const answer = await this.#caller.post({ url: this.#url, body, headers, timeoutMs, maxBytes }, signal)
    if (answer.status >= 300) {
      settle(0)
      return { answer }
    }
    const verdict = readCompletion(answer.text)
    if (verdict.tokens !== undefined) settle(verdict.tokens)
    return { answer, verdict }
  }

  /** An account without credit answers 429 as one that asks too fast does; waiting mends only the second. */
  #statusError(answer: HttpAnswer, redact: (text: string) => string): HostError {
    const error = statusError(this.#host, answer, this.#env.now(), redact)
    if (answer.status !== 429 || !/insufficient_quota|billing/i.test(answer.text)) return error
    return new HostError('HOST_REFUSED', {
      host: this.#host,
      reason: error.data.reason,
      remedy: 'its account has no credit: see to that, or take another server',
    })
  }
}
