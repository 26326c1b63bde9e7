import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { BlockId, ItemId } from '@sgsd/consensus'
import { afterAll, expect, test } from 'vitest'

import { openStore } from './open-store.ts'
import { sha256 } from './testing/sample.ts'
import { pack } from './zstd.ts'

const DISK_BYTES = 8 * 2 ** 20
/** Incompressible, so that its file has its size. */
const BLOCK_BYTES = 300_000

const root = mkdtempSync(join(tmpdir(), 'sgsd-full-'))
// A small disk of our own needs root on Linux; elsewhere disk-faults.test.ts alone stands for it.
const mounted = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'sgsd-test', root]).status === 0
afterAll(() => {
  if (mounted) spawnSync('umount', ['-l', root])
  rmSync(root, { recursive: true, force: true })
})

test.runIf(mounted)('an 8 MiB disk: refuses in time, reads on, resumes when there is space', async () => {
  const dir = join(root, 'data')
  const filler = join(root, 'filler')
  const kept = new Set<BlockId>()
  {
    await using store = await openStore(dir)
    // Blocks stop before the disk is full.
    await expect(
      (async () => {
        for (;;) kept.add(await store.blocks.put(randomBytes(BLOCK_BYTES)))
      })(),
    ).rejects.toMatchObject({ code: 'DISK_FULL', data: { path: dir, needBytes: expect.any(Number), freeBytes: expect.any(Number) } })
    expect(kept.size).toBeGreaterThan(15)
    expect((await store.blocks.usage()).freeBytes).toBeGreaterThan(2 ** 20)
    for (const id of kept) expect(sha256((await store.blocks.get(id))!)).toBe(id)
    // What must be noted still can be.
    for (let n = 0; n < 100; n++) store.items.put({ kind: 'head', key: `${n}`, id: `${n}` as ItemId, bytes: randomBytes(400) })

    // Somebody else takes the rest in the middle of a transfer.
    const bytes = new Uint8Array(randomBytes(BLOCK_BYTES))
    const id = sha256(bytes)
    const packed = await pack(bytes)
    const gone = [...kept].slice(0, 12)
    for (const each of gone) await store.blocks.delete(each)
    for (const each of gone) kept.delete(each)
    const sink = await store.blocks.receive(id)
    await sink.write(packed.subarray(0, 100_000))
    fill(filler)
    await expect(sink.write(packed.subarray(100_000))).rejects.toMatchObject({ code: 'DISK_FULL' })
    await sink.abort()
    await expect(store.blocks.put(randomBytes(10))).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(() => {
      for (let n = 0; n < 10_000; n++) store.items.put({ kind: 'claim', key: `${n}`, id: `${n}` as ItemId, bytes: randomBytes(4_000) })
    }).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
    for (const each of kept) expect(sha256((await store.blocks.get(each))!)).toBe(each)
    expect([...store.items.items()].filter(({ kind }) => kind === 'head')).toHaveLength(100)

    // Space comes back: everything goes on by itself.
    rmSync(filler)
    const again = await store.blocks.receive(id)
    expect(again.have).toBeGreaterThanOrEqual(100_000)
    await again.write(packed.subarray(again.have))
    expect(sha256(await again.finish())).toBe(id)
    kept.add(id)
    kept.add(await store.blocks.put(randomBytes(10)))
    store.items.put({ kind: 'head', key: 'last', id: 'last' as ItemId, bytes: randomBytes(400) })
  }
  await using reopened = await openStore(dir)
  expect(await reopened.blocks.scrub()).toMatchObject({ checked: kept.size, damaged: [] })
  for (const id of kept) expect(reopened.blocks.has(id)).toBe(true)
  expect([...reopened.items.items()].filter(({ kind }) => kind === 'head')).toHaveLength(101)
})

/** Writes until the disk says no. */
function fill(path: string): void {
  const piece = new Uint8Array(4_096)
  expect(() => {
    for (;;) writeFileSync(path, piece, { flag: 'a' })
  }).toThrow('ENOSPC')
}
