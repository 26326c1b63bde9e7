import type { ProviderReport } from '@sgsd/compute'
import { expect, test } from 'vitest'
import { sampleStatus } from '../fixtures/status.ts'
import { healthOf } from '../health.ts'
import { styleOf } from '../text/style.ts'
import { statusView } from '../view/status.ts'
import { checkLines, computeChecks } from './check.ts'

const ACTIVE: ProviderReport = {
  provider: 'onnx:webgpu',
  state: 'active',
  why: 'answered right, 0.11 ms a step',
  device: 'nvidia hopper, NVIDIA H100',
}
const LACKING: ProviderReport = {
  provider: 'onnx:cuda',
  state: 'missing',
  why: 'NVIDIA H100, driver 550.54.15: libcudnn.so.9 is missing',
  mend: 'apt-get install libcudnn9-cuda-12',
}
const ABSENT: ProviderReport = { provider: 'onnx:dml', state: 'off', why: 'dml does not exist on linux' }
const WRONG: ProviderReport = {
  provider: 'onnx:coreml',
  state: 'wrong',
  why: 'its step differs from the reference by 0.13',
  device: 'macOS 26 on arm64',
}

test('doctor names the card of a provider, the file that another lacks, and what to type', () => {
  expect(checkLines(computeChecks([], [ACTIVE, LACKING, ABSENT, WRONG]), styleOf(0))).toEqual([
    '✓ lattice provider onnx:webgpu: active: nvidia hopper, NVIDIA H100: answered right, 0.11 ms a step',
    '· lattice provider onnx:cuda: missing: NVIDIA H100, driver 550.54.15: libcudnn.so.9 is missing',
    '  →  apt-get install libcudnn9-cuda-12',
    '· lattice provider onnx:dml: off: dml does not exist on linux',
    '! lattice provider onnx:coreml: computes wrong answers and is not used: macOS 26 on arm64: its step differs from the reference by 0.13',
    '  →  update its driver; until then another engine does the work',
  ])
})

test('status names the card that steps, and what would have to be installed for another provider', () => {
  const status = sampleStatus({ lattice: { provider: 'onnx:webgpu', providers: [ACTIVE, LACKING, ABSENT] } })
  const lines = statusView(status, healthOf(status), 160, styleOf(0))
  expect(lines.find((line) => line.startsWith('lattice'))).toContain('step on onnx:webgpu · nvidia hopper, NVIDIA H100 · ')
  expect(lines).toContain('          not on onnx:cuda: NVIDIA H100, driver 550.54.15: libcudnn.so.9 is missing')
  expect(lines.join('\n')).not.toContain('onnx:dml')
})
