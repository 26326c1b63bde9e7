import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openCommandHost } from './command-host.ts'
import { failureOf, items, until, world, type World } from './fixtures/world.ts'
import { type CommandConfig, hostSchema } from './host-config.ts'
import type { HostError } from './host-error.ts'
import type { Host } from './port.ts'

const PROGRAM = fileURLToPath(new URL('fixtures/host-program.mjs', import.meta.url))
const quiet = new AbortController().signal

interface Running extends AsyncDisposable {
  readonly host: Host
  readonly env: World
  /** Processes that the program has named so far, itself first. */
  pids(): readonly number[]
}

async function running(mode: string, config: object = {}): Promise<Running> {
  const env = await world()
  const note = join(env.root, 'pids')
  const given = { kind: 'command', command: process.execPath, args: [PROGRAM, mode, note], timeoutMs: 5_000, ...config }
  const host = openCommandHost(hostSchema.parse(given) as CommandConfig, env)
  const pids = (): readonly number[] => {
    try {
      return readFileSync(note, 'utf8').trim().split('\n').map(Number)
    } catch {
      return []
    }
  }
  return { host, env, pids, [Symbol.asyncDispose]: async () => await host[Symbol.asyncDispose]() }
}

/** False for one that is gone, or dead and not yet collected by whoever inherited it. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    // Other systems have no /proc; on Linux it went in this moment.
    return process.platform !== 'linux'
  }
}

describe('a good program', () => {
  test('is started once, in the data directory, and answers call after call', async () => {
    const run = await running('good')
    expect([run.host.kind, run.host.batch]).toEqual(['command', 16])
    const asked = items(3)
    const wanted = [{ score: 0.5, revision: '床前明月光0→疑是地上霜0' }, { score: 0.5, revision: '床前明月光1→疑是地上霜1' }, undefined]
    for (let i = 0; i < 3; i++) expect(await run.host.grade(asked, quiet)).toEqual(wanted)
    expect(await Promise.all([run.host.grade(asked, quiet), run.host.grade(items(1), quiet)])).toEqual([wanted, [undefined]])
    expect(await run.host.grade([], quiet)).toEqual([])
    expect(run.pids()).toHaveLength(1)
    await run.host[Symbol.asyncDispose]()
    expect(run.pids().map(lives)).toEqual([false])
  })

  test('whose lines end in CR LF', async () => {
    await using run = await running('crlf')
    expect(await run.host.grade(items(2), quiet)).toEqual([{ score: 1 }, { score: 1 }])
  })

  test('may say much on standard error: little of it reaches the log', async () => {
    await using run = await running('chatty')
    expect(await run.host.grade(items(1), quiet)).toEqual([{ score: 1 }])
    const lines = run.env.logged.filter(({ text }) => text === 'host program').map(({ fields }) => (fields as { text: string }).text)
    expect(lines.length).toBeGreaterThanOrEqual(20)
    // Forty, when a minute turned meanwhile.
    expect(lines.length).toBeLessThanOrEqual(40)
    expect(lines[0]).toMatch(/^note 0 \[31mx+…$/)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(501)
  })
})

describe('a bad program', () => {
  test.each([
    ['garbage', 'line 1 of 2: not JSON: "loading model…"'],
    ['nan', 'line 1 of 2: not JSON'],
    ['two', 'a line that nobody asked for'],
    ['flood', 'a line of more than 65536 bytes'],
  ])('%s is HOST_WRONG, and ended', async (mode, said) => {
    await using run = await running(mode)
    const twice = async (): Promise<void> => {
      await run.host.grade(items(2), quiet)
      // Answers too many may come behind the last one that was wanted; then the next call hears of them.
      await until(() => !run.pids().some(lives))
      await run.host.grade(items(2), quiet)
    }
    const error = await failureOf(twice())
    expect(error).toMatchObject({ code: 'HOST_WRONG', message: expect.stringContaining(said) })
    await until(() => !run.pids().some(lives))
  })

  test('one that says nothing is killed at the deadline, with what it started', async () => {
    await using run = await running('family', { timeoutMs: 400 })
    const started = performance.now()
    expect(await failureOf(run.host.grade(items(2), quiet))).toMatchObject({
      code: 'HOST_DOWN',
      message: expect.stringContaining('no 2 grades within 400 ms'),
    })
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(run.pids()).toHaveLength(2)
    // Both ignore SIGTERM.
    await until(() => !run.pids().some(lives))
  })

  test('what it leaves behind when it ends goes too', async () => {
    await using run = await running('orphan')
    expect(await failureOf(run.host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_DOWN',
      message: expect.stringContaining('ended with code 0'),
    })
    expect(run.pids()).toHaveLength(2)
    await until(() => !run.pids().some(lives))
  })

  test('one that ends says why, and is started again, each time later', async () => {
    await using run = await running('crash')
    const error = (await failureOf(run.host.grade(items(1), quiet))) as HostError<'HOST_DOWN'>
    expect(error.message).toContain('ended with code 3, and said last: no model at /models/none')
    expect(error.data.retryAfterMs).toBe(125)
    expect(await failureOf(run.host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_DOWN',
      message: expect.stringContaining('started again in 1 s'),
    })
    expect(run.pids()).toHaveLength(1)
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(await failureOf(run.host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_DOWN', data: { retryAfterMs: 250 } })
    expect(run.pids()).toHaveLength(2)
  })

  test('one that ended between two calls is down once, and back after that', async () => {
    await using run = await running('once')
    expect(await run.host.grade(items(1), quiet)).toEqual([{ score: 1 }])
    await until(() => !lives(run.pids()[0]!))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await failureOf(run.host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_DOWN' })
    await new Promise((resolve) => setTimeout(resolve, 130))
    expect(await run.host.grade(items(1), quiet)).toEqual([{ score: 1 }])
  })

  test('one that is not there, or is no program, needs a person', async () => {
    for (const command of ['no-such-program-of-sgsd', './fixtures', '/']) {
      await using run = await running('good', { command })
      expect(await failureOf(run.host.grade(items(1), quiet))).toMatchObject({
        code: 'HOST_REFUSED',
        message: expect.stringMatching(/does not start \(E[A-Z]+\); name an executable file/),
      })
    }
  })

  test('no shell reads the arguments', async () => {
    const env = await world()
    const given = {
      kind: 'command',
      command: process.execPath,
      args: ['-e', 'console.log(JSON.stringify({score: 1, revision: process.argv[1]}))', '$(id); `id`'],
    }
    await using host = openCommandHost(hostSchema.parse(given) as CommandConfig, env)
    expect(await host.grade(items(1), quiet)).toEqual([{ score: 1, revision: '$(id); `id`' }])
  })
})

describe('stopping', () => {
  test('takes less than 100 ms, and the program dies though it is deaf', async () => {
    await using run = await running('deaf')
    const stop = new AbortController()
    const failures = [run.host.grade(items(1), stop.signal), run.host.grade(items(1), stop.signal)].map(failureOf)
    await until(() => run.pids().length === 1)
    const started = performance.now()
    stop.abort('enough')
    expect(await Promise.all(failures)).toEqual(['enough', 'enough'])
    expect(performance.now() - started).toBeLessThan(100)
    await until(() => !lives(run.pids()[0]!))
  })

  test('a call that was stopped costs no wait: the next one has a new program', async () => {
    await using run = await running('silent')
    const stop = new AbortController()
    const failure = failureOf(run.host.grade(items(1), stop.signal))
    await until(() => run.pids().length === 1)
    stop.abort('enough')
    expect(await failure).toBe('enough')
    const again = new AbortController()
    const other = failureOf(run.host.grade(items(1), again.signal))
    await until(() => run.pids().length === 2)
    again.abort('enough')
    await other
  })

  test('closing ends what is under way and waits until the program is gone', async () => {
    const run = await running('silent')
    const failure = failureOf(run.host.grade(items(1), quiet))
    await until(() => run.pids().length === 1)
    await run.host[Symbol.asyncDispose]()
    expect(run.pids().map(lives)).toEqual([false])
    expect(await failure).toMatchObject({ name: 'AbortError' })
    expect(await failureOf(run.host.grade(items(1), quiet))).toMatchObject({ name: 'AbortError' })
    expect((await readFile(join(run.env.root, 'pids'), 'utf8')).trim().split('\n')).toHaveLength(1)
  })
})
