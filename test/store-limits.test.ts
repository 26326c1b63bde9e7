import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { canTrace, examine, life, start, traced, WHOLE } from './store-life.ts'

/** Layers that a process makes where nothing is in its way; enough for SQLite's log to pass every limit below. */
const LAYERS = 40

const root = mkdtempSync(join(tmpdir(), 'sgsd-limits-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/**
 * A full disk needs root to make, and a limit on the size of files does not: the system then refuses a write in the middle of a file in the same way, with
 * EFBIG for ENOSPC. A real full disk is in packages/store, where root may mount one.
 */
describe.skipIf(process.platform === 'win32')('no file may grow beyond', { timeout: 60_000 }, () => {
  test.for([16, 30, 36, 64, 120, 200])(
    '%i KiB: what was acknowledged is whole, nothing else is there, and without the limit it goes on',
    async (kibibytes) => {
      const dir = join(root, `limit-${kibibytes}`)
      // In units of 512 bytes.
      const { last, end } = await life(start(dir, ['sh', '-c', `ulimit -f ${2 * kibibytes}; exec "$0" "$@"`], LAYERS))
      expect(end).toMatch(/^(IO_FAILED|DISK_FULL|STATE_CORRUPT)$/)
      expect(await examine(dir, last)).toEqual(WHOLE)
      expect(await life(start(dir, [], 3))).toEqual({ last: last + 3, end: 'done' })
      expect(await examine(dir, last + 3)).toEqual(WHOLE)
    },
  )
})

describe.skipIf(!canTrace)('the system says', { timeout: 120_000 }, () => {
  test.for([
    { calls: 'pwrite64', error: 'ENOSPC' },
    { calls: 'fsync', error: 'EIO' },
    { calls: '?rename,?renameat,?renameat2', error: 'ENOSPC' },
  ])('$error to one of the calls $calls, wherever: the process goes on or says so, and nothing is torn', async ({ calls, error }) => {
    const ends = new Set<string>()
    for (const when of [1, 3, 6, 11, 19, 34, 55]) {
      const dir = join(root, `${error}-${calls.slice(0, 6)}-${when}`)
      const { last, end } = await life(start(dir, traced(calls, `error=${error}:when=${when}`), 12))
      ends.add(end)
      expect(await examine(dir, last)).toEqual(WHOLE)
    }
    expect([...ends].some((end) => end !== 'done')).toBe(true)
    expect([...ends].every((end) => /^(done|IO_FAILED|DISK_FULL|STATE_CORRUPT|NOT_WRITABLE)$/.test(end))).toBe(true)
  })
})
