import { chunkValue } from '@sgsd/color'
import { describe, expect, test } from 'vitest'
import { loadNativeEngine, nativePaths } from './native-engine.ts'
import { openColourCompute } from './open-colour-compute.ts'
import type { EngineReport } from './port.ts'

const never = new AbortController().signal

function nativeReport(engines: readonly EngineReport[]): EngineReport | undefined {
  return engines.find(({ engine }) => engine === 'native')
}

/** Why there is no C engine here; undefined when there is one. */
function missing(): string | undefined {
  try {
    nativePaths()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

test('the C engine is there, or its report says why not and the others work', async () => {
  await using compute = await openColourCompute({ threads: 1 })
  const report = nativeReport(compute.engines)
  const why = missing()
  if (why === undefined) expect(report?.why).toMatch(/^(AVX|SSE|NEON|plain C).*, \d+\.\d\d G spi64 colours\/s a thread/)
  else expect(report).toEqual({ engine: 'native', state: 'missing', why })
})

describe.runIf(missing() === undefined)('the C engine', () => {
  test('loads in several threads, and again after they ended', async () => {
    for (let time = 0; time < 3; time++) {
      await using compute = await openColourCompute({ threads: 3, engine: 'native' })
      const values = await compute.chunkValues('spi64', 1n, 7n, 40, never)
      expect([values[0], values[39]]).toEqual([chunkValue('spi64', 1n, 7n), chunkValue('spi64', 1n, 46n)])
    }
  })

  test('fills any part of shared memory, and nothing beside it', () => {
    const shared = new BigUint64Array(new SharedArrayBuffer(64)).fill(5n)
    void loadNativeEngine().xorRuns('spi64', 0n, 0n, 1, shared.subarray(3, 5))
    expect([...shared]).toEqual([5n, 5n, 5n, 0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n, 5n, 5n, 5n])
  })

  test('sizes its calls', () => {
    const { batch } = loadNativeEngine()
    expect(Number.isInteger(batch)).toBe(true)
    expect(batch).toBeGreaterThanOrEqual(1)
    expect(batch).toBeLessThanOrEqual(32)
  })

  test('a path that the processor lacks is an error, not a crash', () => {
    expect(() => loadNativeEngine(nativePaths().length)).toThrow(/of its paths/)
  })

  test('wrong arguments are errors, not crashes', () => {
    const { xorRuns } = loadNativeEngine()
    const out = new BigUint64Array(1)
    const call = (...args: unknown[]) => Reflect.apply(xorRuns, undefined, args) as void
    expect(() => call('sha1', 0n, 0n, 1, out)).toThrow(TypeError)
    expect(() => call('spi64', 0n, 0n, '1', out)).toThrow('length is not a number')
    expect(() => call('spi64', 0n, 0n, 1, new Float64Array(1))).toThrow('out is not a BigUint64Array')
    expect(() => call('spi64', 0n, 0n, 1, [0n])).toThrow('out is not a BigUint64Array')
  })

  test('memory that was given away is left alone', () => {
    const out = new BigUint64Array(8)
    structuredClone(out, { transfer: [out.buffer] })
    void loadNativeEngine().xorRuns('spi64', 1n, 2n, 3, out)
    expect(out).toHaveLength(0)
  })

  test('no colours are 0', () => {
    const out = new BigUint64Array(2).fill(7n)
    void loadNativeEngine().xorRuns('turbo32', 1n, 2n, 0, out)
    expect([...out]).toEqual([0n, 0n])
  })
})
