import { type IncomingMessage, request } from 'node:http'
import { ControlError, refusal } from './control-error.ts'

/** How long the daemon may be silent, ms: it reports every few seconds, on a busy machine every few dozen. */
const SILENCE_MS = 120_000
/** Longest line read: a converge of 10,000 steps with two figures each takes 400 kB. */
const MAX_LINE_LENGTH = 8 * 2 ** 20

/** Posts JSON and yields a value for each line of the answer. Ends the request when nobody reads on. @throws ControlError, also in the midst of it */
export async function* postLines<T>(
  { socketPath, path, root }: { readonly socketPath: string; readonly path: string; readonly root: string },
  body: unknown,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const payload = Buffer.from(JSON.stringify(body))
  const headers = { host: 'sgsd', 'content-type': 'application/json', 'content-length': payload.length }
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const req = request({ socketPath, method: 'POST', path, headers, ...(signal === undefined ? {} : { signal }) }, resolve)
  req.on('error', reject)
  req.setTimeout(SILENCE_MS, () => req.destroy(new DOMException('the daemon is silent', 'TimeoutError')))
  req.end(payload)
  try {
    const answer = await promise
    const good = (answer.statusCode ?? 500) < 400
    answer.setEncoding('utf8')
    let rest = ''
    for await (const piece of answer) {
      const lines = (rest + String(piece)).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > MAX_LINE_LENGTH) throw new Error('a line of the answer is too long')
      if (good) for (const line of lines) yield JSON.parse(line) as T
    }
    if (!good) throw refused(rest, answer.statusCode)
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof ControlError ? error : refusal(error, root)
  } finally {
    req.destroy()
  }
}

function refused(answer: string, status: number | undefined): ControlError {
  const { error } = JSON.parse(answer) as { readonly error?: { readonly code: string; readonly message: string; readonly hint?: string } }
  return new ControlError('REFUSED', error?.message ?? `the daemon answered ${status}`, error?.hint ?? '', error?.code ?? '')
}
