import { setTimeout as pause } from 'node:timers/promises'
import { HANZI_KERNEL_ID } from '@sgsd/lattice'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SWIFTSHADER } from '../../colour/webgpu/swiftshader.fixture.ts'
import { thisMachine } from '../../machine.ts'
import { openLatticeCompute } from '../open-lattice-compute.ts'

const { platform, arch } = thisMachine()

/** ONNX Runtime is built with WebGPU there, and the driver can be chosen by the environment. */
const possible = SWIFTSHADER !== undefined && platform === 'linux' && arch === 'x64'

const TEXT = ['天地玄黄', '宇宙洪荒', '日月盈昃', '辰宿列张', '寒来暑往', '秋收冬藏', '闰余成岁', '律吕调阳']

describe.runIf(possible)(
  possible
    ? 'the lattice worker on WebGPU, by the software GPU SwiftShader'
    : 'NOT RUN: the lattice on WebGPU needs linux-x64 with a software GPU (apt-get install chromium libvulkan1)',
  { timeout: 60_000 },
  () => {
    const before = process.env['VK_ICD_FILENAMES']
    beforeAll(() => {
      process.env['VK_ICD_FILENAMES'] = SWIFTSHADER
    })
    afterAll(() => {
      if (before === undefined) delete process.env['VK_ICD_FILENAMES']
      else process.env['VK_ICD_FILENAMES'] = before
    })

    test('asked for by name it passes its probe, names its card, and answers as the processor does', async () => {
      await using gpu = await openLatticeCompute({ provider: 'onnx:webgpu' })
      await using reference = await openLatticeCompute({ provider: 'reference' })
      expect(gpu.info().kernelId).toBe(HANZI_KERNEL_ID)
      expect(gpu.info().providers.find(({ state }) => state === 'active')).toMatchObject({
        provider: 'onnx:webgpu',
        why: expect.stringMatching(/^answered right, \d/),
        device: expect.stringMatching(/swiftshader/i),
      })
      const [here, there] = [await gpu.ask('明月', 8), await reference.ask('明月', 8)]
      expect(here.provider).toBe('onnx:webgpu')
      expect(here.steps).toBe(there.steps)
      here.nearest.forEach(({ character, value }, at) => {
        expect(there.nearest.map((each) => each.character)).toContain(character)
        expect(value).toBeCloseTo(there.nearest[at]!.value, 5)
      })
    })

    test('closed in the middle of a run, the worker ends by itself: to end a thread inside a run would abort this process', async () => {
      const gpu = await openLatticeCompute({ provider: 'onnx:webgpu' })
      const farming = gpu.farm(Array.from({ length: 2_000 }, (_, i) => TEXT[i % TEXT.length]!))
      const outcome = Promise.allSettled([farming])
      // a run of five steps takes it most of 150 ms
      await pause(400)
      const began = performance.now()
      await gpu.close()
      expect(performance.now() - began).toBeLessThan(4_000)
      expect(await outcome).toMatchObject([{ status: 'rejected', reason: { code: 'CLOSED' } }])
    })

    test('not asked for, it stands by: the processor is faster than a GPU made of it', async () => {
      await using compute = await openLatticeCompute()
      const { providers } = compute.info()
      expect(providers.find(({ state }) => state === 'active')?.provider).not.toMatch(/^onnx/)
      expect(providers.find(({ provider }) => provider === 'onnx:webgpu')).toMatchObject({
        state: 'standby',
        device: expect.stringMatching(/swiftshader/i),
        why: expect.stringMatching(/takes \d+\.\d\d ms$/),
      })
    })
  },
)
