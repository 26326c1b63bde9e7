import { checkGrade, itemDocument, MAX_GRADE_BYTES, shown } from './grade.ts'
import type { HttpConfig } from './host-config.ts'
import type { HostEnvironment } from './host-environment.ts'
import { HostError } from './host-error.ts'
import { HttpCaller } from './http-call.ts'
import { statusError } from './http-status.ts'
import type { Grade, Host, HostItem } from './port.ts'
import { withRetries } from './retry.ts'
import { hostPath, readHeaders, redactor } from './secret.ts'

/** Names the fields of the request; another meaning gets another number. */
const SCHEMA = 'sgsd.host/1'

/** A web service: one POST a call, `{schema, items}` there, `{grades}` back. */
export function openHttpHost(config: HttpConfig, env: HostEnvironment): Host {
  const url = new URL(config.url)
  // Without its query: that is where some services have their key.
  const host = `http host ${url.origin}${url.pathname}`
  const caller = new HttpCaller(host, url.protocol === 'https:')
  const closing = new AbortController()

  async function grade(items: readonly HostItem[], signal: AbortSignal): Promise<readonly (Grade | undefined)[]> {
    const ending = AbortSignal.any([signal, closing.signal])
    ending.throwIfAborted()
    if (items.length === 0) return []
    const headers = config.headersFile === undefined ? {} : await readHeaders(host, hostPath(env.root, config.headersFile))
    const redact = redactor([...Object.values(headers), ...url.searchParams.values()])
    const body = JSON.stringify({ schema: SCHEMA, items: items.map(itemDocument) })
    const call = { url, body, headers, timeoutMs: config.timeoutMs, maxBytes: MAX_GRADE_BYTES * (items.length + 1) }
    const attempt = async (): Promise<string> => {
      const answer = await caller.post(call, ending)
      if (answer.status >= 300) throw statusError(host, answer, env.now(), redact)
      return answer.text
    }
    return gradesOf(host, await withRetries(attempt, { retries: config.retries, random: env.random }, ending), items.length)
  }

  return {
    kind: 'http',
    batch: config.batch,
    grade,
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      caller[Symbol.dispose]()
    },
  }
}

/** @throws HostError HOST_WRONG */
function gradesOf(host: string, text: string, count: number): readonly (Grade | undefined)[] {
  const wrong = (reason: string, cause?: unknown): HostError => new HostError('HOST_WRONG', { host, reason }, { cause })
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch (error) {
    throw wrong(`not JSON: ${shown(text)}`, error)
  }
  const grades = (answer as { readonly grades?: unknown } | null)?.grades
  if (!Array.isArray(grades)) throw wrong(`{"grades": […]} is wanted, not ${shown(answer)}`)
  if (grades.length !== count) throw wrong(`${grades.length} grades for ${count} items`)
  return grades.map((value: unknown, i) => {
    const verdict = checkGrade(value)
    if (!verdict.ok) throw wrong(`grade ${i + 1} of ${count}: ${verdict.reason}`)
    return verdict.grade
  })
}
