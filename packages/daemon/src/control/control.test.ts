import { mkdtemp, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { DaemonError } from '../daemon-error.ts'
import { EventBus } from '../event-bus.ts'
import { ControlError, openControl } from './client.ts'
import { type ControlServer, type ControlTarget, openControlServer } from './server.ts'

let server: ControlServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const target = (over: Partial<ControlTarget>): ControlTarget =>
  new Proxy(over as ControlTarget, {
    get: (have, name) =>
      Reflect.get(have, name) ??
      (() => {
        throw new Error(`unexpected ${String(name)}`)
      }),
  })

async function serve(over: Partial<ControlTarget>, events = new EventBus()): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sgsd-ctl-'))
  server = await openControlServer(join(root, 'control.sock'), target(over), events)
  return root
}

test('answers go through, the socket is for user and group only', async () => {
  const root = await serve({ farm: async (_name, lines) => ({ schema: 'sgsd.farm/1', lines: lines.length }) })
  expect(await openControl(root).post('/v1/farm', { name: 'x', lines: ['天地', '玄黃'] })).toEqual({ schema: 'sgsd.farm/1', lines: 2 })
  expect((await stat(join(root, 'control.sock'))).mode & 0o777).toBe(0o660)
})

test('a refusal carries code, sentence and hint', async () => {
  const root = await serve({ ask: () => Promise.reject(new DaemonError('TEXT_UNKNOWN', 'no known character', 'ask in Chinese')) })
  const error = await openControl(root)
    .post('/v1/ask', { text: 'hello' })
    .catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(ControlError)
  expect(error).toMatchObject({ code: 'REFUSED', reason: 'TEXT_UNKNOWN', message: 'no known character', hint: 'ask in Chinese' })
})

test('bad bodies and unknown paths are refused before they reach the daemon', async () => {
  const root = await serve({})
  for (const body of [{}, { text: '' }, { text: 'x', k: -1 }, { text: 'x', extra: 1 }, 'text', null]) {
    await expect(openControl(root).post('/v1/ask', body)).rejects.toMatchObject({ code: 'REFUSED', reason: 'BAD_REQUEST' })
  }
  await expect(openControl(root).get('/v1/nothing')).rejects.toMatchObject({ code: 'REFUSED', reason: 'NOT_FOUND' })
  await expect(openControl(root).get('/v1/epochs?epoch=-1')).rejects.toMatchObject({ reason: 'BAD_REQUEST' })
})

test('no daemon is told from a stale socket and from none', async () => {
  const root = await mkdtemp(join(tmpdir(), 'sgsd-ctl-'))
  await expect(openControl(root).get('/v1/status')).rejects.toMatchObject({ code: 'DAEMON_NOT_RUNNING' })
})

test('events arrive one by one, and a client that goes away is forgotten', async () => {
  const events = new EventBus()
  const root = await serve({}, events)
  const leaving = new AbortController()
  const seen: string[] = []
  for await (const event of withFirst(openControl(root).events(leaving.signal), () => events.emit({ event: 'warning', message: 'a' }))) {
    seen.push(event.event === 'warning' ? event.message : event.event)
    if (seen.length === 3) break
    events.emit({ event: 'warning', message: `after ${seen.length}` })
  }
  leaving.abort()
  expect(seen).toEqual(['a', 'after 1', 'after 2'])
  events.emit({ event: 'warning', message: 'nobody hears this' })
})

test('garbage on the socket does not end the server', async () => {
  const root = await serve({ invite: () => ({ schema: 'sgsd.invite/1', admission: 'open', invites: [] }) })
  await new Promise<void>((resolve) => {
    const socket = connect(join(root, 'control.sock'))
    socket.on('close', () => resolve()).on('error', () => {})
    socket.end(Buffer.from([0, 255, 13, 10, 7, 13, 10, 13, 10]))
    socket.resume()
  })
  expect(await openControl(root).get('/v1/invite')).toMatchObject({ schema: 'sgsd.invite/1' })
})

/** Runs `act` once the stream is being read. */
async function* withFirst<T>(stream: AsyncIterable<T>, act: () => void): AsyncGenerator<T> {
  const timer = setInterval(act, 50)
  for await (const event of stream) {
    clearInterval(timer)
    yield event
  }
}
