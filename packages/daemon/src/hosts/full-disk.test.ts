import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { failureOf, items, world } from './fixtures/world.ts'
import { hostSchema } from './host-config.ts'
import { openHost } from './open-host.ts'
import type { Host } from './port.ts'

const quiet = new AbortController().signal
const root = mkdtempSync(join(tmpdir(), 'sgsd-full-'))
// A small disk of our own needs root on Linux.
const mounted = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'sgsd-test', root]).status === 0
afterAll(() => {
  if (mounted) spawnSync('umount', ['-l', root])
  rmSync(root, { recursive: true, force: true })
})

/** Calls with ever other items until one fails. */
async function fillUp(host: Host): Promise<unknown> {
  for (let n = 0; n < 10_000; n++) {
    const asked = items(50).map((item) => ({ ...item, line: `${n} ${item.line}` }))
    const error = await host.grade(asked, quiet).then(
      () => undefined,
      (caught: unknown) => caught,
    )
    if (error !== undefined) return error
  }
  throw new Error('the disk did not fill up')
}

test.runIf(mounted).each(['stdout', 'sqlite'])('%s: a full disk is a host that is down, leaves nothing half written, and ends', async (kind) => {
  writeFileSync(join(root, 'filler'), new Uint8Array(65_536))
  const file = join(root, kind)
  await using host = (await openHost(hostSchema.parse({ kind, path: file }), await world()))!
  expect(await fillUp(host)).toMatchObject({ code: 'HOST_DOWN', message: expect.stringMatching(/ENOSPC|full/) })
  expect(await failureOf(host.grade(items(64), quiet))).toMatchObject({ code: 'HOST_DOWN' })
  if (kind === 'stdout') {
    const text = readFileSync(file, 'utf8')
    expect(text.endsWith('}\n')).toBe(true)
    expect(text.trimEnd().split('\n').length % 50).toBe(0)
  }
  rmSync(join(root, 'filler'))
  expect(await host.grade(items(50), quiet)).toHaveLength(50)
  rmSync(file)
})
