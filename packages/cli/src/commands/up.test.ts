import { ENGINE_NAMES } from '@sgsd/compute'
import { configSchema } from '@sgsd/daemon'
import { expect, test } from 'vitest'
import { runCommand } from '../fixtures/command-run.ts'
import { PROVIDERS } from './up.ts'

test('the providers of the flag are those that there are, and the configuration takes each', () => {
  expect([...PROVIDERS].sort()).toEqual(['auto', ...ENGINE_NAMES].sort())
  for (const provider of PROVIDERS) expect(configSchema.parse({ lattice: { provider } }).lattice.provider).toBe(provider)
})

test.for(['cuda', 'onnx:cpu', ''])('--provider %j is a usage error that names those there are', async (provider) => {
  const { code, err } = await runCommand(['up', '--provider', provider])
  expect(code).toBe(2)
  expect(err).toMatch(/auto, native, wasm, reference, onnx:cuda/)
})
