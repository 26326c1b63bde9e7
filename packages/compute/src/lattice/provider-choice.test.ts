import { expect, test } from 'vitest'
import type { Machine } from '../machine.ts'
import { plausibility } from './onnx/plausible.ts'
import type { ProbeResult } from './onnx/probe.ts'
import { parseEngineName, surveyProviders } from './provider-choice.ts'

function machine(given: Partial<Omit<Machine, 'exists' | 'list'>> & { files?: readonly string[] }): Machine {
  const files = given.files ?? []
  return {
    platform: 'linux',
    arch: 'x64',
    ortFolder: '/ort',
    ...given,
    exists: (path) => files.some((file) => file === path || file.startsWith(`${path}/`)),
    list: (folder) => files.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1).split('/')[0]!),
  }
}

const GPU_BOX = ['/ort/onnxruntime_binding.node', '/dev/nvidia0', '/dev/dri/renderD128']
const CUDA_LIBRARIES = ['/ort/libonnxruntime_providers_shared.so', '/ort/libonnxruntime_providers_cuda.so']

test.for([
  { provider: 'cuda', on: machine({ platform: 'darwin' }), state: 'off', why: /darwin/ },
  { provider: 'coreml', on: machine({}), state: 'off', why: /linux/ },
  { provider: 'dml', on: machine({}), state: 'off', why: /linux/ },
  { provider: 'cuda', on: machine({ ortFolder: undefined }), state: 'missing', why: /onnxruntime-node is not installed/ },
  { provider: 'webgpu', on: machine({ arch: 'riscv64' }), state: 'missing', why: /no library for linux-riscv64/ },
  { provider: 'cuda', on: machine({ files: ['/ort/x'] }), state: 'missing', why: /no NVIDIA device/ },
  { provider: 'cuda', on: machine({ files: GPU_BOX }), state: 'missing', why: /libonnxruntime_providers_shared\.so is not beside/ },
  {
    provider: 'cuda',
    on: machine({ files: [...GPU_BOX, CUDA_LIBRARIES[0]!] }),
    state: 'missing',
    why: /libonnxruntime_providers_cuda\.so is not beside/,
  },
  { provider: 'cuda', on: machine({ files: [...GPU_BOX, ...CUDA_LIBRARIES] }), state: 'try', why: /NVIDIA/ },
  { provider: 'webgpu', on: machine({ files: ['/ort/x'] }), state: 'missing', why: /no GPU device/ },
  { provider: 'webgpu', on: machine({ files: GPU_BOX }), state: 'try', why: /./ },
  { provider: 'coreml', on: machine({ platform: 'darwin', arch: 'arm64', files: ['/ort/x'] }), state: 'try', why: /./ },
] as const)('$provider is judged from files alone: $state ($why)', ({ provider, on, state, why }) => {
  expect(plausibility(provider, on)).toEqual({ state, why: expect.stringMatching(why) })
})

test('where nothing is plausible, nothing is probed', async () => {
  const survey = await surveyProviders(undefined, { machine: machine({ files: ['/ort/x'] }), probe: () => expect.unreachable() })
  expect(survey.passed).toEqual([])
  expect(survey.others.map(({ state }) => state)).toEqual(['missing', 'off', 'off', 'missing'])
})

test('plausible providers are probed in order, one at a time', async () => {
  const log: string[] = []
  const answers: Partial<Record<string, ProbeResult>> = {
    cuda: { state: 'wrong', why: 'its step differs' },
    webgpu: { state: 'passed', stepMs: 0.1, why: 'answered right' },
  }
  const survey = await surveyProviders(undefined, {
    machine: machine({ files: [...GPU_BOX, ...CUDA_LIBRARIES] }),
    async probe(provider) {
      log.push(`${provider} begins`)
      await Promise.resolve()
      log.push(`${provider} ends`)
      return answers[provider]!
    },
  })
  expect(log).toEqual(['cuda begins', 'cuda ends', 'webgpu begins', 'webgpu ends'])
  expect(survey.passed).toEqual([{ provider: 'webgpu', stepMs: 0.1, why: 'answered right' }])
  expect(survey.others).toContainEqual({ provider: 'onnx:cuda', state: 'wrong', why: 'its step differs' })
})

test('a provider asked for by name is probed even where its device seems to be missing, and no other is', async () => {
  const probed: string[] = []
  const survey = await surveyProviders('onnx:webgpu', {
    machine: machine({ files: [...CUDA_LIBRARIES, '/dev/nvidia0'], platform: 'linux' }),
    probe: (provider) => {
      probed.push(provider)
      return Promise.resolve({ state: 'missing', why: 'libvulkan.so.1 is missing' })
    },
  })
  expect(probed).toEqual(['webgpu'])
  expect(survey.others.find(({ provider }) => provider === 'onnx:webgpu')).toMatchObject({ why: 'libvulkan.so.1 is missing' })
  expect(survey.others.filter(({ state }) => state === 'off')).toHaveLength(3)
})

test('asking for wasm probes nothing', async () => {
  const survey = await surveyProviders('wasm', { machine: machine({ files: [...GPU_BOX, ...CUDA_LIBRARIES] }), probe: () => expect.unreachable() })
  expect(survey.others.every(({ state, why }) => state === 'off' && why.includes('wasm'))).toBe(true)
})

test('engine names', () => {
  expect(parseEngineName('onnx:cuda')).toBe('onnx:cuda')
  expect(() => parseEngineName('onnx:cpu')).toThrow(/wasm, reference, onnx:cuda/)
})
