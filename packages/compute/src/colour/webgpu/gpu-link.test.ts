import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Machine } from '../../machine.ts'
import { GpuLink } from './gpu-link.ts'
import { whyUnlikely } from './webgpu-engine.ts'

const host = (name: string): URL => new URL(`./fixtures/host-${name}.mjs`, import.meta.url)

test.each([
  ['aborts', 'libGLX_nvidia.so.0 is missing: its process died (SIGABRT)'],
  ['hangs', 'its driver hangs: no answer within 0.5 s'],
  ['refuses', 'no GPU driver answers (no adapter): no Vulkan driver is installed (the card maker’s, or mesa-vulkan-drivers)'],
])('a driver that %s is refused with the reason', async (name, why) => {
  const startMs = name === 'hangs' ? 500 : 20_000
  await expect(GpuLink.open({ host: host(name), startMs })).rejects.toMatchObject({ name: 'EngineRefusal', state: 'missing', message: why })
})

describe('a driver that takes its process along', () => {
  let folder: string
  let link: GpuLink
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sgsd-gpu-'))
    process.env['GPU_DEATHS'] = folder
    link = await GpuLink.open({ host: host('dies-in-calls'), stallMs: 1_000 })
  })
  afterEach(() => {
    link.close()
    delete process.env['GPU_DEATHS']
    rmSync(folder, { recursive: true })
  })

  test('by a crash and then by hanging is started again, and the call is answered', async () => {
    expect([link.about, link.batch, link.software, link.threads]).toEqual(['a mortal card', 3, false, 1])
    const out = new BigUint64Array(5)
    await link.xorRuns('spi64', 2n, 0n, 1, out)
    expect([...out]).toEqual([2n, 2n, 2n, 2n, 2n])
    expect(link.batch).toBe(7)
  })

  test('time and again makes the call fail', async () => {
    await expect(link.xorRuns('spi64', 99n, 0n, 1, new BigUint64Array(1))).rejects.toThrow('its process died (SIGSEGV)')
  })

  test('when it is closed, fails the call at once', async () => {
    await link.xorRuns('spi64', 1n, 0n, 1, new BigUint64Array(1))
    const running = link.xorRuns('spi64', 2n, 0n, 1, new BigUint64Array(1))
    link.close()
    await expect(running).rejects.toThrow('it was closed')
  })
})

describe('Dawn is worth loading', () => {
  const machine = (platform: NodeJS.Platform, devices: Readonly<Record<string, readonly string[]>>): Machine => ({
    platform,
    arch: 'x64',
    ortFolder: undefined,
    exists: () => false,
    list: (folder) => devices[folder] ?? [],
  })

  test.each([
    ['on macOS', machine('darwin', {}), {}],
    ['on Windows', machine('win32', {}), {}],
    ['with a render node', machine('linux', { '/dev/dri': ['card0', 'renderD128'] }), {}],
    ['with an NVIDIA device', machine('linux', { '/dev': ['nvidia0'] }), {}],
    ['where a driver is named', machine('linux', {}), { VK_ICD_FILENAMES: '/some/icd.json' }],
  ])('%s', (_where, here, env) => {
    expect(whyUnlikely(here, env)).toBeUndefined()
  })

  test('not without a GPU device', () => {
    expect(whyUnlikely(machine('linux', { '/dev': ['nvidiactl', 'null'], '/dev/dri': ['card0'] }), { VK_ICD_FILENAMES: '' })).toMatch(
      /^there is no GPU device/,
    )
  })
})
