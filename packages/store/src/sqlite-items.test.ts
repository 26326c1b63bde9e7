import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { ItemId } from '@sgsd/consensus'
import { afterAll, beforeEach, expect, test } from 'vitest'

import { openStore } from './open-store.ts'
import { SqliteItems } from './sqlite-items.ts'

const root = mkdtempSync(join(tmpdir(), 'sgsd-state-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let files = 0
let path = ''
beforeEach(() => {
  files += 1
  path = join(root, `${files}.db`)
})

function fill(count: number): void {
  const items = new SqliteItems(path)
  items.batch(() => {
    for (let n = 0; n < count; n++) items.put({ kind: 'claim', key: `0/x/${n}`, id: `${n}` as ItemId, bytes: new Uint8Array(300).fill(n) })
  })
  items.close()
}

test('it is synced at each commit, in write-ahead mode, the owner’s alone', () => {
  fill(1)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const database = new DatabaseSync(path)
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  database.close()
})

test('a damaged file is STATE_CORRUPT with what to do', async () => {
  const damages: readonly ((bytes: Buffer) => void)[] = [
    (bytes) => bytes.fill('x', 0, 100),
    (bytes) => bytes.fill(0xff, 8_192, 20_000),
    (bytes) => bytes.fill(0, 100, 4_096),
  ]
  for (const [n, damage] of damages.entries()) {
    path = join(root, `damaged-${n}.db`)
    fill(500)
    const bytes = readFileSync(path)
    damage(bytes)
    writeFileSync(path, bytes)
    expect(() => new SqliteItems(path)).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }))
    expect(() => new SqliteItems(path)).toThrow(/is damaged \(.+\); move it away and start again: blocks are kept/)
  }
})

test('openStore passes that on, and opens again once the file is moved away', async () => {
  const dir = join(root, 'data')
  await (await openStore(dir)).close()
  writeFileSync(join(dir, 'state.db'), 'not a database at all, '.repeat(100))
  await expect(openStore(dir)).rejects.toMatchObject({ code: 'STATE_CORRUPT', data: { path: join(dir, 'state.db') } })
  rmSync(join(dir, 'state.db'))
  await (await openStore(dir)).close()
})

test('a database of another program, and one of a later version, are left alone', () => {
  const other = new DatabaseSync(path)
  other.exec('CREATE TABLE bookmark (url TEXT)')
  other.close()
  expect(() => new SqliteItems(path)).toThrow(
    expect.objectContaining({ code: 'STATE_CORRUPT', data: { path, reason: 'a database of another program' } }),
  )

  path = join(root, 'later.db')
  fill(1)
  const later = new DatabaseSync(path)
  later.exec('PRAGMA user_version = 3')
  later.close()
  expect(() => new SqliteItems(path)).toThrow(expect.objectContaining({ code: 'STATE_NEWER', data: { path, found: 3, known: 2 } }))
})

test('a database of version 1 gets the table of notes and keeps what it has', () => {
  fill(3)
  const old = new DatabaseSync(path)
  old.exec('DROP TABLE note; PRAGMA user_version = 1')
  old.close()
  for (let time = 0; time < 2; time++) {
    const items = new SqliteItems(path)
    expect([...items.items()]).toHaveLength(3)
    items.setNote('pin', String(time), new Uint8Array(2))
    expect([...items.notes('pin')]).toHaveLength(time + 1)
    items.close()
  }
})

test('ten thousand items load in a blink', () => {
  fill(10_000)
  const items = new SqliteItems(path)
  const from = performance.now()
  expect([...items.items()]).toHaveLength(10_000)
  expect(performance.now() - from).toBeLessThan(1_000)
  items.close()
})
