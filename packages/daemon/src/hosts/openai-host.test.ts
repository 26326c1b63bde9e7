import { writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BUDGET_VALUE } from './budget.ts'
import { failureOf, httpServer, items, type Listening, until, world, type World } from './fixtures/world.ts'
import { hostSchema, type OpenaiConfig } from './host-config.ts'
import type { HostError } from './host-error.ts'
import { openOpenaiHost } from './openai-host.ts'
import type { Host } from './port.ts'

const quiet = new AbortController().signal
const KEY = 'sk-test-0123456789'

function hostOf(server: Pick<Listening, 'url'>, env: World, config: object = {}): Host {
  const given = { kind: 'openai', baseUrl: `${server.url}/v1/`, model: 'poet', retries: 0, timeoutMs: 2_000, ...config }
  return openOpenaiHost(hostSchema.parse(given) as OpenaiConfig, env)
}

function say(response: ServerResponse, content: string, more: object = {}): void {
  const choice = { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop', ...more }
  response.end(
    JSON.stringify({ id: 'x', object: 'chat.completion', choices: [choice], usage: { prompt_tokens: 90, completion_tokens: 10, total_tokens: 100 } }),
  )
}

const spent = (env: World): unknown => JSON.parse(Buffer.from(env.stored.get(BUDGET_VALUE) ?? new Uint8Array([0x30])).toString())

describe('a compatible server', () => {
  test('gets one completion an item, at once, with the key, and its answers are in order', async () => {
    const env = await world({ variables: { POET_KEY: ` ${KEY}\n` } })
    let atOnce = 0
    const waiting: (() => void)[] = []
    await using server = await httpServer((response, body) => {
      atOnce++
      const asked = JSON.parse((JSON.parse(body) as { messages: { content: string }[] }).messages[1]!.content) as { line: string }
      waiting.push(() => say(response, `{"score": 0.${asked.line.at(-1)}5, "revision": "${asked.line}改"}`))
      if (waiting.length === 3) for (const answer of waiting.toReversed()) answer()
    })
    await using host = hostOf(server, env, { apiKeyEnv: 'POET_KEY' })
    expect([host.kind, host.batch]).toEqual(['openai', 4])
    const asked = items(3)
    expect(await host.grade(asked, quiet)).toEqual(asked.map(({ line }, i) => ({ score: Number(`0.${i}5`), revision: `${line}改` })))
    expect(atOnce).toBe(3)
    expect(server.requests[0]).toMatchObject({ url: '/v1/chat/completions', headers: { authorization: `Bearer ${KEY}` } })
    const body = JSON.parse(server.bodies[0]!) as { messages: { role: string; content: string }[] }
    expect(body).toMatchObject({ model: 'poet', max_tokens: 512, temperature: 0, response_format: { type: 'json_object' } })
    expect(body.messages.map(({ role }) => role)).toEqual(['system', 'user'])
    expect(JSON.parse(body.messages[1]!.content)).toEqual({ line: '床前明月光0', next: '疑是地上霜0', expected: ['霜', '月'] })
    expect(spent(env)).toMatchObject({ requests: 3, tokens: 300 })
  })

  test('without a key none is sent; a prompt of one’s own is', async () => {
    await using server = await httpServer((response) => say(response, '{"score":1}'))
    await using host = hostOf(server, await world(), { prompt: 'Be strict. Answer in JSON.' })
    expect(await host.grade(items(1), quiet)).toEqual([{ score: 1 }])
    expect(server.requests[0]!.headers).not.toHaveProperty('authorization')
    expect(server.bodies[0]).toContain('Be strict. Answer in JSON.')
  })

  test('one that spells requests differently is learned in its own words, once', async () => {
    await using server = await httpServer((response, body) => {
      const asked = JSON.parse(body) as Record<string, unknown>
      const fault =
        (asked['response_format'] as { type: string } | undefined)?.type === 'json_object'
          ? "'response_format.type' must be 'json_schema' or 'text'"
          : 'max_tokens' in asked
            ? "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            : 'temperature' in asked
              ? "'temperature' does not support 0 with this model."
              : undefined
      if (fault === undefined) say(response, '{"score":0.5,"revision":"x"}')
      else response.writeHead(400).end(JSON.stringify({ error: { message: fault } }))
    })
    await using host = hostOf(server, await world())
    for (let i = 0; i < 2; i++) expect(await host.grade(items(1), quiet)).toEqual([{ score: 0.5, revision: 'x' }])
    expect(server.bodies).toHaveLength(5)
    expect(JSON.parse(server.bodies[4]!)).toMatchObject({ max_completion_tokens: 512, response_format: { type: 'json_schema' } })
  })

  test('a model that declines grades nothing, and is not asked again', async () => {
    await using server = await httpServer((response, _body, n) => {
      if (n === 1) say(response, '', { finish_reason: 'content_filter' })
      else say(response, '', { message: { content: null, refusal: 'I would rather not' } })
    })
    await using host = hostOf(server, await world(), { retries: 3 })
    expect(await host.grade(items(1), quiet)).toEqual([undefined])
    expect(await host.grade(items(1), quiet)).toEqual([undefined])
    expect(server.bodies).toHaveLength(2)
  })

  test('500 and an answer that is none are tried again', async () => {
    await using server = await httpServer((response, _body, n) => {
      if (n === 1) response.writeHead(500).end()
      else say(response, n === 2 ? 'I think that is lovely.' : '{"score":0.75}')
    })
    const env = await world()
    await using host = hostOf(server, env, { retries: 2 })
    expect(await host.grade(items(1), quiet)).toEqual([{ score: 0.75 }])
    expect(spent(env)).toMatchObject({ requests: 3, tokens: 200 })
  })

  test('what was graded is not paid for twice when another item of the call failed', async () => {
    await using server = await httpServer((response, body, n) => {
      if (n <= 3 && body.includes('明月光1')) response.writeHead(503).end()
      else say(response, '{"score":0.5}')
    })
    await using host = hostOf(server, await world())
    expect(await failureOf(host.grade(items(3), quiet))).toMatchObject({ code: 'HOST_DOWN' })
    expect(await host.grade(items(3), quiet)).toEqual([{ score: 0.5 }, { score: 0.5 }, { score: 0.5 }])
    expect(server.bodies).toHaveLength(4)
  })

  test('a line that it stumbles over is passed over after good ones; a model that always stumbles is wrong', async () => {
    const env = await world()
    let well = true
    await using server = await httpServer((response, body) => say(response, well && !body.includes('明月光2') ? '{"score":0.5}' : 'Lovely!'))
    await using host = hostOf(server, env, { retries: 3 })
    expect(await host.grade(items(4), quiet)).toEqual([{ score: 0.5 }, { score: 0.5 }, undefined, { score: 0.5 }])
    expect(server.bodies).toHaveLength(5)
    expect(env.logged).toMatchObject([{ level: 'warn', fields: { line: '床前明月光2' } }])
    well = false
    expect(await host.grade(items(2), quiet)).toEqual([undefined, undefined])
    expect(await failureOf(host.grade(items(2), quiet))).toMatchObject({ code: 'HOST_WRONG', message: expect.stringContaining('Lovely!') })
  })

  test('429 with Retry-After is waited for', async () => {
    const times: number[] = []
    await using server = await httpServer((response, _body, n) => {
      times.push(performance.now())
      if (n === 1) response.writeHead(429, { 'retry-after': '1' }).end()
      else say(response, '{"score":1}')
    })
    await using host = hostOf(server, await world(), { retries: 1 })
    expect(await host.grade(items(1), quiet)).toEqual([{ score: 1 }])
    expect(times[1]! - times[0]!).toBeGreaterThan(990)
  })
})

describe('failures', () => {
  test.each([
    [401, 'check the key'],
    [402, 'no credit'],
    [403, 'check what the key is allowed to do'],
    [404, 'check the address and the model'],
    [400, 'check what serves this address'],
  ])('status %i needs a person', async (status, remedy) => {
    await using server = await httpServer((response) => response.writeHead(status).end('{"error":{"message":"no such thing"}}'))
    await using host = hostOf(server, await world(), { retries: 3 })
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_REFUSED',
      message: expect.stringMatching(new RegExp(`model poet cannot be used: status ${status}, “no such thing”; .*${remedy}`)),
    })
    expect(server.bodies).toHaveLength(1)
  })

  test('429 for want of credit needs a person too', async () => {
    await using server = await httpServer((response) =>
      response.writeHead(429).end('{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}'),
    )
    await using host = hostOf(server, await world(), { retries: 3 })
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_REFUSED', message: expect.stringContaining('no credit') })
    expect(server.bodies).toHaveLength(1)
  })

  test('the key is in no error, log or value, even when the server repeats it', async () => {
    const env = await world()
    await writeFile(join(env.root, 'key'), `${KEY}\n`, { mode: 0o600 })
    await using server = await httpServer((response, _body, n) => {
      if (n === 1) response.writeHead(401).end(`{"error":{"message":"Incorrect API key provided: ${KEY}."}}`)
      else if (n === 2) response.end(`"${KEY}"`)
      else say(response, `I was given ${KEY}`)
    })
    await using host = hostOf(server, env, { apiKeyFile: 'key' })
    for (const code of ['HOST_REFUSED', 'HOST_WRONG', 'HOST_WRONG']) {
      const error = (await failureOf(host.grade(items(1), quiet))) as HostError
      expect(error.code).toBe(code)
      expect(error.message).toContain('[redacted]')
      expect(
        JSON.stringify([error, error.message, error.stack, String(error.cause), env.logged, [...env.stored.values()].map(String)]),
      ).not.toContain('0123456789')
    }
    expect(server.requests[0]!.headers['authorization']).toBe(`Bearer ${KEY}`)
  })

  test.each([
    [{ apiKeyEnv: 'NO_SUCH_KEY' }, 'there is no key in the variable NO_SUCH_KEY; set it where the daemon is started'],
    [{ apiKeyFile: 'none' }, 'does not exist'],
    [{ apiKeyFile: 'empty' }, 'put the key into it'],
    [{ apiKeyFile: 'poem' }, 'holds something that is no key'],
  ])('%j is refused before anything is sent', async (config, said) => {
    const env = await world({ variables: {} })
    await writeFile(join(env.root, 'empty'), '\n', { mode: 0o600 })
    await writeFile(join(env.root, 'poem'), '床前明月光 疑是地上霜', { mode: 0o600 })
    await using server = await httpServer((response) => say(response, '{"score":1}'))
    await using host = hostOf(server, env, config)
    const error = (await failureOf(host.grade(items(1), quiet))) as HostError
    expect(error).toMatchObject({ code: 'HOST_REFUSED', message: expect.stringContaining(said) })
    expect(error.message).not.toContain('明月')
    expect(server.connections.made).toBe(0)
  })

  test('an answer without an end is cut off', async () => {
    await using server = await httpServer((response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    })
    await using host = hostOf(server, await world())
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_WRONG', message: expect.stringContaining('more than') })
    await until(() => server.connections.open === 0)
  })

  test('stopping takes less than 100 ms with every request under way', async () => {
    await using server = await httpServer(() => {})
    await using host = hostOf(server, await world(), { retries: 3 })
    const stop = new AbortController()
    const failure = failureOf(host.grade(items(4), stop.signal))
    await until(() => server.bodies.length === 4)
    const started = performance.now()
    stop.abort('enough')
    expect(await failure).toBe('enough')
    expect(performance.now() - started).toBeLessThan(100)
    await until(() => server.connections.open === 0)
  })
})

describe('the budget', () => {
  test('of requests is kept over restarts and is new the next day', async () => {
    let now = Date.parse('2026-11-22T23:59:00Z')
    const env = await world({ now: () => now })
    await using server = await httpServer((response) => say(response, '{"score":1}'))
    for (let i = 0; i < 2; i++) {
      await using host = hostOf(server, env, { budget: { maxRequests: 2 } })
      expect(await host.grade(items(1), quiet)).toEqual([{ score: 1 }])
    }
    await using host = hostOf(server, env, { budget: { maxRequests: 2 } })
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_REFUSED',
      message: expect.stringContaining('the budget is spent: all 2 requests of today (UTC); raise budget in farm.host, or wait for tomorrow'),
      data: { retryAfterMs: 60_000 },
    })
    expect(server.bodies).toHaveLength(2)
    now += 60_000
    expect(await host.grade(items(1), quiet)).toEqual([{ score: 1 }])
  })

  test('a request is on disk before it is sent', async () => {
    const env = await world()
    let seen: unknown
    await using server = await httpServer((response) => {
      seen = spent(env)
      response.socket?.resetAndDestroy()
    })
    await using host = hostOf(server, env, { budget: { per: 'total' } })
    await failureOf(host.grade(items(1), quiet))
    expect(seen).toMatchObject({ period: 'total', requests: 1 })
    // Whether a broken request was worked on is not known: what it may have cost stays taken.
    expect(spent(env)).toEqual(seen)
  })

  test('items that run at once cannot overdraw it', async () => {
    const env = await world()
    await using server = await httpServer((response) => say(response, '{"score":1}'))
    await using host = hostOf(server, env, { budget: { maxRequests: 3, per: 'total' } })
    expect(await failureOf(host.grade(items(8), quiet))).toMatchObject({ code: 'HOST_REFUSED' })
    expect(server.bodies).toHaveLength(3)
    expect(spent(env)).toMatchObject({ requests: 3, tokens: 300 })
  })
})
