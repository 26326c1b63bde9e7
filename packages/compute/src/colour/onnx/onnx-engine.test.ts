import { type ColourKernelId, rangeXor } from '@sgsd/color'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { thisMachine } from '../../machine.ts'
import { canaryFault } from '../canary.ts'
import type { ColourEngine } from '../engine.ts'
import { COLOUR_ENGINES, openColourCompute } from '../open-colour-compute.ts'
import { GRAPH_KERNELS } from './colour-graph.ts'
import { loadOnnxEngine } from './onnx-engine.ts'

const { ortFolder, exists } = thisMachine()
const here = ortFolder !== undefined && exists(ortFolder)

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const start = fc.oneof(u64, fc.bigInt({ min: 2n ** 32n - 999n, max: 2n ** 32n }), fc.bigInt({ min: 2n ** 64n - 999n, max: 2n ** 64n - 1n }))

describe.runIf(here)(here ? 'colours on ONNX Runtime' : 'NOT RUN: colours on ONNX Runtime need the optional package onnxruntime-node', () => {
  let engine: ColourEngine
  beforeAll(async () => {
    engine = await loadOnnxEngine(true)
  })
  afterAll(() => engine.close?.())

  test('pass the canary', async () => {
    expect(await canaryFault(engine)).toBeUndefined()
  })

  test.each(['spi64', 'turbo32'] as const)(
    '%s equal the pure kernel on any seed, start, length and number of runs',
    async (kernel: ColourKernelId) => {
      const { block } = GRAPH_KERNELS[kernel]
      const length = fc.oneof(fc.nat(99), fc.integer({ min: block - 2, max: block + 2 }), fc.integer({ min: 2 * block - 1, max: 2 * block + 1 }))
      await fc.assert(
        fc.asyncProperty(u64, start, length, fc.nat(3), async (seed, from, colours, runs) => {
          const out = new BigUint64Array(runs).fill(99n)
          await engine.xorRuns(kernel, seed, from, colours, out)
          expect([...out]).toEqual(Array.from(out, (_, run) => rangeXor(kernel, seed, from + BigInt(run * colours), BigInt(colours))))
        }),
        { numRuns: 25 },
      )
    },
  )

  test('serve the pool when asked for by name', async () => {
    await using compute = await openColourCompute({ threads: 2, engine: 'onnx' })
    expect(compute).toMatchObject({ engine: 'onnx', threads: 2 })
    expect(compute.engines).toContainEqual({
      engine: 'onnx',
      state: 'active',
      why: expect.stringMatching(/^ONNX Runtime 1\.\d+\.\d+, CPU provider, /),
    })
    const never = new AbortController().signal
    expect(await compute.rangeXor('turbo32', 1n, 2n, 3_000_003n, never)).toBe(rangeXor('turbo32', 1n, 2n, 3_000_003n))
    const running = compute.rangeXor('spi64', 1n, 0n, 2n ** 60n, never)
    const closed = compute.close()
    await expect(running).rejects.toMatchObject({ code: 'CLOSED' })
    await closed
  })

  test('are off when not asked for, and nothing is loaded', async () => {
    await expect(loadOnnxEngine()).rejects.toMatchObject({ name: 'EngineRefusal', state: 'off' })
  })
})

test('every engine is reported, in the order of their names', async () => {
  await using compute = await openColourCompute({ threads: 1 })
  expect(compute.engines.map(({ engine }) => engine)).toEqual(COLOUR_ENGINES)
})
