import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll } from 'vitest'

import { openStore } from './open-store.ts'
import { storeCompliance } from './store.compliance.ts'

const root = mkdtempSync(join(tmpdir(), 'sgsd-store-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let places = 0

storeCompliance('the store on disk', async () => {
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
})
