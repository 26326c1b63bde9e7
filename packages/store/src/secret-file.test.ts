import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { ensureDataDir } from './data-dir.ts'
import { lockDataDir } from './data-dir-lock.ts'
import { writeFileDurably } from './durable-file.ts'
import { openStore } from './open-store.ts'
import { readSecretFile, writeSecretFile } from './secret-file.ts'

const root = mkdtempSync(join(tmpdir(), 'sgsd-secret-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const KEY = Uint8Array.from({ length: 68 }, (_, n) => n)

test('a secret is the owner’s alone, and comes back', async () => {
  const path = join(root, 'identity.key')
  const mask = process.umask(0)
  try {
    await writeSecretFile(path, KEY)
  } finally {
    process.umask(mask)
  }
  expect(statSync(path).mode & 0o7777).toBe(0o600)
  expect(await readSecretFile(path)).toEqual(KEY)
})

test('a secret is never overwritten, by one writer or by many at once', async () => {
  const dir = join(root, 'race')
  mkdirSync(dir)
  const path = join(dir, 'identity.key')
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => writeSecretFile(path, new Uint8Array(32).fill(n))))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const winner = results.findIndex(({ status }) => status === 'fulfilled')
  expect(await readSecretFile(path)).toEqual(new Uint8Array(32).fill(winner))
  await expect(writeSecretFile(path, KEY)).rejects.toMatchObject({ code: 'SECRET_EXISTS', data: { path } })
  expect(readdirSync(dir)).toEqual(['identity.key'])
})

test('a secret that others may touch is refused with the command that mends it', async () => {
  const path = join(root, "it's a key")
  await writeSecretFile(path, KEY)
  for (const mode of [0o604, 0o640, 0o660, 0o644, 0o610, 0o602]) {
    chmodSync(path, mode)
    const octal = mode.toString(8).padStart(4, '0')
    await expect(readSecretFile(path)).rejects.toMatchObject({ code: 'SECRET_EXPOSED', data: { path, mode: octal } })
  }
  await expect(readSecretFile(path)).rejects.toThrow(`run: chmod 600 '${root}/it'\\''s a key'`)
  for (const mode of [0o600, 0o400]) {
    chmodSync(path, mode)
    expect(await readSecretFile(path)).toEqual(KEY)
  }
})

test('no secret bytes stand in an error', async () => {
  const path = join(root, 'canary')
  const canary = 'canary-c0ffee'
  await writeSecretFile(path, Buffer.from(canary))
  chmodSync(path, 0o644)
  const errors = [
    await readSecretFile(path).catch((error: unknown) => error),
    await writeSecretFile(path, Buffer.from(canary)).catch((error: unknown) => error),
  ]
  for (const error of errors) {
    expect(error).toBeInstanceOf(Error)
    const { stack, cause } = error as Error
    expect(`${stack} ${JSON.stringify(error)} ${String((cause as Error | undefined)?.stack)}`).not.toContain(canary)
  }
})

test('missing, oversized and irregular files are named', async () => {
  await expect(readSecretFile(join(root, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND', data: { path: join(root, 'none') } })
  const large = join(root, 'large')
  writeFileSync(large, new Uint8Array(70_000), { mode: 0o600 })
  await expect(readSecretFile(large)).rejects.toMatchObject({ code: 'IO_FAILED', data: { reason: 'larger than 65536 bytes' } })
  await expect(readSecretFile(root)).rejects.toMatchObject({ code: 'IO_FAILED', data: { reason: 'not a regular file' } })
})

test('a durable write replaces whole, with the mode asked for, and leaves nothing beside it', async () => {
  const dir = join(root, 'durable')
  mkdirSync(dir)
  const path = join(dir, 'config.json')
  await writeFileDurably(path, Buffer.from('one'))
  expect(statSync(path).mode & 0o777).toBe(0o640)
  await Promise.all([writeFileDurably(path, Buffer.from('two')), writeFileDurably(path, Buffer.from('two'))])
  await writeFileDurably(path, Buffer.from('three'), 0o600)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(dir)).toEqual(['config.json'])
  await expect(writeFileDurably(join(dir, 'none', 'config.json'), KEY)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a data directory is made for owner and group only', async () => {
  const dir = join(root, 'a', 'b', 'data')
  await ensureDataDir(dir)
  expect(statSync(dir).mode & 0o027).toBe(0)
  expect(readdirSync(dir)).toEqual([])
})

test('one that cannot be written is NOT_WRITABLE, whoever asks first', async () => {
  const file = join(root, 'file')
  writeFileSync(file, '')
  for (const dir of [file, join(file, 'data'), '/proc/none/data']) await expectNotWritable(dir)
  const locked = join(root, 'locked')
  mkdirSync(locked, { mode: 0o500 })
  await asOrdinaryUser(async () => {
    await expectNotWritable(locked)
    await expectNotWritable(join(locked, 'data'))
    await expect(writeFileDurably(join(locked, 'config.json'), KEY)).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
  })
  expect(existsSync(join(locked, 'data'))).toBe(false)
})

async function expectNotWritable(dir: string): Promise<void> {
  for (const open of [openStore, lockDataDir, ensureDataDir])
    await expect(open(dir)).rejects.toMatchObject({ code: 'NOT_WRITABLE', data: { path: dir } })
}

/** Permissions do not bind root: it becomes nobody for the time of the work. */
async function asOrdinaryUser(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work()
  chmodSync(root, 0o755)
  process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}
