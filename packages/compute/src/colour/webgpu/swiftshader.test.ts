import { type ColourKernelId, rangeXor } from '@sgsd/color'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canaryFault } from '../canary.ts'
import { openColourCompute } from '../open-colour-compute.ts'
import { type Dawn, loadDawn } from './dawn.ts'
import { GpuDevice } from './gpu-device.ts'
import { GpuEngine } from './gpu-engine.ts'
import { SWIFTSHADER } from './swiftshader.fixture.ts'

const never = new AbortController().signal
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const kernel = fc.constantFrom<ColourKernelId>('spi64', 'turbo32')
const start = fc.oneof(u64, fc.bigInt({ min: 2n ** 32n - 999n, max: 2n ** 32n }), fc.bigInt({ min: 2n ** 64n - 999n, max: 2n ** 64n - 1n }))
/** Around one turn of the unrolled loop, around a tile, and small ones. */
const length = fc.oneof(fc.nat(999), fc.integer({ min: 2040, max: 2060 }), fc.integer({ min: 2 ** 14 - 3, max: 2 ** 14 + 300 }))

describe.runIf(SWIFTSHADER !== undefined)(
  SWIFTSHADER === undefined ? 'NOT RUN: the WGSL kernels need SwiftShader here (apt-get install chromium libvulkan1)' : 'on SwiftShader',
  () => {
    let dawn: Dawn
    beforeAll(async () => {
      process.env['VK_ICD_FILENAMES'] = SWIFTSHADER
      dawn = await loadDawn()
    })
    afterAll(() => {
      delete process.env['VK_ICD_FILENAMES']
    })

    describe.each([true, false])('with subgroups %s', (subgroups) => {
      let device: GpuDevice
      let engine: GpuEngine
      beforeAll(async () => {
        device = await GpuDevice.open(dawn, { subgroups })
        engine = await GpuEngine.on(async () => device)
      })
      afterAll(() => engine.close())

      test('the adapter says what it is', () => {
        expect(device).toMatchObject({ name: expect.stringMatching(/swiftshader/i), software: true, subgroups })
      })

      test('the kernels pass the canary', async () => {
        expect(await canaryFault(engine)).toBeUndefined()
      })

      test('the kernels equal the pure ones on any seed, start, length and number of runs', async () => {
        await fc.assert(
          fc.asyncProperty(kernel, u64, start, length, fc.integer({ min: 0, max: 3 }), async (k, seed, from, colours, runs) => {
            const out = new BigUint64Array(runs).fill(99n)
            await engine.xorRuns(k, seed, from, colours, out)
            expect([...out]).toEqual(Array.from(out, (_, run) => rangeXor(k, seed, from + BigInt(run * colours), BigInt(colours))))
          }),
          { numRuns: 40 },
        )
      })
    })

    test('a device that is lost in the middle of a call is replaced, and the call is answered', async () => {
      const devices: GpuDevice[] = []
      let dispatches = 0
      const open = async (): Promise<GpuDevice> => {
        const device = await GpuDevice.open(dawn)
        devices.push(device)
        return device
      }
      const engine = await GpuEngine.on(open, () => {
        if (++dispatches === 2) devices[0]?.destroy()
      })
      const out = new BigUint64Array(1)
      await engine.xorRuns('spi64', 7n, 3n, 1_500_001, out)
      expect(out[0]).toBe(rangeXor('spi64', 7n, 3n, 1_500_001n))
      expect(devices).toHaveLength(2)
      await engine.close()
    })

    test('asked for by name it serves the pool, on one thread', async () => {
      await using compute = await openColourCompute({ threads: 3, engine: 'webgpu' })
      expect(compute).toMatchObject({ engine: 'webgpu', threads: 1 })
      expect(await compute.rangeXor('turbo32', 7_202_985n, 0n, 2_500_000n, never)).toBe(rangeXor('turbo32', 7_202_985n, 0n, 2_500_000n))
    })

    test('not asked for, it stays off: it computes on the CPU', async () => {
      await using compute = await openColourCompute({ threads: 1 })
      expect(compute.engine).not.toBe('webgpu')
      expect(compute.engines).toContainEqual({
        engine: 'webgpu',
        state: 'off',
        why: expect.stringMatching(/swiftshader.* computes on the CPU, which the other engines do faster/i),
      })
    })
  },
)
