import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { DaemonError } from '../daemon-error.ts'
import { EventBus } from '../event-bus.ts'
import type { RunLine } from './api.ts'
import { openControl } from './client.ts'
import { type ControlServer, type ControlTarget, openControlServer } from './server.ts'

const PROGRAM = { version: 1, program: ['reset'] }
const op = (index: number): RunLine => ({ event: 'op', index, op: 'reset', sets: ['start'], sha256: 'ab', top: [] })

let server: ControlServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function serve(run: ControlTarget['run']): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sgsd-lines-'))
  server = await openControlServer(join(root, 'control.sock'), { run } as ControlTarget, new EventBus())
  return root
}

async function read(root: string, body: unknown, signal?: AbortSignal): Promise<RunLine[]> {
  const lines: RunLine[] = []
  for await (const line of openControl(root).lines<RunLine>('/v1/run', body, signal)) lines.push(line)
  return lines
}

test('lines come as they are made, and the request as it was sent', async () => {
  const requests: unknown[] = []
  const { promise: seen, resolve } = Promise.withResolvers<void>()
  const root = await serve(async (request) => {
    requests.push(request)
    return (async function* () {
      yield op(0)
      await seen
      yield op(1)
    })()
  })
  const lines: RunLine[] = []
  for await (const line of openControl(root).lines<RunLine>('/v1/run', { program: PROGRAM, layer: 'abcdef' })) {
    lines.push(line)
    resolve()
  }
  expect(lines).toEqual([op(0), op(1)])
  expect(requests).toEqual([{ program: PROGRAM, layer: 'abcdef' }])
})

test('a refusal before the first line is a refusal, with its hint', async () => {
  const root = await serve(() => Promise.reject(new DaemonError('PROGRAM_INVALID', 'there is no op sing', 'sing elsewhere')))
  await expect(read(root, { program: PROGRAM })).rejects.toMatchObject({
    code: 'REFUSED',
    reason: 'PROGRAM_INVALID',
    message: 'there is no op sing',
    hint: 'sing elsewhere',
  })
})

test('what is no request never reaches the daemon', async () => {
  const root = await serve(() => Promise.reject(new Error('unexpected')))
  for (const body of [{ program: PROGRAM, layer: 'XYZ' }, { program: PROGRAM, layer: 'abc' }, { program: PROGRAM, extra: 1 }, 'reset']) {
    await expect(read(root, body)).rejects.toMatchObject({ code: 'REFUSED', reason: 'BAD_REQUEST' })
  }
  await expect(read(root, { program: 'x'.repeat(5 * 2 ** 20) })).rejects.toMatchObject({ code: 'REFUSED' })
})

test('a run that breaks in the midst is no whole answer, and one that nobody reads is ended', async () => {
  const broken = await serve(async () =>
    (async function* () {
      yield op(0)
      await pause(20)
      throw new Error('the worker died')
    })(),
  )
  await expect(read(broken, { program: PROGRAM })).rejects.toMatchObject({ code: 'DAEMON_NOT_RUNNING' })
  await server?.close()
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const endless = await serve(async () =>
    (async function* () {
      try {
        for (let index = 0; ; index++) {
          yield op(index)
          await pause(1)
        }
      } finally {
        resolve()
      }
    })(),
  )
  for await (const line of openControl(endless).lines<RunLine>('/v1/run', { program: PROGRAM })) if (line.event === 'op' && line.index === 3) break
  await ended
  const leaving = new AbortController()
  const reading = read(endless, { program: PROGRAM }, leaving.signal)
  setTimeout(() => leaving.abort(new Error('I leave')), 50)
  await expect(reading).rejects.toThrow('I leave')
})

test('nobody at home', async () => {
  const root = await mkdtemp(join(tmpdir(), 'sgsd-lines-'))
  await expect(read(root, { program: PROGRAM })).rejects.toMatchObject({ code: 'DAEMON_NOT_RUNNING' })
})
