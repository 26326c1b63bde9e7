import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test, vi } from 'vitest'

import { openStore } from './open-store.ts'
import type { Store } from './port.ts'
import { isStoreError } from './store-error.ts'
import { sample, sha256 } from './testing/sample.ts'
import { pack } from './zstd.ts'

/** The calls that change the disk, counted; the one numbered `failAt` fails once with `code`. */
const disk = { calls: [] as string[], failAt: -1, code: 'ENOSPC' }

function call(name: string): void {
  disk.calls.push(name)
  if (disk.calls.length - 1 === disk.failAt) throw Object.assign(new Error(`${disk.code}: injected into ${name}`), { code: disk.code })
}

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>()
  const watched = (handle: fs.FileHandle): fs.FileHandle =>
    new Proxy(handle, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        const counted = name === 'write' || name === 'sync'
        return (...args: readonly unknown[]): unknown => {
          if (counted) call(name)
          return member.apply(target, args)
        }
      },
    })
  return {
    ...real,
    open: async (...args: Parameters<typeof real.open>) => {
      if (args[1] !== 'r') call('open')
      return watched(await real.open(...args))
    },
    rename: async (...args: Parameters<typeof real.rename>) => {
      call('rename')
      return real.rename(...args)
    },
  }
})

// In memory where that is to be had: the order of calls is under test, not the disk, and there are hundreds of syncs.
const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sgsd-faults-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const BYTES = sample(1, 200_000)
const ID = sha256(BYTES)

async function put(store: Store): Promise<void> {
  await store.blocks.put(BYTES)
}

async function receive(store: Store): Promise<void> {
  const packed = await pack(BYTES)
  const sink = await store.blocks.receive(ID)
  try {
    for (let at = sink.have; at < packed.length; at += 60_000) await sink.write(packed.subarray(at, at + 60_000))
    expect(sha256(await sink.finish())).toBe(ID)
  } finally {
    await sink.abort()
  }
}

describe.for([
  { name: 'put', commit: put, steps: ['open', 'write', 'sync', 'rename', 'sync'] },
  { name: 'receive', commit: receive, steps: ['open', 'write', 'write', 'write', 'sync', 'rename', 'sync'] },
])('$name', ({ name, commit, steps: common }) => {
  // The first block of a shard makes the shard's directory and syncs the one above it.
  const first = common.toSpliced(common.indexOf('rename'), 0, 'sync')
  test.for([
    { code: 'ENOSPC', expected: 'DISK_FULL', shard: 'old', steps: common },
    { code: 'EIO', expected: 'IO_FAILED', shard: 'old', steps: common },
    { code: 'EDQUOT', expected: 'DISK_FULL', shard: 'new', steps: first },
    { code: 'EROFS', expected: 'NOT_WRITABLE', shard: 'new', steps: first },
  ])(
    '$code at each step, $shard shard: nothing half visible, nothing left over, and the next try succeeds',
    async ({ code, expected, shard, steps }) => {
      for (let step = 0; step < steps.length; step++) {
        Object.assign(disk, { calls: [], failAt: -1 })
        const dir = join(root, `${name}-${code}-${step}`)
        await using store = await openStore(dir)
        const before = await store.blocks.put(sample(2, 1_000))
        if (shard === 'old') await put(store).then(() => store.blocks.delete(ID))

        Object.assign(disk, { calls: [], failAt: step, code })
        await expect(commit(store)).rejects.toMatchObject({ name: 'StoreError', code: expected })
        expect(disk.calls).toEqual(steps.slice(0, step + 1))
        expect(readdirSync(join(dir, 'tmp'))).toEqual([])
        expect(await store.blocks.get(before)).toEqual(sample(2, 1_000))
        // Before the rename the block is absent; after it, it is whole, though not yet acknowledged.
        const visible = step > steps.indexOf('rename')
        expect(store.blocks.has(ID)).toBe(visible)
        expect(await store.blocks.scrub()).toMatchObject({ checked: visible ? 2 : 1, damaged: [] })
        expect(await store.blocks.usage()).toMatchObject({ blocks: visible ? 2 : 1 })

        Object.assign(disk, { calls: [], failAt: -1 })
        await commit(store)
        expect(sha256((await store.blocks.get(ID))!)).toBe(ID)
        // Where the block is there already, its name is synced before it is acknowledged; so is a shard that the failed try left unsynced.
        const due = step < steps.indexOf('rename') ? steps : common
        if (visible) expect(disk.calls.at(-1)).toBe('sync')
        else expect(disk.calls.slice(disk.calls.indexOf('sync'))).toEqual(due.slice(due.indexOf('sync')))
        expect(readdirSync(join(dir, 'incoming'))).toEqual([])
      }
    },
  )
})

test('a transfer that meets a full disk goes on from where it was', async () => {
  await using store = await openStore(join(root, 'resume'))
  Object.assign(disk, { calls: [], failAt: 2, code: 'ENOSPC' })
  await expect(receive(store)).rejects.toSatisfy((error) => isStoreError(error, 'DISK_FULL'))
  disk.failAt = -1
  const sink = await store.blocks.receive(ID)
  expect(sink.have).toBe(60_000)
  await sink.abort()
  await receive(store)
  expect(store.blocks.has(ID)).toBe(true)
})
