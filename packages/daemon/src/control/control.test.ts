import { createHash } from 'node:crypto'
import { mkdtemp, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { DaemonError } from '../daemon-error.ts'
import { EventBus } from '../event-bus.ts'
import type { InviteDocument } from './api.ts'
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

const INVITE: InviteDocument = {
  schema: 'sgsd.invite/1',
  admission: 'open',
  kind: 'bare',
  invites: ['/ip4/1.2.3.4/tcp/1'],
  number: null,
  expiresAt: null,
  uses: null,
}

test('answers go through, the socket is for user and group only', async () => {
  const root = await serve({ invite: () => INVITE })
  expect(await openControl(root).get('/v1/invite')).toEqual(INVITE)
  expect((await stat(join(root, 'control.sock'))).mode & 0o777).toBe(0o660)
})

describe('a text', () => {
  const accepted = { schema: 'sgsd.farm/1', name: 'x', lines: 2, taken: 2, known: 0, turn: 1 } as const

  test('streams through as it is, no faster than the daemon reads it', async () => {
    const piece = Buffer.alloc(2 ** 18, '天地玄黃\n')
    const hash = createHash('sha256')
    let read = 0
    let sent = 0
    let ahead = 0
    const root = await serve({
      farm: async ({ name, shared, again }, body) => {
        expect([name, shared, again]).toEqual(['千字文 & more', true, false])
        for await (const bytes of body) {
          hash.update(bytes)
          read += bytes.length
          ahead = Math.max(ahead, sent - read)
          if (read % 2 ** 22 < bytes.length) await pause(20)
        }
        return accepted
      },
    })
    const text = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 128; i++) {
        sent += piece.length
        yield piece
      }
    }
    const query = new URLSearchParams({ name: '千字文 & more', shared: '1' })
    expect(await openControl(root).send(`/v1/farm?${query.toString()}`, text())).toEqual(accepted)
    expect(read).toBe(128 * piece.length)
    const expected = createHash('sha256')
    for (let i = 0; i < 128; i++) expected.update(piece)
    expect(hash.digest('hex')).toBe(expected.digest('hex'))
    expect(ahead).toBeLessThan(4 * 2 ** 20)
  })

  test('that is refused in the middle is not sent to its end', async () => {
    const root = await serve({
      farm: async (_options, body) => {
        for await (const _bytes of body) throw new DaemonError('TEXT_NOT_UTF8', 'x is not UTF-8: byte 7, in line 1', 'iconv')
        return accepted
      },
    })
    let sent = 0
    const text = async function* (): AsyncGenerator<Uint8Array> {
      for (; sent < 2 ** 30; sent += 2 ** 18) yield Buffer.alloc(2 ** 18)
    }
    await expect(openControl(root).send('/v1/farm?name=x', text())).rejects.toMatchObject({ reason: 'TEXT_NOT_UTF8', hint: 'iconv' })
    expect(sent).toBeLessThan(2 ** 27)
  })

  test('whose reader goes away breaks off at the other end too', async () => {
    const begun = Promise.withResolvers<void>()
    const end = Promise.withResolvers<unknown>()
    const root = await serve({
      farm: async (_options, body) => {
        try {
          for await (const _bytes of body) begun.resolve()
        } catch (error) {
          end.resolve(error)
        }
        return accepted
      },
    })
    const leaving = new AbortController()
    const text = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('天地')
      await begun.promise
      leaving.abort(new Error('Ctrl-C'))
      yield Buffer.from('玄黃')
    }
    await expect(openControl(root).send('/v1/farm?name=x', text(), leaving.signal)).rejects.toThrow('Ctrl-C')
    expect(await end.promise).toMatchObject({ code: 'ECONNRESET' })
  })

  test('comes as text and with a name', async () => {
    const root = await serve({})
    await expect(openControl(root).post('/v1/farm?name=x', { lines: ['天'] })).rejects.toMatchObject({ reason: 'BAD_REQUEST' })
    const nothing = async function* (): AsyncGenerator<Uint8Array> {}
    for (const query of ['', '?name=', '?name=x&shared=yes', '?name=x&other=1']) {
      await expect(openControl(root).send(`/v1/farm${query}`, nothing()), query).rejects.toMatchObject({ reason: 'BAD_REQUEST' })
    }
  })
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
  const root = await serve({ invite: () => INVITE })
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
