import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { BlockId } from '@sgsd/consensus'
import { afterAll, expect, test, vi } from 'vitest'

import { BlockFiles } from './block-files.ts'

const syncs = { begun: 0, release: () => {} }
vi.mock('./durable-file.ts', async (original) => ({
  ...(await original<object>()),
  syncDirectory: (dir: string): Promise<void> => {
    if (!/blocks\/\w\w$/.test(dir)) return Promise.resolve()
    syncs.begun += 1
    const { promise, resolve } = Promise.withResolvers<void>()
    syncs.release = resolve
    return promise
  },
}))

const root = mkdtempSync(join(tmpdir(), 'sgsd-files-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('a name that appears while its directory is being synced is synced once more', async () => {
  const files = await BlockFiles.open(root)
  const [first, second] = ['a', 'b'].map((digit) => `ab${digit.repeat(62)}` as BlockId) as [BlockId, BlockId]
  const place = async (id: BlockId): Promise<void> => {
    writeFileSync(join(root, 'temp'), 'x')
    await files.place(join(root, 'temp'), id)
  }
  await place(first)
  const early = files.settle([first])
  await vi.waitFor(() => expect(syncs.begun).toBe(1))
  await place(second)
  syncs.release()
  await early
  const late = files.settle([second])
  await vi.waitFor(() => expect(syncs.begun).toBe(2))
  syncs.release()
  await late
  await files.settle([first, second])
  expect(syncs.begun).toBe(2)
})
