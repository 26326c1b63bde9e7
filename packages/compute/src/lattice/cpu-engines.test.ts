import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chooseCpuEngine, type CpuEngineOpener } from './cpu-engines.ts'
import { NativeStepEngine } from './native-step-engine.ts'
import { ReferenceStepEngine } from './reference-step-engine.ts'
import type { StepEngine } from './step-engine.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sgsd-cpu-engines-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The native engine out of the test's own folder. */
const fromFolder: CpuEngineOpener = {
  name: 'native',
  open(profile) {
    const engine = new NativeStepEngine(profile, { folder: pathToFileURL(`${folder}/`) })
    return { engine, about: engine.about }
  },
}

/** A right engine under that name whose every step takes that much longer, ms. */
function right(name: 'native' | 'wasm', delayMs = 0, released: string[] = []): CpuEngineOpener {
  return {
    name,
    open(profile) {
      const engine = new ReferenceStepEngine(profile)
      const named: StepEngine = {
        name,
        load: (matrices) => engine.load(matrices),
        setRow: (row, edges) => engine.setRow(row, edges),
        async converge(start, teacher) {
          const answer = await engine.converge(start, teacher)
          const until = performance.now() + delayMs * answer.steps
          while (performance.now() < until);
          return answer
        },
        release() {
          released.push(name)
          return engine.release()
        },
      }
      return { engine: named, about: `the engine ${name}` }
    },
  }
}

/** Moves one entry of every answer by one unit in the last place. */
const wrong: CpuEngineOpener = {
  name: 'native',
  open(profile) {
    const { engine, about } = right('native').open(profile)
    const liar: StepEngine = {
      ...engine,
      async converge(start, teacher) {
        const answer = await engine.converge(start, teacher)
        new Uint32Array(answer.state.buffer)[3]! ^= 1
        return answer
      },
    }
    return { engine: liar, about }
  },
}

test('the fastest right engine steps, the others stand by and are released', async () => {
  const released: string[] = []
  const { engine, reports } = await chooseCpuEngine(undefined, [right('native', 5, released), right('wasm', 0, released)])
  expect(engine.name).toBe('wasm')
  expect(released).toEqual(['native'])
  expect(reports).toMatchObject([
    { provider: 'native', state: 'standby', why: expect.stringMatching(/^the engine native, .* \d+\.\d\d ms a step$/) },
    { provider: 'wasm', state: 'active' },
  ])
})

test('an engine that is off by one bit is wrong, and named', async () => {
  const { engine, reports } = await chooseCpuEngine(undefined, [wrong, right('wasm')])
  expect(engine.name).toBe('wasm')
  expect(reports[0]).toEqual({ provider: 'native', state: 'wrong', why: expect.stringMatching(/^its step differs from the reference by \d/) })
})

test('a missing addon is missing, with the reason that set-up left', async () => {
  const none = await chooseCpuEngine(undefined, [fromFolder, right('wasm')])
  expect(none.reports[0]).toEqual({
    provider: 'native',
    state: 'missing',
    why: `this package has no C engine built for ${process.platform}-${process.arch}`,
  })
  writeFileSync(join(folder, 'lattice.missing.txt'), 'no C compiler when sgsd was set up\n')
  const { engine, reports } = await chooseCpuEngine(undefined, [fromFolder, right('wasm')])
  expect(engine.name).toBe('wasm')
  expect(reports[0]).toEqual({ provider: 'native', state: 'missing', why: 'no C compiler when sgsd was set up' })
})

test('a damaged addon is missing, named by its file', async () => {
  const file = join(folder, 'lattice.node')
  writeFileSync(file, 'not a library')
  const { engine, reports } = await chooseCpuEngine(undefined, [fromFolder, right('wasm')])
  expect(engine.name).toBe('wasm')
  expect(reports[0]).toMatchObject({ provider: 'native', state: 'missing', why: expect.stringContaining(file) })
})

test('where none is right the reference steps', async () => {
  const { engine, reports } = await chooseCpuEngine(undefined, [wrong])
  expect(engine.name).toBe('reference')
  expect(reports).toMatchObject([
    { provider: 'native', state: 'wrong' },
    { provider: 'reference', state: 'active', why: expect.stringContaining('no other engine answers right') },
  ])
})

test.for(['wasm', 'reference'] as const)('%s alone is tried when it is asked for', async (wanted) => {
  const { engine, reports } = await chooseCpuEngine(wanted)
  expect(engine.name).toBe(wanted)
  expect(reports.find(({ provider }) => provider === 'native')).toEqual({
    provider: 'native',
    state: 'off',
    why: `the configuration asks for ${wanted}`,
  })
  await engine.release()
})
