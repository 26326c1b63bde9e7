import { once } from 'node:events'
import { appendFile, mkdir, readFile, rename, stat } from 'node:fs/promises'
import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { failureOf, items, until, world, type World } from './fixtures/world.ts'
import { hostSchema, type StdoutConfig } from './host-config.ts'
import type { Host } from './port.ts'
import { openStdoutHost } from './stdout-host.ts'

const quiet = new AbortController().signal

const hostOf = (env: World, path: string): Host => openStdoutHost(hostSchema.parse({ kind: 'stdout', path }) as StdoutConfig, env)

const documents = (count: number): readonly object[] => items(count).map((item) => ({ schema: 'sgsd.item/1', ...item, next: item.next ?? null }))

const parsed = (text: string): readonly unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

describe('a file', () => {
  test('gets every item as a line, and nothing is graded', async () => {
    const env = await world()
    await using host = hostOf(env, 'items.ndjson')
    expect([host.kind, host.batch]).toEqual(['stdout', 64])
    expect(await host.grade(items(2), quiet)).toEqual([undefined, undefined])
    expect(await host.grade(items(1), quiet)).toEqual([undefined])
    const file = join(env.root, 'items.ndjson')
    expect(parsed(await readFile(file, 'utf8'))).toEqual([...documents(2), ...documents(1)])
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  test('that was moved away is begun anew; one that was there is added to', async () => {
    const env = await world()
    const file = join(env.root, 'items.ndjson')
    await appendFile(file, '{"mine":true}\n')
    await using host = hostOf(env, file)
    await host.grade(items(1), quiet)
    await rename(file, `${file}.1`)
    await host.grade(items(1), quiet)
    expect(parsed(await readFile(`${file}.1`, 'utf8'))).toEqual([{ mine: true }, ...documents(1)])
    expect(parsed(await readFile(file, 'utf8'))).toEqual(documents(1))
  })

  test('that cannot be one needs a person', async () => {
    const env = await world()
    await mkdir(join(env.root, 'folder'))
    for (const [path, said] of [
      ['folder', 'not a regular file'],
      ['none/items', 'ENOENT'],
      ...(process.platform === 'linux' ? ([['/dev/null', 'not a regular file']] as const) : []),
    ] as const) {
      await using host = hostOf(env, path)
      expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_REFUSED', message: expect.stringContaining(said) })
    }
  })

  test('nothing is written after a stop', async () => {
    const env = await world()
    await using host = hostOf(env, 'items.ndjson')
    expect(await failureOf(host.grade(items(1), AbortSignal.abort('enough')))).toBe('enough')
    await expect(stat(join(env.root, 'items.ndjson'))).rejects.toThrow('ENOENT')
  })
})

describe('standard output', () => {
  test('gets every item as a line', async () => {
    const env = await world()
    await using host = hostOf(env, '-')
    expect(await host.grade(items(3), quiet)).toEqual([undefined, undefined, undefined])
    expect(parsed(String((env.stdout as PassThrough).read()))).toEqual(documents(3))
  })

  test('a reader that is slow slows the farm, and loses nothing', async () => {
    const stdout = new PassThrough({ highWaterMark: 64 })
    const env = await world({ stdout })
    await using host = hostOf(env, '-')
    let done = false
    const call = host.grade(items(50), quiet).finally(() => (done = true))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(done).toBe(false)
    let text = ''
    stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    await call
    await until(() => text.split('\n').length === 51)
    expect(parsed(text)).toEqual(documents(50))
    expect(stdout.listenerCount('drain')).toBe(0)
  })

  test('a reader that takes nothing for 10 s is down, and what comes later is behind what was written', async () => {
    const stdout = new PassThrough({ highWaterMark: 64 })
    await using host = hostOf(await world({ stdout }), '-')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const failure = failureOf(host.grade(items(1), quiet))
      await vi.advanceTimersByTimeAsync(10_000)
      expect(await failure).toMatchObject({ code: 'HOST_DOWN', message: expect.stringContaining('taken nothing for 10 s') })
    } finally {
      vi.useRealTimers()
    }
    let text = ''
    stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    await host.grade(items(1), quiet)
    await until(() => text.split('\n').length === 3)
    // The same item comes again: a reader may see one twice, and never half of one.
    expect(parsed(text)).toEqual([...documents(1), ...documents(1)])
  })

  test('stopping takes less than 100 ms while a reader takes nothing', async () => {
    const stdout = new PassThrough({ highWaterMark: 64 })
    await using host = hostOf(await world({ stdout }), '-')
    const stop = new AbortController()
    const failure = failureOf(host.grade(items(50), stop.signal))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const started = performance.now()
    stop.abort('enough')
    expect(await failure).toBe('enough')
    expect(performance.now() - started).toBeLessThan(100)
  })

  test('a reader that goes away is reported and does not end the process', async () => {
    // A real socket: its end comes as EPIPE or ECONNRESET.
    const peers: Socket[] = []
    const server = createServer((socket) => void peers.push(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const stdout = createConnection((server.address() as { port: number }).port, '127.0.0.1')
    await once(stdout, 'connect')
    const host = hostOf(await world({ stdout }), '-')
    await host.grade(items(1), quiet)
    await until(() => peers.length === 1)
    const closed = new Promise((resolve) => stdout.once('close', resolve))
    peers[0]!.resetAndDestroy()
    await closed
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_REFUSED',
      message: expect.stringContaining('nobody reads it any more'),
    })
    await host[Symbol.asyncDispose]()
    expect(stdout.listenerCount('error')).toBe(0)
    server.close()
  })
})
