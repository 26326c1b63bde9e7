import { expect, test } from 'vitest'
import { GPU_BOX, providerFacts } from './onnx/provider-facts.fixture.ts'
import type { ProbeResult } from './onnx/probe.ts'
import { parseEngineName, surveyProviders } from './provider-choice.ts'

test('where nothing is plausible, nothing is probed', async () => {
  const survey = await surveyProviders(undefined, { facts: async () => providerFacts({}), probe: () => expect.unreachable() })
  expect(survey.passed).toEqual([])
  expect(survey.others.map(({ state }) => state)).toEqual(['missing', 'off', 'off', 'missing'])
})

test('plausible providers are probed in order, one at a time', async () => {
  const log: string[] = []
  const answers: Partial<Record<string, ProbeResult>> = {
    cuda: { state: 'wrong', why: 'its step differs' },
    webgpu: { state: 'passed', stepMs: 0.1, why: 'answered right', card: 'nvidia hopper, NVIDIA H100' },
  }
  const survey = await surveyProviders(undefined, {
    facts: async () => GPU_BOX,
    async probe(provider) {
      log.push(`${provider} begins`)
      await Promise.resolve()
      log.push(`${provider} ends`)
      return answers[provider]!
    },
  })
  expect(log).toEqual(['cuda begins', 'cuda ends', 'webgpu begins', 'webgpu ends'])
  expect(survey.passed).toEqual([{ provider: 'webgpu', stepMs: 0.1, why: 'answered right', device: 'nvidia hopper, NVIDIA H100' }])
  expect(survey.others).toContainEqual({
    provider: 'onnx:cuda',
    state: 'wrong',
    why: 'its step differs',
    device: 'NVIDIA H100 80GB HBM3, driver 550.54.15',
    mend: expect.stringContaining('nvidia-smi -L'),
  })
})

test('a provider asked for by name is probed even where its device seems to be missing, and no other is', async () => {
  const probed: string[] = []
  const survey = await surveyProviders('onnx:webgpu', {
    async facts(thorough) {
      expect(thorough).toBe(true)
      return providerFacts({})
    },
    probe: (provider) => {
      probed.push(provider)
      return Promise.resolve({ state: 'missing', why: 'no adapter' })
    },
  })
  expect(probed).toEqual(['webgpu'])
  expect(survey.others.find(({ provider }) => provider === 'onnx:webgpu')).toMatchObject({
    why: expect.stringMatching(/^there is no GPU device .*; tried all the same: no adapter$/),
  })
  expect(survey.others.filter(({ state }) => state === 'off')).toHaveLength(3)
})

test('asking for wasm probes nothing', async () => {
  const survey = await surveyProviders('wasm', { facts: async () => GPU_BOX, probe: () => expect.unreachable() })
  expect(survey.others.every(({ state, why }) => state === 'off' && why.includes('wasm'))).toBe(true)
})

test('engine names', () => {
  expect(parseEngineName('onnx:cuda')).toBe('onnx:cuda')
  expect(() => parseEngineName('onnx:cpu')).toThrow(/wasm, reference, onnx:cuda/)
})
