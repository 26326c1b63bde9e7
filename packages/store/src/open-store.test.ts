import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { BlockId } from '@sgsd/consensus'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'

import { openStore } from './open-store.ts'
import { storeCompliance } from './store.compliance.ts'
import type { StorePlace } from './store.compliance.ts'
import { sweepCompliance } from './sweep.compliance.ts'

const root = mkdtempSync(join(tmpdir(), 'sgsd-store-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let places = 0

const createPlace = async (): Promise<StorePlace> => {
  places += 1
  const dir = join(root, String(places))
  return {
    open: () => openStore(dir),
    flipBit: async (id) => {
      const path = join(dir, 'blocks', id.slice(0, 2), `${id}.zst`)
      const packed = await readFile(path)
      packed[packed.length >>> 1]! ^= 1
      await writeFile(path, packed)
    },
  }
}

storeCompliance('the store on disk', createPlace)
sweepCompliance('the store on disk', createPlace)

test('2,000 hostile names leave no trace, inside or outside', async () => {
  const outer = join(root, 'outer')
  const dir = join(outer, 'data')
  mkdirSync(outer)
  await using store = await openStore(dir)
  const names = (): Set<string> => new Set(readdirSync(outer, { recursive: true, encoding: 'utf8' }))
  const before = names()
  const part = fc.constantFrom('..', '/', '\\', '\0', '.', 'a'.repeat(64), '0', '%2e', 'blocks', '\n', '~', 'é', 'con', '.zst', '.part')
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join('')),
  )
  await fc.assert(
    fc.asyncProperty(name, async (text) => {
      fc.pre(!/^[0-9a-f]{64}$/.test(text))
      const id = text as BlockId
      await expect(store.blocks.receive(id)).rejects.toMatchObject({ code: 'ID_INVALID' })
      await store.blocks.delete(id)
      expect([store.blocks.has(id), await store.blocks.get(id), await store.blocks.read(id, 0)]).toEqual([false, undefined, undefined])
    }),
    { numRuns: 2_000 },
  )
  expect(names()).toEqual(before)
})
