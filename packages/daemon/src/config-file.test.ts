import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mergeConfig, parseConfig, readConfig, writeConfig } from './config-file.ts'
import { DaemonError } from './daemon-error.ts'

async function scratch(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'sgsd-config-')), 'config.json')
}

test('a missing file gives the defaults', async () => {
  const config = await readConfig(await scratch())
  expect(config.listen).toEqual(['/ip4/0.0.0.0/tcp/42069'])
  expect(config.mine).toEqual({ auto: true, threads: 0, duty: 1, nice: 10, epochs: 0 })
  expect(config.mdns).toBe(true)
})

test('an unknown field, a wrong type and broken JSON are named', async () => {
  const file = await scratch()
  expect(() => parseConfig({ mine: { thread: 2 } }, file)).toThrow(/mine.*thread/s)
  expect(() => parseConfig({ mdns: 'yes' }, file)).toThrow(/mdns/)
  await writeFile(file, '{ "name": ')
  const error = await readConfig(file).then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(DaemonError)
  expect((error as DaemonError).exitCode).toBe(78)
  expect((error as DaemonError).message).toContain('is not JSON')
})

test('objects merge field by field, lists are replaced', () => {
  const base = { mine: { auto: false, threads: 3 }, bootstrap: ['/a'] }
  expect(mergeConfig(base, { mine: { threads: 1 }, bootstrap: ['/b'] })).toEqual({ mine: { auto: false, threads: 1 }, bootstrap: ['/b'] })
})

test('an invalid configuration never replaces a valid file', async () => {
  const file = await scratch()
  await writeConfig(file, { name: 'atlas' })
  await expect(writeConfig(file, { name: 'NOT A NAME' })).rejects.toThrow(/name/)
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ name: 'atlas' })
})
