import { colourAt, type ColourKernelId, rangeXor, triadicRun, type TriadicProfile } from '@sgsd/color'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CANARY, canaryFault } from './canary.ts'
import { chooseEngine } from './choose.ts'
import { type ColourEngine, EngineRefusal } from './engine.ts'
import { loadNativeEngine, nativePaths } from './native-engine.ts'
import { probeEngines } from './probe.ts'
import { loadReferenceEngine } from './reference-engine.ts'
import { loadWasmEngine } from './wasm-engine.ts'

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const kernel = fc.constantFrom<ColourKernelId>('spi64', 'turbo32')
const start = fc.oneof(u64, fc.bigInt({ min: 2n ** 32n - 999n, max: 2n ** 32n }), fc.bigInt({ min: 2n ** 64n - 999n, max: 2n ** 64n - 1n }))

/** Colours of a run: fewer than any lane count, no multiple of any, and many rounds. */
const length = fc.oneof(fc.nat(9), fc.nat(999), fc.integer({ min: 1_000, max: 20_000 }))

/** Each instruction set that the processor has, apart; none where no C engine was built. */
function nativeEngines(): ColourEngine[] {
  try {
    return nativePaths().map((_, path) => loadNativeEngine(path))
  } catch {
    return []
  }
}

describe.each([...nativeEngines(), loadWasmEngine(), loadReferenceEngine()])('$name, $about,', (engine) => {
  test('equals the pure kernel on any seed, start, length and number of runs', () => {
    fc.assert(
      fc.property(kernel, u64, start, length, fc.nat(4), (k, seed, from, length, runs) => {
        const out = new BigUint64Array(runs).fill(99n)
        void engine.xorRuns(k, seed, from, length, out)
        expect([...out]).toEqual(Array.from(out, (_, run) => rangeXor(k, seed, from + BigInt(run * length), BigInt(length))))
      }),
    )
  })

  test('equals the pure kernel on any part of a triadic stream', () => {
    const profile = fc.constantFrom<TriadicProfile>('published', 'canonical')
    fc.assert(
      fc.property(profile, u64, start, length, fc.nat(4), (p, seed, from, length, runs) => {
        const out = new BigUint64Array(runs).fill(99n)
        void engine.triadicRuns?.(p, seed, from, length, out)
        expect([...out]).toEqual(Array.from(out, (_, run) => triadicRun(p, seed, from + BigInt(3 * run * length), length)))
      }),
    )
  })

  test('passes the canary', async () => {
    expect(await canaryFault(engine)).toBeUndefined()
  })
})

test('turbo32 over 2^32 indices from anywhere is 0: it is a bijection', () => {
  const out = new BigUint64Array(4)
  void loadWasmEngine().xorRuns('turbo32', 7_202_985n, 12_345n, 2 ** 30, out)
  expect(out.reduce((xor, run) => xor ^ run, 0n)).toBe(0n)
})

describe('canary', () => {
  test('its answers are the XOR of the single colours', () => {
    for (const { kernel: k, seed, start: from, length, answers } of CANARY) {
      const xors = answers.map((_, run) => {
        let xor = 0n
        for (let i = 0; i < length; i++) xor ^= colourAt(k, seed, from + BigInt(run * length + i))
        return xor
      })
      expect(answers).toEqual(xors)
    }
  })

  const good = loadWasmEngine()
  const spoilt = (about: string, xorRuns: ColourEngine['xorRuns']): [string, ColourEngine] => [about, { ...good, name: 'spoilt', about, xorRuns }]

  test.each([
    spoilt('forgets the rest behind the last full lane', (k, seed, from, length, out) => good.xorRuns(k, seed, from, length - (length % 8), out)),
    spoilt('keeps 32 bits of the start', (k, seed, from, length, out) => good.xorRuns(k, seed, from & 0xffff_ffffn, length, out)),
    spoilt('keeps 32 bits of the seed', (k, seed, from, length, out) => good.xorRuns(k, seed & 0xffff_ffffn, from, length, out)),
    spoilt('fills only the first run', (k, seed, from, length, out) => good.xorRuns(k, seed, from, length, out.subarray(0, 1))),
    spoilt('starts one late', (k, seed, from, length, out) => good.xorRuns(k, seed, from + 1n, length, out)),
    spoilt('answers the other kernel', (k, seed, from, length, out) => good.xorRuns(k === 'spi64' ? 'turbo32' : 'spi64', seed, from, length, out)),
  ])('catches an engine that %s', async (_about, engine) => {
    expect(await canaryFault(engine)).toMatch(/known to be 0x/)
  })
})

describe('the choice of an engine', () => {
  test('reports the missing and the wrong by name and reason, and never uses them', async () => {
    const findings = await probeEngines({
      absent: () => {
        throw new Error('libabsent.so is not installed')
      },
      wrong: () => ({ ...loadWasmEngine(), name: 'wrong', xorRuns: (_kernel, _seed, _start, _length, out) => void out.fill(1n) }),
      failing: () => ({
        ...loadWasmEngine(),
        name: 'failing',
        xorRuns: () => {
          throw new Error('device lost')
        },
      }),
      wasm: loadWasmEngine,
      reference: loadReferenceEngine,
    })
    const { active, reports } = chooseEngine(findings)
    expect(active).toBe('wasm')
    expect(reports.map(({ engine, state }) => [engine, state])).toEqual([
      ['absent', 'missing'],
      ['wrong', 'wrong'],
      ['failing', 'wrong'],
      ['wasm', 'active'],
      ['reference', 'standby'],
    ])
    expect(reports.map(({ why }) => why)).toEqual([
      'libabsent.so is not installed',
      'spi64, seed 0, 1 colours from 0: XOR 0x1, known to be 0xe220a8397b1dcdaf',
      'it fails: device lost',
      expect.stringMatching(/^WebAssembly SIMD128, \d+\.\d\d G spi64 colours\/s a thread$/),
      expect.stringMatching(/^plain JavaScript, /),
    ])
  })

  test('is the fastest, wherever it stands', () => {
    const finding = (engine: string, coloursPerSecond: number) => ({ engine, state: 'good', why: engine, coloursPerSecond }) as const
    expect(chooseEngine([finding('a', 1), finding('b', 3), finding('c', 2)]).active).toBe('b')
    expect(chooseEngine([])).toMatchObject({ active: undefined, reports: [] })
  })

  test('measures one that serves a single thread against all cores, and gives the other threads the next best', () => {
    const gpu = { engine: 'gpu', state: 'good', why: 'a card', coloursPerSecond: 10, threads: 1 } as const
    const cpu = { engine: 'cpu', state: 'good', why: 'a core', coloursPerSecond: 3 } as const
    expect(chooseEngine([gpu, cpu], 3)).toEqual({
      active: 'gpu',
      threads: 1,
      beside: 'cpu',
      reports: [
        { engine: 'gpu', state: 'active', why: 'a card' },
        { engine: 'cpu', state: 'standby', why: 'a core, on 2 threads beside gpu' },
      ],
    })
    expect(chooseEngine([gpu, cpu], 4)).toMatchObject({ active: 'cpu', threads: 4, beside: undefined })
    expect(chooseEngine([gpu, cpu], 1)).toMatchObject({ active: 'gpu', threads: 1, beside: undefined })
    expect(chooseEngine([gpu], 4)).toMatchObject({ active: 'gpu', threads: 1, beside: undefined })
  })

  test('leaves alone what is off, unless it was asked for by name', async () => {
    const tried: boolean[] = []
    const loaders = {
      costly: (asked: boolean) => {
        tried.push(asked)
        if (!asked) throw new EngineRefusal('off', 'it costs more than it brings')
        return loadReferenceEngine()
      },
      wasm: () => loadWasmEngine(),
    }
    expect(chooseEngine(await probeEngines(loaders)).reports).toEqual([
      { engine: 'costly', state: 'off', why: 'it costs more than it brings' },
      { engine: 'wasm', state: 'active', why: expect.stringMatching(/^WebAssembly/) },
    ])
    expect(chooseEngine(await probeEngines(loaders, 'costly')).reports).toEqual([
      { engine: 'costly', state: 'active', why: expect.stringMatching(/^plain JavaScript/) },
      { engine: 'wasm', state: 'off', why: 'costly was asked for' },
    ])
    expect(tried).toEqual([false, true])
    expect(chooseEngine(await probeEngines(loaders, 'abacus'))).toMatchObject({
      active: undefined,
      reports: [{ state: 'off' }, { state: 'off' }, { engine: 'abacus', state: 'missing', why: 'there is no such engine, there are costly, wasm' }],
    })
  })
})
