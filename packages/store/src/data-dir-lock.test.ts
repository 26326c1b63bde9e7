import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'

import { lockDataDir } from './data-dir-lock.ts'
import type { LockLine } from './testing/hold-lock.ts'
import { runChild } from './testing/run-child.ts'
import type { Child } from './testing/run-child.ts'

const root = mkdtempSync(join(tmpdir(), 'sgsd-lock-'))
const children: Child[] = []
let dirs = 0
let dir = ''

beforeEach(() => {
  dirs += 1
  dir = join(root, `data ${dirs}`)
})
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill()
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function holdLock(): Child {
  const child = runChild('./hold-lock.ts', dir)
  children.push(child)
  return child
}

test('a second process fails within 2 s and names the first', async () => {
  const holder = holdLock()
  expect(await holder.line(0)).toBe('held' satisfies LockLine)
  const from = performance.now()
  await expect(lockDataDir(dir)).rejects.toMatchObject({ code: 'ALREADY_RUNNING', data: { dir, pid: holder.process.pid } })
  expect(performance.now() - from).toBeLessThan(2_000)
  await expect(lockDataDir(dir)).rejects.toThrow(`another sgsd (pid ${holder.process.pid}) already runs on ${dir}`)
  expect(await holdLock().line(0)).toBe(`refused ${holder.process.pid}`)
})

test('the lock of a killed process is free at once; that of a stopped one is not', async () => {
  const holder = holdLock()
  await holder.line(0)
  holder.process.kill('SIGSTOP')
  await expect(lockDataDir(dir)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
  await holder.kill()
  expect(readFileSync(join(dir, 'lock.pid'), 'utf8')).toBe(`${holder.process.pid}\n`)
  await using lock = await lockDataDir(dir)
  expect(lock).toBeDefined()
  expect(readFileSync(join(dir, 'lock.pid'), 'utf8')).toBe(`${process.pid}\n`)
  expect(await holdLock().line(0)).toBe(`refused ${process.pid}`)
})

test('a pid that another process uses by now keeps nobody out', async () => {
  await (await lockDataDir(dir))[Symbol.asyncDispose]()
  writeFileSync(join(dir, 'lock.pid'), `${process.ppid}\n`)
  await using lock = await lockDataDir(dir)
  expect(lock).toBeDefined()
})

test('of many that start at once exactly one holds it', { timeout: 60_000 }, async () => {
  const lines = await Promise.all(Array.from({ length: 6 }, () => holdLock().line(0)))
  expect(lines.filter((line) => line === 'held')).toHaveLength(1)
  const holder = children.find((child) => child.lines[0] === 'held')!
  expect(lines.filter((line) => line === `refused ${holder.process.pid}`)).toHaveLength(5)
})

test('one process cannot take it twice; giving it back frees it', async () => {
  const lock = await lockDataDir(dir)
  await expect(lockDataDir(dir)).rejects.toMatchObject({ code: 'ALREADY_RUNNING', data: { pid: process.pid } })
  await lock[Symbol.asyncDispose]()
  await lock[Symbol.asyncDispose]()
  expect(existsSync(join(dir, 'lock.pid'))).toBe(false)
  expect(await holdLock().line(0)).toBe('held')
})

test('a lock file that is something else is named', async () => {
  await (await lockDataDir(dir))[Symbol.asyncDispose]()
  writeFileSync(join(dir, 'lock'), 'x'.repeat(4_096))
  await expect(lockDataDir(dir)).rejects.toMatchObject({ code: 'IO_FAILED', data: { path: join(dir, 'lock'), reason: 'file is not a database' } })
})
