import { chmodSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { failureOf, items, world, type World } from './fixtures/world.ts'
import { MAX_REVISION_LENGTH } from './grade.ts'
import { hostSchema, type SqliteConfig } from './host-config.ts'
import type { Host } from './port.ts'
import { openSqliteHost } from './sqlite-host.ts'

const quiet = new AbortController().signal

const hostOf = (env: World, config: object = {}): Host =>
  openSqliteHost(hostSchema.parse({ kind: 'sqlite', path: 'grades.db', ...config }) as SqliteConfig, env)

/** As a person with the sqlite3 program has it. */
const opened = (env: World): DatabaseSync => new DatabaseSync(join(env.root, 'grades.db'))

const outbox = (env: World): unknown[] => {
  using database = opened(env)
  return database
    .prepare('SELECT line FROM outbox ORDER BY line')
    .all()
    .map(({ line }) => line)
}

test('lines without a grade wait in the outbox, once; grades that come are taken on the next pass', async () => {
  const env = await world()
  await using host = hostOf(env)
  expect([host.kind, host.batch]).toEqual(['sqlite', 64])
  const asked = items(3)
  expect(await host.grade(asked, quiet)).toEqual([undefined, undefined, undefined])
  expect(await host.grade(asked, quiet)).toEqual([undefined, undefined, undefined])
  expect(outbox(env)).toEqual(asked.map(({ line }) => line))
  {
    using database = opened(env)
    expect(database.prepare('SELECT * FROM outbox WHERE line = ?').get(asked[2]!.line)).toEqual({
      line: asked[2]!.line,
      next: null,
      nearest: JSON.stringify(asked[2]!.nearest),
      layer: asked[2]!.layer,
    })
    database.exec("INSERT INTO grade SELECT line, 0.5, next FROM outbox WHERE next IS NOT NULL AND line LIKE '%0'")
    database.prepare('INSERT INTO grade (line, score) VALUES (?, 1)').run(asked[1]!.line)
    database.prepare('INSERT INTO grade (line) VALUES (?)').run(asked[2]!.line)
  }
  // A row without a score is one that somebody has not finished.
  expect(await host.grade(asked, quiet)).toEqual([{ score: 0.5, revision: '疑是地上霜0' }, { score: 1 }, undefined])
  expect(outbox(env)).toEqual([asked[2]!.line])
})

test('with wait the farm pauses until every line has a grade', async () => {
  const env = await world()
  await using host = hostOf(env, { wait: true })
  expect(await failureOf(host.grade(items(2), quiet))).toMatchObject({
    code: 'HOST_DOWN',
    message: expect.stringContaining('2 of 2 lines in its table outbox have no grade yet'),
    data: { retryAfterMs: 5_000 },
  })
  {
    using database = opened(env)
    database.exec('INSERT INTO grade SELECT line, 0, NULL FROM outbox')
  }
  expect(await host.grade(items(2), quiet)).toEqual([{ score: 0 }, { score: 0 }])
  expect(outbox(env)).toEqual([])
})

test('grades survive a restart, and a file of one’s own with only a table of grades will do', async () => {
  const env = await world()
  {
    using database = opened(env)
    database.exec("CREATE TABLE grade (line TEXT PRIMARY KEY, score, revision, who TEXT); INSERT INTO grade VALUES ('床前明月光0', 0.25, '', 'me')")
  }
  for (let i = 0; i < 2; i++) {
    await using host = hostOf(env)
    expect(await host.grade(items(1), quiet)).toEqual([{ score: 0.25 }])
  }
})

describe('grades that are none name their line', () => {
  test.each([
    ['a score above 1', 1.5, null, 'not 1.5'],
    ['a score as text', '0.5', null, 'not "0.5"'],
    ['infinity', Infinity, null, 'not Infinity'],
    ['a revision of 10 MB', 1, 'a'.repeat(10_000_000), `a revision of ${MAX_REVISION_LENGTH + 1} characters`],
    ['a number as revision', 1, 7, 'a revision is a text, not 7'],
    ['bytes as revision', 1, Buffer.from('a'), 'a revision is a text'],
  ])('%s', async (_name, score, revision, said) => {
    const env = await world()
    {
      using database = opened(env)
      database.exec('CREATE TABLE grade (line, score, revision)')
      database.prepare('INSERT INTO grade VALUES (?, ?, ?)').run('床前明月光0', score, revision)
    }
    await using host = hostOf(env)
    const error = (await failureOf(host.grade(items(1), quiet))) as Error
    expect(error).toMatchObject({ code: 'HOST_WRONG', message: expect.stringContaining('the grade of "床前明月光0": ') })
    expect(error.message).toContain(said)
    expect(error.message.length).toBeLessThan(300)
  })

  test('the table that we make refuses them itself', async () => {
    const env = await world()
    await using host = hostOf(env)
    await host.grade(items(1), quiet)
    using database = opened(env)
    for (const score of [2, -1, 'much'])
      expect(() => database.prepare('INSERT INTO grade VALUES (?, ?, NULL)').run('x', score)).toThrow(/CHECK constraint|cannot store TEXT/)
  })
})

describe('files', () => {
  test('another program that writes is waited for without stopping this one; then the host is down', async () => {
    const env = await world()
    await using host = hostOf(env)
    await host.grade(items(1), quiet)
    using other = opened(env)
    other.exec('BEGIN IMMEDIATE')
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    const waiting = host.grade(items(1), quiet)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(ticks).toBeGreaterThan(10)
    other.exec('COMMIT')
    expect(await waiting).toEqual([undefined])
    other.exec('BEGIN IMMEDIATE')
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_DOWN',
      message: expect.stringContaining('another program has held'),
    })
    clearInterval(timer)
    other.exec('ROLLBACK')
    expect(await host.grade(items(1), quiet)).toEqual([undefined])
  })

  test('stopping takes less than 100 ms while another program holds it', async () => {
    const env = await world()
    await using host = hostOf(env)
    await host.grade(items(1), quiet)
    using other = opened(env)
    other.exec('BEGIN IMMEDIATE')
    const stop = new AbortController()
    const failure = failureOf(host.grade(items(1), stop.signal))
    await new Promise((resolve) => setTimeout(resolve, 50))
    const started = performance.now()
    stop.abort('enough')
    expect(await failure).toBe('enough')
    expect(performance.now() - started).toBeLessThan(100)
  })

  test.each([
    ['no database', 'grades.db', 'file is not a database'],
    ['no folder', 'none/grades.db', 'ENOENT'],
    ['a folder', '.', 'EISDIR'],
  ])('%s needs a person, and is left as it is', async (_name, path, said) => {
    const env = await world()
    await writeFile(join(env.root, 'grades.db'), 'a letter to somebody, long enough to be looked at as a database file, which it is not '.repeat(20))
    await using host = hostOf(env, { path })
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_REFUSED', message: expect.stringContaining(said) })
    expect(await readFile(join(env.root, 'grades.db'), 'utf8')).toMatch(/^a letter/)
  })

  test('tables of the right name with other columns need a person', async () => {
    const env = await world()
    {
      using database = opened(env)
      database.exec('CREATE TABLE grade (pupil, mark)')
    }
    await using host = hostOf(env)
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({
      code: 'HOST_REFUSED',
      message: expect.stringMatching(/no such column.*tables of docs\/hosts.md/),
    })
  })

  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('a file that may not be written needs a person', async () => {
    const env = await world()
    await writeFile(join(env.root, 'grades.db'), '')
    chmodSync(join(env.root, 'grades.db'), 0o400)
    await using host = hostOf(env)
    expect(await failureOf(host.grade(items(1), quiet))).toMatchObject({ code: 'HOST_REFUSED' })
  })

  test('one that was taken away or replaced is noticed', async () => {
    const env = await world()
    const file = join(env.root, 'grades.db')
    await using host = hostOf(env)
    await host.grade(items(1), quiet)
    await rename(file, `${file}.old`)
    await host.grade(items(2), quiet)
    expect(outbox(env)).toHaveLength(2)
  })
})
