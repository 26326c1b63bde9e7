import { expect, test } from 'vitest'
import { thisMachine } from '../../machine.ts'
import { judge, probeProvider } from './probe.ts'

const fixture = (name: string): URL => new URL(`../fixtures/${name}.mjs`, import.meta.url)

test('a driver that hangs is given up at the deadline', async () => {
  const began = performance.now()
  const result = await probeProvider('webgpu', { child: fixture('probe-hangs'), deadlineMs: 300 })
  expect(result).toEqual({ state: 'missing', why: 'no answer within 0.3 s' })
  expect(performance.now() - began).toBeLessThan(5_000)
})

test('a driver that crashes takes only the probe along, and the library it missed is named', async () => {
  const result = await probeProvider('cuda', { child: fixture('probe-crashes') })
  expect(result).toEqual({ state: 'missing', why: 'libcudnn.so.9 is missing: the probe died (SIGABRT)' })
})

test('a driver that exits is reported with its code', async () => {
  const result = await probeProvider('cuda', { child: fixture('probe-exits') })
  expect(result).toEqual({ state: 'missing', why: 'the probe died (exit code 9)' })
})

const here = thisMachine()

test.runIf(here.ortFolder !== undefined && here.exists(here.ortFolder))(
  'the real probe gives an answer for a provider that this build or machine lacks',
  async () => {
    const absent = process.platform === 'darwin' ? 'cuda' : 'coreml'
    expect(await probeProvider(absent)).toMatchObject({ state: 'missing', why: expect.stringMatching(/is built without it \(it has cpu/) })
  },
)

test('answers become sentences', () => {
  expect(judge({ type: 'passed', stepMs: 0.25, largestError: 1e-7 }, '')).toEqual({
    state: 'passed',
    stepMs: 0.25,
    why: 'answered right, 0.25 ms a step',
  })
  expect(judge({ type: 'wrong', largestError: 0.125 }, '')).toEqual({ state: 'wrong', why: 'its step differs from the reference by 0.13' })
  const dawn =
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize() ' +
    'adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n'
  const stderr = "Warning: Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file: No such file or directory"
  expect(judge({ type: 'failed', message: dawn }, stderr)).toEqual({
    state: 'missing',
    why: 'libvulkan.so.1 is missing: Failed to get a WebGPU adapter: No supported adapters',
  })
  const { why } = judge({ type: 'failed', message: `\u001b[31m${'x'.repeat(1_000)}` }, '')
  expect(why).toHaveLength(240)
  expect(why).not.toMatch(/\p{Cc}/u)
})
