import { setOf } from '@sgsd/hllset'
import { afterAll, expect, test } from 'vitest'
import { canaryFault } from './canary.ts'
import { chooseKernel, type KernelLoaders } from './choose-kernel.ts'
import { idSetsOf, idSetsOfSketches } from './id-sets.ts'
import { joinOn } from './join-run.ts'
import type { JoinKernel } from './kernel.ts'
import { joinPaths, loadNativeKernel } from './native-kernel.ts'
import { openJoinCompute } from './open-join-compute.ts'
import type { PairGate } from './port.ts'
import { loadReferenceKernel } from './reference-kernel.ts'
import { syntheticSets } from './synthetic.fixture.ts'
import { loadWasmKernel } from './wasm-kernel.ts'

const gate: PairGate = { tau: 0.35, rho: 0.5, top: 10 }
const never = new AbortController().signal
const sets = syntheticSets({ sets: 3_000, vocabulary: 2_000, exponent: 1, sizes: [5, 40], kin: 0.2, seed: 21 })
const compute = await openJoinCompute()
afterAll(() => compute.close())

/** Why there is no C engine here; undefined when there is one. */
function missing(): string | undefined {
  try {
    joinPaths()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** One that misses the last pair of every row that has any. */
function careless(): JoinKernel {
  const reference = loadReferenceKernel()
  return {
    ...reference,
    name: 'native',
    load: (plan, top) => {
      const loaded = reference.load(plan, top)
      return { rows: (from, to, need) => ({ ...loaded.rows(from, from + Math.min(1, to - from), need), counts: Uint32Array.of(0) }) }
    },
  }
}

test('the worker finds what the calling thread finds, and tells how far it is', async () => {
  const told: number[] = []
  const found = await compute.join(sets, gate, never, (done) => told.push(done))
  expect(found).toEqual(joinOn(loadReferenceKernel(), sets, gate))
  expect(told.at(-1)).toBe(3_000)
  expect(told).toEqual(told.toSorted((a, b) => a - b))
})

test('two joins at a time do not mix', async () => {
  const other = syntheticSets({ sets: 500, vocabulary: 100, exponent: 1, sizes: [3, 9], kin: 0, seed: 22 })
  const [a, b] = await Promise.all([compute.join(sets, gate, never), compute.join(other, gate, never)])
  expect(a.sizes).toHaveLength(3_000)
  expect(b).toEqual(joinOn(loadReferenceKernel(), other, gate))
})

test('a view into a larger buffer is joined as it is', async () => {
  const ids = Uint32Array.of(9, 9, 1, 2, 1, 2).subarray(2)
  expect((await compute.join({ ptr: Uint32Array.of(0, 2, 4), ids }, gate, never)).cols).toEqual(Uint32Array.of(1, 0))
})

test('an abort rejects with its reason, and the next join works', async () => {
  const controller = new AbortController()
  const large = syntheticSets({ sets: 8_000, vocabulary: 400, exponent: 0.5, sizes: [20, 40], kin: 0, seed: 23 })
  const joined = compute.join(large, gate, controller.signal, () => controller.abort(new Error('enough')))
  await expect(joined).rejects.toThrow('enough')
  await expect(compute.join(sets, gate, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
  expect((await compute.join(idSetsOf([[1], [1]]), gate, never)).cols).toEqual(Uint32Array.of(1, 0))
})

test.each([
  [{ ptr: Uint32Array.of(), ids: Uint32Array.of() }, gate, /begin with 0/],
  [{ ptr: Uint32Array.of(0, 2, 1), ids: Uint32Array.of(1) }, gate, /fall at set 1/],
  [{ ptr: Uint32Array.of(0, 2), ids: Uint32Array.of(1) }, gate, /end at 2, the ids at 1/],
  [{ ptr: Uint32Array.of(0, 65_536), ids: new Uint32Array(65_536) }, gate, /more than 65535/],
  [idSetsOf([[1]]), { ...gate, tau: Number.NaN }, /no coverage/],
  [idSetsOf([[1]]), { ...gate, rho: Infinity }, /no exclusion/],
  [idSetsOf([[1]]), { ...gate, top: 0 }, /no number of pairs/],
])('bad input %# is refused before it leaves the thread', async (sets, gate, why) => {
  await expect(compute.join(sets, gate, never)).rejects.toThrow(RangeError)
  await expect(compute.join(sets, gate, never)).rejects.toThrow(why)
})

test('after close, calls are rejected', async () => {
  const other = await openJoinCompute({ engine: 'reference' })
  expect([other.engine, other.engines.length]).toEqual(['reference', 1])
  await other.close()
  await expect(other.join(sets, gate, never)).rejects.toMatchObject({ code: 'CLOSED' })
})

test('the C engine is there, or its report says why not and the others work', () => {
  const why = missing()
  const native = compute.engines.find(({ engine }) => engine === 'native')
  if (why === undefined) expect(native).toMatchObject({ state: 'active', why: expect.stringMatching(/^C, (AVX|SSE|NEON|plain C)/) })
  else expect(native).toEqual({ engine: 'native', state: 'missing', why })
  expect(compute.engines.map(({ engine }) => engine)).toEqual(['native', 'wasm', 'reference'])
})

test('a kernel that errs does not work: the next one does', () => {
  expect(canaryFault(careless())).toMatch(/^τ ≥ 0.35, ρ ≤ 0.5, top 3: 0 pairs, not the known \d\d+/)
  const loaders: KernelLoaders = { native: careless, wasm: loadWasmKernel, reference: loadReferenceKernel }
  const { kernel, reports } = chooseKernel(undefined, loaders)
  expect(kernel.name).toBe('wasm')
  expect(reports.map(({ state }) => state)).toEqual(['wrong', 'active', 'standby'])
  expect(() => chooseKernel('native', loaders)).toThrow(/no engine works here \(tried: native: τ/)
})

test.runIf(missing() === undefined)('wrong arguments to the C engine are errors, not crashes', () => {
  const plan = { ...chosenPlan(), skips: new Uint32Array(2) }
  const loaded = loadNativeKernel().load(plan, 1)
  expect(() => loaded.rows(0, 3, new Uint32Array(1))).toThrow('do not fit together')
  const good = loadNativeKernel().load(chosenPlan(), 1)
  expect(() => good.rows(0, 4, new Uint32Array(1))).toThrow('no such rows')
  expect(() => good.rows(0, 3, [] as unknown as Uint32Array)).toThrow('of another type')
  expect(() => loadNativeKernel(joinPaths().length)).toThrow(/of its paths/)
})

function chosenPlan(): Parameters<JoinKernel['load']>[0] {
  let seen: Parameters<JoinKernel['load']>[0] | undefined
  const spy: JoinKernel = {
    ...loadReferenceKernel(),
    load: (plan, top) => {
      seen = plan
      return loadReferenceKernel().load(plan, top)
    },
  }
  joinOn(spy, idSetsOf([[1], [2], [3]]), gate)
  return seen!
}

test('sketches join by their bits', async () => {
  const words = ['moon', 'river', 'wine', 'frost', 'goose', 'plum', 'snow', 'lake'] as const
  const sketches = [setOf(words), setOf(words.slice(2)), setOf(['other', 'tokens', 'wholly'])]
  const { ptr, cols, shared, sizes } = await compute.join(idSetsOfSketches(sketches), gate, never)
  expect([...ptr]).toEqual([0, 1, 2, 2])
  expect([[...cols], [...shared], [...sizes]]).toEqual([
    [1, 0],
    [6, 6],
    [8, 6, 3],
  ])
  expect(() => idSetsOfSketches([setOf(words, 1), setOf(words, 2)])).toThrow(RangeError)
})
