import { request as httpRequest } from 'node:http'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { DaemonError } from '../daemon-error.ts'
import { openApi } from './open-api.ts'
import { type ApiServer, type ApiTarget, openApiServer } from './server.ts'
import { ensureApiToken, readApiToken, rotateApiToken } from './token.ts'

const TOKEN = 'sgsd-test'

interface ErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string }
}

const servers: AsyncDisposable[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server[Symbol.asyncDispose]()))
})

async function serve(over: Partial<ApiTarget> = {}): Promise<ApiServer> {
  const server = await openApiServer(
    { host: '127.0.0.1', port: 0 },
    {
      token: () => Promise.resolve(TOKEN),
      embed: (model, texts, dimensions) => Promise.resolve({ model: `${model}:ab`, vectors: new Float32Array(texts.length * dimensions).fill(0.5) }),
      ask: () => Promise.reject(new DaemonError('TEXT_UNKNOWN', 'no character is known')),
      models: () => ['sgs:ab'],
      failed: () => {},
      ...over,
    },
  )
  servers.push(server)
  return server
}

async function post(
  server: ApiServer,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  path = '/v1/embeddings',
): Promise<{ status: number; body: ErrorBody }> {
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: answer.status, body: (await answer.json()) as ErrorBody }
}

/** A request with a Host of one's own, which fetch does not allow. */
function statusOf(server: ApiServer, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  httpRequest(`${server.url}/v1/models`, { headers: { authorization: `Bearer ${TOKEN}`, ...headers } }, (answer) => {
    answer.resume()
    resolve(answer.statusCode)
  })
    .on('error', reject)
    .end()
  return promise
}

describe('who may ask', () => {
  test('nobody without the token, and the body is not looked at', async () => {
    const server = await serve()
    for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
      const { status, body } = await post(server, '{', { authorization })
      expect(status).toBe(401)
      expect(body.error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_api_key', param: null })
    }
  })

  test('no page that rebound its own name to this machine, and none of another origin', async () => {
    const server = await serve()
    const { host } = new URL(server.url)
    for (const name of ['evil.example', 'evil.example:42070', '127.0.0.1.evil.example', '10.0.0.1', 'localhost.evil', '[::2]']) {
      expect(await statusOf(server, { host: name }), name).toBe(403)
    }
    for (const name of [host, '127.0.0.1', 'localhost:1', 'LOCALHOST', '[::1]:42070']) expect(await statusOf(server, { host: name }), name).toBe(200)
    for (const origin of ['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1'])
      expect(await statusOf(server, { origin }), origin).toBe(403)
    expect(await statusOf(server, { origin: server.url })).toBe(200)
  })

  test('no more at once than may; a place is free again when an answer has gone', async () => {
    const { promise: held, resolve } = Promise.withResolvers<void>()
    const server = await serve({
      embed: async (model) => {
        await held
        return { model, vectors: new Float32Array(1) }
      },
    })
    const wanted = { model: 'sgs', input: '月', dimensions: 1 }
    const waiting = Array.from({ length: 8 }, () => post(server, wanted))
    await expect.poll(async () => (await post(server, {})).status).toBe(429)
    const { body } = await post(server, wanted)
    expect(body.error).toMatchObject({ type: 'rate_limit_error', code: 'rate_limit_exceeded' })
    resolve()
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(waiting.map(() => 200))
    expect((await post(server, wanted)).status).toBe(200)
  })
})

describe('what is refused, as OpenAI would', () => {
  test.each<[unknown, number, string, string | null]>([
    [{ input: '月' }, 400, 'invalid_value', 'model'],
    [{ model: 'sgs' }, 400, 'invalid_value', 'input'],
    [{ model: 'sgs', input: [] }, 400, 'invalid_value', 'input'],
    [{ model: 'sgs', input: '' }, 400, 'invalid_value', 'input'],
    [{ model: 'sgs', input: ['月', ''] }, 400, 'invalid_value', 'input'],
    [{ model: 'sgs', input: [1, 2, 3] }, 400, 'invalid_value', 'input'],
    [{ model: 'sgs', input: [[1, 2], [3]] }, 400, 'invalid_value', 'input'],
    [{ model: 'sgs', input: ['月', 3] }, 400, 'invalid_value', 'input'],
    [{ model: 'sgs', input: Array.from({ length: 2_049 }, () => '月') }, 400, 'invalid_value', 'input'],
    [{ model: 'sgs', input: Array.from({ length: 2_048 }, () => '月'), dimensions: 4_096 }, 400, 'invalid_value', 'input'],
    [{ model: 'sgs', input: '月'.repeat(8_193) }, 400, 'context_length_exceeded', 'input'],
    [{ model: 'sgs', input: '月', dimensions: 0 }, 400, 'invalid_value', 'dimensions'],
    [{ model: 'sgs', input: '月', dimensions: 4_097 }, 400, 'invalid_value', 'dimensions'],
    [{ model: 'sgs', input: '月', dimensions: 2.5 }, 400, 'invalid_value', 'dimensions'],
    [{ model: 'sgs', input: '月', encoding_format: 'hex' }, 400, 'invalid_value', 'encoding_format'],
    [{ model: 'sgs', input: '月', temperature: 1 }, 400, 'unknown_parameter', 'temperature'],
    [['月'], 400, 'invalid_value', null],
    ['{"model":', 400, 'invalid_request', null],
    ['null', 400, 'invalid_value', null],
    [`{"model":"sgs","input":"${'月'.repeat(6_000_000)}"}`, 413, 'request_too_large', null],
  ])('case %#', async (sent, status, code, param) => {
    const answer = await post(await serve({ embed: () => Promise.reject(new Error('unexpected')) }), sent)
    expect(answer.status).toBe(status)
    expect(answer.body.error).toMatchObject({ code, param, type: 'invalid_request_error' })
    expect(answer.body.error.message.length).toBeLessThan(300)
  })

  test('paths, methods and kinds of content that there are not', async () => {
    const server = await serve()
    expect(await post(server, {}, {}, '/v1/chat/completions')).toMatchObject({ status: 404, body: { error: { code: 'unknown_url' } } })
    expect((await post(server, 'x', { 'content-type': 'text/xml' })).status).toBe(415)
    expect(await post(server, { text: 'hello' }, {}, '/v1/step')).toMatchObject({
      status: 400,
      body: { error: { code: 'no_known_characters', param: 'text' } },
    })
    expect(await post(server, { k: 1 }, {}, '/v1/step')).toMatchObject({ status: 400, body: { error: { param: 'text' } } })
  })

  test('what breaks inside is told to the log, and not to whoever asks', async () => {
    const seen: string[] = []
    const server = await serve({ embed: () => Promise.reject(new Error('/secret/path')), failed: (error) => seen.push(error.message) })
    const { status, body } = await post(server, { model: 'sgs', input: '月' })
    expect([status, body.error.type]).toEqual([500, 'server_error'])
    expect(JSON.stringify(body)).not.toContain('secret')
    expect(seen).toEqual(['/secret/path'])
  })
})

test('usage counts code points, and large answers are whole', async () => {
  const server = await serve()
  const texts = Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? '𠮷月' : 'a'))
  const answer = (await post(server, { model: 'sgs', input: texts, dimensions: 700, encoding_format: 'base64' })).body as unknown as {
    data: { index: number; embedding: string }[]
    usage: object
  }
  expect(answer.usage).toEqual({ prompt_tokens: 450, total_tokens: 450 })
  expect(answer.data.map(({ index }) => index)).toEqual(texts.map((_, i) => i))
  for (const { embedding } of answer.data) expect(embedding).toBe(Buffer.from(new Float32Array(700).fill(0.5).buffer).toString('base64'))
})

describe('opening', () => {
  const log = pino({ level: 'silent' })
  const target = { token: () => Promise.resolve(TOKEN), models: () => [] } as unknown as ApiTarget

  test('off is off; a port that is taken leaves the daemon without an API, naming the setting', async () => {
    const root = await mkdtemp(join(tmpdir(), 'sgsd-api-'))
    const file = join(root, 'api.token')
    expect((await openApi('off', file, target, log)).report.state).toBe('off')
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const { report } = await openApi(`127.0.0.1:${port}`, file, target, log)
    expect(report).toMatchObject({ state: 'failed', url: '' })
    expect(report.why).toContain('api.listen')
    expect(report.why).toContain(String(port))
    other.close()
    await using opened = await openApi('127.0.0.1:0', file, target, log)
    expect(opened.report).toMatchObject({ state: 'on', tokenFile: file })
  })

  test('the token is made once, by whoever comes first, and rotated when asked', async () => {
    const root = await mkdtemp(join(tmpdir(), 'sgsd-token-'))
    const file = join(root, 'api.token')
    const [one, two] = await Promise.all([ensureApiToken(file), ensureApiToken(file)])
    expect(one).toMatch(/^sgsd-[\w-]{43}$/)
    expect(two).toBe(one)
    const rotated = await rotateApiToken(file)
    expect(rotated).not.toBe(one)
    expect(await readApiToken(file)).toBe(rotated)
  })
})
