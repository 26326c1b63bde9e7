import { chmod, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { failureOf, httpServer, items, type Listening, rawAnswer, rawServer, until, world, type World } from './fixtures/world.ts'
import { MAX_GRADE_BYTES, MAX_REVISION_LENGTH } from './grade.ts'
import { type HttpConfig, hostSchema } from './host-config.ts'
import { HostError, isHostError } from './host-error.ts'
import { openHttpHost } from './http-host.ts'
import type { Host } from './port.ts'

const quiet = new AbortController().signal

function hostOf(server: Pick<Listening, 'url'>, env: World, config: Partial<HttpConfig> = {}): Host {
  return openHttpHost(hostSchema.parse({ kind: 'http', url: `${server.url}/grade`, retries: 0, timeoutMs: 2_000, ...config }) as HttpConfig, env)
}

/** What a call fails with when the server answers as told. */
async function failureWith(answer: Parameters<typeof httpServer>[0], config: Partial<HttpConfig> = {}, count = 2): Promise<HostError> {
  await using server = await httpServer(answer)
  await using host = hostOf(server, await world(), config)
  const error = await failureOf(host.grade(items(count), quiet))
  expect(error).toBeInstanceOf(HostError)
  return error as HostError
}

const grades = (...list: unknown[]): string => JSON.stringify({ grades: list })

describe('a good server', () => {
  test('gets the items and is believed, in order, over one connection', async () => {
    await using server = await httpServer((response) =>
      response.end(grades({ score: 0.25, revision: '低头思故乡', note: 1 }, null, { score: 1, revision: null })),
    )
    const host = hostOf(server, await world())
    expect(host.kind).toBe('http')
    expect(host.batch).toBe(16)
    for (let i = 0; i < 5; i++) {
      expect(await host.grade(items(3), quiet)).toEqual([{ score: 0.25, revision: '低头思故乡' }, undefined, { score: 1 }])
    }
    expect(JSON.parse(server.bodies[0]!)).toEqual({
      schema: 'sgsd.host/1',
      items: items(3).map((item) => ({ ...item, next: item.next ?? null })),
    })
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      url: '/grade',
      headers: { 'content-type': 'application/json', 'accept-encoding': 'identity' },
    })
    expect(server.connections).toEqual({ made: 1, open: 1 })
    const closing = performance.now()
    await host[Symbol.asyncDispose]()
    await until(() => server.connections.open === 0)
    // Left alone, a server of Node closes them after 5 s.
    expect(performance.now() - closing).toBeLessThan(1_000)
  })

  test('no items, no request', async () => {
    await using server = await httpServer((response) => response.end(grades()))
    await using host = hostOf(server, await world())
    expect(await host.grade([], quiet)).toEqual([])
    expect(server.bodies).toEqual([])
  })

  test('gets the headers of the file, and errors never show them', async () => {
    const env = await world()
    const file = join(env.root, 'headers')
    await writeFile(file, '# for the grader\nAuthorization: Bearer s3cret-t0ken\n\nX-Team:  poems \r\n', { mode: 0o600 })
    await using server = await httpServer((response, _body, n) => {
      if (n === 1) response.end(grades({ score: 1 }))
      else response.writeHead(401).end('I do not know Bearer s3cret-t0ken or s3cret-t0ken')
    })
    await using host = hostOf(server, env, { headersFile: 'headers' })
    expect(await host.grade(items(1), quiet)).toEqual([{ score: 1 }])
    expect(server.requests[0]!.headers).toMatchObject({ authorization: 'Bearer s3cret-t0ken', 'x-team': 'poems' })
    const error = (await failureOf(host.grade(items(1), quiet))) as HostError
    expect(error.code).toBe('HOST_REFUSED')
    expect(error.message).toContain('I do not know [redacted] or [redacted]')
    expect(JSON.stringify([error, error.message, error.stack, env.logged])).not.toContain('s3cret')
  })

  test.each([
    ['Authorization Bearer s3cret', 'line 1 is no header'],
    ['A: b\nX-\u0001: s3cret', 'line 2 is no header'],
    ['Content-Length: 3', 'sets content-length'],
    ['A: s3cret\u0001', 'line 1 is no header'],
  ])('a header file with %j is refused without showing it', async (text, said) => {
    const env = await world()
    await writeFile(join(env.root, 'headers'), text, { mode: 0o600 })
    await using host = hostOf({ url: 'http://127.0.0.1:1' }, env, { headersFile: 'headers' })
    const error = (await failureOf(host.grade(items(1), quiet))) as HostError
    expect(error).toMatchObject({ code: 'HOST_REFUSED', message: expect.stringContaining(said) })
    expect(error.message).not.toContain('s3cret')
  })

  test.skipIf(process.platform === 'win32')('a header file that others may read, or that is not there, is refused', async () => {
    const env = await world()
    await using host = hostOf({ url: 'http://127.0.0.1:1' }, env, { headersFile: 'headers' })
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_REFUSED', message: expect.stringContaining('does not exist') })
    await writeFile(join(env.root, 'headers'), 'A: b')
    await chmod(join(env.root, 'headers'), 0o644)
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_REFUSED', message: expect.stringContaining('chmod 600') })
  })
})

describe('answers that are none', () => {
  test.each([
    ['garbage', '<html>hello</html>', 'not JSON'],
    ['nothing', '', 'not JSON'],
    ['NaN', '{"grades":[{"score":NaN},null]}', 'not JSON'],
    ['infinity', '{"grades":[{"score":1e999},null]}', 'not Infinity'],
    ['a score as text', grades({ score: '0.5' }, null), 'grade 1 of 2: a score is a number from 0 to 1, not "0.5"'],
    ['a score above 1', grades({ score: 0.5 }, { score: 1.01 }), 'grade 2 of 2: a score is a number from 0 to 1, not 1.01'],
    ['a negative score', grades({ score: -0.01 }, null), 'not -0.01'],
    ['no score', grades({}, null), 'not undefined'],
    ['a bare number', grades(0.5, 0.5), 'a grade is'],
    ['too few', grades({ score: 1 }), '1 grades for 2 items'],
    ['too many', grades(null, null, null), '3 grades for 2 items'],
    ['no list', '{"grades":{"0":null}}', '{"grades": […]} is wanted'],
    ['a revision that is none', grades({ score: 1, revision: 7 }, null), 'a revision is a text, not 7'],
    ['half a surrogate pair', grades({ score: 1, revision: '\ud800' }, null), 'surrogate'],
    ['a long revision', grades({ score: 1, revision: '水'.repeat(MAX_REVISION_LENGTH + 1) }, null), `${MAX_REVISION_LENGTH + 1} characters`],
    ['a revision of 10 MB', grades({ score: 1, revision: 'a'.repeat(10_000_000) }, null), `more than ${3 * MAX_GRADE_BYTES} bytes`],
  ])('%s', async (_name, body, said) => {
    const error = await failureWith((response) => response.end(body))
    expect(error).toMatchObject({ code: 'HOST_WRONG', message: expect.stringContaining(said) })
    expect(error.message.length).toBeLessThan(400)
  })

  test('the longest revision that is allowed, every character of it escaped, is taken', async () => {
    const revision = '\u0001'.repeat(MAX_REVISION_LENGTH)
    await using server = await httpServer((response) => response.end(grades({ score: 1, revision })))
    await using host = hostOf(server, await world())
    expect(await host.grade(items(1), quiet)).toEqual([{ score: 1, revision }])
  })

  test('bytes that are not UTF-8', async () => {
    expect(await failureWith((response) => response.end(Buffer.from([0x22, 0xff, 0x22])))).toMatchObject({
      code: 'HOST_WRONG',
      data: { reason: 'it is not UTF-8' },
    })
  })

  test('a compressed body is not unpacked', async () => {
    const error = await failureWith((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'))
    expect(error).toMatchObject({ code: 'HOST_WRONG', message: expect.stringContaining('content-encoding gzip') })
  })

  test('a body without an end is cut off at the limit and its connection closed', async () => {
    let sent = 0
    await using server = await httpServer((response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536))) sent += 65_536
      }
      response.on('drain', more)
      more()
    })
    await using host = hostOf(server, await world())
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_WRONG',
      message: expect.stringContaining('more than 131072 bytes'),
    })
    await until(() => server.connections.open === 0)
    expect(sent).toBeLessThan(20_000_000)
  })

  test('something that is not HTTP', async () => {
    await using server = await rawServer((socket) => socket.end('SSH-2.0-OpenSSH_10.1\r\n'))
    await using host = hostOf(server, await world())
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_WRONG',
      message: expect.stringContaining('does not speak HTTP'),
    })
  })

  test('headers without an end', async () => {
    await using server = await rawServer((socket) => socket.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(100_000)}`))
    await using host = hostOf(server, await world())
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_WRONG' })
    await until(() => server.connections.open === 0)
  })
})

describe('a host that is down', () => {
  test('nobody listens', async () => {
    const server = await httpServer(() => {})
    await server[Symbol.asyncDispose]()
    await using host = hostOf(server, await world())
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_DOWN',
      message: `the http host ${server.url}/grade does not answer: nothing listens there (ECONNREFUSED); farming waits for it and loses nothing`,
    })
  })

  test('a slow loris, byte by byte, is left at the deadline', async () => {
    await using server = await rawServer((socket) => {
      socket.write(rawAnswer('{"grades":['))
      const timer = setInterval(() => socket.write(' '), 20)
      socket.on('close', () => clearInterval(timer))
    })
    await using host = hostOf(server, await world(), { timeoutMs: 200 })
    const started = performance.now()
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_DOWN',
      message: expect.stringContaining('no whole answer within 200 ms'),
    })
    expect(performance.now() - started).toBeLessThan(600)
    await until(() => server.connections.open === 0)
  })

  test('a connection that is broken before and in the midst of an answer', async () => {
    for (const answer of ['', rawAnswer('{"grades":', { 'content-length': '100' })]) {
      await using server = await rawServer((socket) => {
        if (answer === '') socket.resetAndDestroy()
        else socket.end(answer)
      })
      await using host = hostOf(server, await world())
      expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
        code: 'HOST_DOWN',
        message: expect.stringContaining('broke the connection'),
      })
    }
  })

  test('500, then a broken connection, then an answer: retried', async () => {
    await using server = await httpServer((response, _body, n) => {
      if (n === 1) response.writeHead(500).end('oops')
      else if (n === 2) response.socket?.resetAndDestroy()
      else response.end(grades({ score: 0.5 }))
    })
    await using host = hostOf(server, await world(), { retries: 2 })
    expect(await host.grade(items(1), quiet)).toEqual([{ score: 0.5 }])
    expect(server.bodies).toHaveLength(3)
    expect(new Set(server.bodies).size).toBe(1)
  })

  test('when the attempts are spent, the last reason is told', async () => {
    await using server = await httpServer((response) => response.writeHead(503).end('{"error":{"message":"warming\\u0007 up\\nplease wait"}}'))
    await using host = hostOf(server, await world(), { retries: 1 })
    const error = await failureOf(host.grade(items(1), quiet))
    expect(isHostError(error, 'HOST_DOWN') && error.data.reason).toBe('status 503, “warming up please wait”')
    expect(server.bodies).toHaveLength(2)
  })

  test('429 with Retry-After is not asked before; one that wants longer is down until then', async () => {
    const times: number[] = []
    await using server = await httpServer((response, _body, n) => {
      times.push(performance.now())
      if (n === 1) response.writeHead(429, { 'retry-after': '1' }).end()
      else if (n === 2) response.end(grades({ score: 1 }))
      else response.writeHead(429, { 'retry-after': '3600' }).end()
    })
    await using host = hostOf(server, await world(), { retries: 3 })
    expect(await host.grade(items(1), quiet)).toEqual([{ score: 1 }])
    expect(times[1]! - times[0]!).toBeGreaterThan(990)
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_DOWN', data: { retryAfterMs: 3_600_000 } })
    expect(times).toHaveLength(3)
  })

  test('a kept connection that the server has given up meanwhile costs no attempt, a new one does', async () => {
    let refuse = false
    await using server = await rawServer((socket) => {
      if (refuse) return socket.resetAndDestroy()
      const body = grades({ score: 1 })
      socket.write(rawAnswer(body, { 'content-length': String(body.length) }))
      setTimeout(() => socket.on('data', () => socket.resetAndDestroy()), 30)
    })
    await using host = hostOf(server, await world())
    for (let i = 0; i < 3; i++) {
      expect(await host.grade(items(1), quiet)).toEqual([{ score: 1 }])
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    expect(server.connections.made).toBe(3)
    refuse = true
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_DOWN' })
    expect(server.connections.made).toBe(4)
  })
})

describe('what needs a person', () => {
  test('a redirect is not followed', async () => {
    await using other = await httpServer((response) => response.end(grades({ score: 1 })))
    const error = await failureWith((response) => response.writeHead(307, { location: other.url }).end(), { retries: 2 })
    expect(error).toMatchObject({ code: 'HOST_REFUSED', message: expect.stringContaining(`redirects to ${other.url}; configure the address`) })
    expect(other.connections.made).toBe(0)
  })

  test.each([400, 401, 403, 404, 405, 422])('status %i is not retried', async (status) => {
    let asked = 0
    const error = await failureWith(
      (response) => {
        asked++
        response.writeHead(status).end('no')
      },
      { retries: 5 },
    )
    expect(error).toMatchObject({ code: 'HOST_REFUSED', message: expect.stringContaining(`status ${status}, “no”`) })
    expect(asked).toBe(1)
  })

  test('TLS where there is none', async () => {
    await using server = await httpServer((response) => response.end())
    await using host = hostOf({ url: server.url.replace('http:', 'https:') }, await world())
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_REFUSED',
      message: expect.stringContaining('begins with http://'),
    })
  })
})

describe('stopping', () => {
  test.each(['before an answer', 'in the midst of one', 'between attempts'])('%s it takes less than 100 ms', async (when) => {
    const arrived = new EventTarget()
    await using server = await httpServer((response) => {
      if (when === 'in the midst of one') response.write('{')
      if (when === 'between attempts') response.writeHead(503, { 'retry-after': '20' }).end()
      setTimeout(() => arrived.dispatchEvent(new Event('request')), 50)
    })
    await using host = hostOf(server, await world(), { retries: 5 })
    const stop = new AbortController()
    const failure = failureOf(host.grade(items(1), stop.signal))
    await once(arrived, 'request')
    const reason = new Error('enough')
    const started = performance.now()
    stop.abort(reason)
    expect(await failure).toBe(reason)
    expect(performance.now() - started).toBeLessThan(100)
    if (when !== 'between attempts') await until(() => server.connections.open === 0)
  })

  test('a signal that was aborted before asks nobody', async () => {
    await using server = await httpServer((response) => response.end(grades({ score: 1 })))
    await using host = hostOf(server, await world())
    expect(await failureOf(host.grade(items(1), AbortSignal.abort('no')))).toBe('no')
    expect(server.connections.made).toBe(0)
  })

  test('closing ends a call that is under way and every connection', async () => {
    await using server = await httpServer(() => {})
    const host = hostOf(server, await world())
    const failure = failureOf(host.grade(items(1), quiet))
    await until(() => server.bodies.length === 1)
    await host[Symbol.asyncDispose]()
    expect(await failure).toMatchObject({ name: 'AbortError' })
    await until(() => server.connections.open === 0)
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ name: 'AbortError' })
  })
})
