import { converge, type Csr, type LatticeMatrices, type LearnedRow, squaredDistance, withRows } from '@sgsd/lattice'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeCanary, runCanary } from './canary.ts'
import { OnnxStepEngine } from './onnx/onnx-step-engine.ts'
import { loadOrt } from '../onnx/ort.ts'
import { thisMachine } from '../machine.ts'
import { NativeStepEngine, nativeStepPaths } from './native-step-engine.ts'
import { ReferenceStepEngine } from './reference-step-engine.ts'
import { STABLE_PROFILE, type StepEngine, type SwarmProfile, type Trajectory } from './step-engine.ts'
import { WasmStepEngine } from './wasm-step-engine.ts'

const { params, tolerance, maxSteps } = STABLE_PROFILE

/** ONNX Runtime is optional and has no library for some platforms, darwin-x64 for one. */
const here = thisMachine()
const hasOnnx = here.ortFolder !== undefined && here.exists(here.ortFolder)

/** The C engine on every instruction set of this processor; none where it is not built. */
function nativeEngines(profile: SwarmProfile = STABLE_PROFILE): NativeStepEngine[] {
  try {
    return nativeStepPaths().map((_, path) => new NativeStepEngine(profile, { path }))
  } catch {
    return []
  }
}

/** Engines that promise the reference's bits, with what tells them apart. */
const EXACT: readonly (readonly [string, StepEngine])[] = [
  ...nativeEngines().map((engine) => [`native, ${engine.about}`, engine] as const),
  ['wasm', WasmStepEngine.open(STABLE_PROFILE)],
  ['reference', new ReferenceStepEngine(STABLE_PROFILE)],
]

/** A lattice, some of its rows replaced, and where to step from. */
const question = latticeArb(40, 12).chain((matrices) => {
  const { rows } = matrices.tau
  return fc.record({
    matrices: fc.constant(matrices),
    replaced: fc.array(fc.tuple(fc.nat({ max: rows - 1 }), rowArb(rows, 30)), { maxLength: 5 }),
    start: stateArb(rows),
    teacher: fc.option(stateArb(rows), { nil: undefined }),
  })
})

type Question = typeof question extends fc.Arbitrary<infer T> ? T : never

async function ask(engine: StepEngine, { matrices, replaced, start, teacher }: Question): Promise<Trajectory> {
  await engine.load(matrices)
  await engine.converge(start, undefined)
  for (const [row, edges] of replaced) engine.setRow(row, edges)
  return engine.converge(start, teacher)
}

function expected({ matrices, replaced, start, teacher }: Question): Trajectory {
  const { s, steps, converged } = converge(withRows(matrices, new Map(replaced)), start, {
    rule: { profile: 'stable', params },
    tolerance,
    maxSteps,
    ...(teacher === undefined ? {} : { teacher }),
  })
  return { state: s, steps, converged }
}

test.for(EXACT)('%s steps as the reference does, to the bit, also with rows replaced', async ([, engine]) => {
  await fc.assert(
    fc.asyncProperty(question, async (each) => {
      expect(await ask(engine, each)).toEqual(expected(each))
    }),
  )
})

test.for(EXACT)('%s steps rows of very different lengths, shared by both matrices and not, to the bit', async ([, engine]) => {
  const { matrices, cover, teacher } = skewed(6_000)
  await engine.load(matrices)
  expect(await engine.converge(cover, teacher)).toEqual(expected({ matrices, replaced: [], start: cover, teacher }))
})

test('a state that moves by just the tolerance settles in the same step everywhere, whatever the order of the sum', async () => {
  const { matrices, cover, teacher } = skewed(1_000)
  const options = { rule: { profile: 'stable', params } as const, teacher, maxSteps }
  for (let steps = 2; steps <= 8; steps++) {
    const before = converge(matrices, cover, { ...options, tolerance: 0, maxSteps: steps - 1 }).s
    const moved = squaredDistance(before, converge(matrices, cover, { ...options, tolerance: 0, maxSteps: steps }).s)
    for (const ulps of [-1, 0, 1]) {
      const profile = { params, maxSteps, tolerance: Math.sqrt(moved) * (1 + ulps * Number.EPSILON) }
      const { steps: expectedSteps } = converge(matrices, cover, { ...options, tolerance: profile.tolerance })
      for (const engine of [...nativeEngines(profile), WasmStepEngine.open(profile)]) {
        await engine.load(matrices)
        expect((await engine.converge(cover, teacher)).steps).toBe(expectedSteps)
      }
    }
  }
})

test.for(EXACT)('%s steps across columns that lie further apart than 16 bits reach, to the bit', async ([, engine]) => {
  const rows = 200_000
  const far = [0, 65_535, 65_536, 131_071, 131_073, 199_999]
  const edgesOf = (row: number): readonly number[] => (row % 4 === 0 ? far.filter((_, bit) => ((row >> 2) & (1 << bit)) !== 0) : [])
  const ptr = new Uint32Array(rows + 1)
  for (let row = 0; row < rows; row++) ptr[row + 1] = ptr[row]! + edgesOf(row).length
  const cols = Uint32Array.from(Array.from({ length: rows }, (_, row) => edgesOf(row)).flat())
  const tau = { rows, ptr, cols, vals: Float32Array.from(cols, (column, at) => ((column + at) % 97) / 97) }
  const rho = { rows, ptr: new Uint32Array(rows + 1), cols: new Uint32Array(0), vals: new Float32Array(0) }
  const state = Float32Array.from({ length: rows }, (_, row) => (row % 251) / 251)
  await engine.load({ tau, rho })
  const replaced = {
    tauCols: Uint32Array.of(7, 150_000),
    tauVals: Float32Array.of(0.5, 1),
    rhoCols: Uint32Array.of(199_999),
    rhoVals: Float32Array.of(0.25),
  }
  engine.setRow(1, replaced)
  expect(await engine.converge(state, state)).toEqual(expected({ matrices: { tau, rho }, replaced: [[1, replaced]], start: state, teacher: state }))
})

test.for(EXACT.slice(0, -1))('%s moves rows that outgrow their place, thousands of times', async ([, engine]) => {
  const { matrices, cover, teacher } = makeCanary(3_000)
  const donor = makeCanary(2_999).matrices
  await engine.load(matrices)
  const replaced = new Map<number, Parameters<StepEngine['setRow']>[1]>()
  for (let turn = 0; turn < 6_000; turn++) {
    const row = (turn * 7) % 3_000
    const from = (turn * 11) % 2_999
    const [t, tEnd, r, rEnd] = [donor.tau.ptr[from]!, donor.tau.ptr[from + 1]!, donor.rho.ptr[from]!, donor.rho.ptr[from + 1]!]
    const edges = {
      tauCols: donor.tau.cols.slice(t, tEnd),
      tauVals: donor.tau.vals.slice(t, tEnd),
      rhoCols: donor.rho.cols.slice(r, rEnd),
      rhoVals: donor.rho.vals.slice(r, rEnd),
    }
    engine.setRow(row, edges)
    replaced.set(row, edges)
  }
  const { state } = await engine.converge(cover, teacher)
  expect(state).toEqual(converge(withRows(matrices, replaced), cover, { teacher }).s)
})

test.runIf(hasOnnx)('the ONNX graph computes the same step, also with rows replaced', async () => {
  const engine = new OnnxStepEngine(await loadOrt(), 'cpu', STABLE_PROFILE)
  await fc.assert(
    fc.asyncProperty(question, async (each) => {
      const { state } = await ask(engine, each)
      // one step more or less where ‖s' − s‖ meets the tolerance
      expected(each).state.forEach((value, row) => expect(Math.abs(state[row]! - value)).toBeLessThan(1e-3))
    }),
    { numRuns: 25 },
  )
  await engine.release()
})

test.runIf(hasOnnx)('the ONNX engine builds larger tables when replaced rows run out of places', async () => {
  const engine = new OnnxStepEngine(await loadOrt(), 'cpu', STABLE_PROFILE)
  const { matrices, cover, teacher } = makeCanary(1_000)
  await engine.load(matrices)
  const replaced = new Map<number, Parameters<StepEngine['setRow']>[1]>()
  for (let row = 0; row < 700; row++) {
    const edges = { tauCols: Uint32Array.of(row), tauVals: Float32Array.of(0.5), rhoCols: Uint32Array.of(), rhoVals: Float32Array.of() }
    engine.setRow(row, edges)
    replaced.set(row, edges)
  }
  const { state } = await engine.converge(cover, teacher)
  const { s } = converge(withRows(matrices, replaced), cover, { teacher })
  s.forEach((value, row) => expect(Math.abs(state[row]! - value)).toBeLessThan(1e-4))
  await engine.release()
})

test('the canary accepts native, wasm and reference', async () => {
  for (const [, engine] of EXACT) {
    expect(await runCanary(engine, STABLE_PROFILE)).toMatchObject({ right: true, largestError: 0 })
  }
})

test.runIf(hasOnnx)('the canary accepts the ONNX graph', async () => {
  const engine = new OnnxStepEngine(await loadOrt(), 'cpu', STABLE_PROFILE)
  expect(await runCanary(engine, STABLE_PROFILE)).toMatchObject({ right: true })
  await engine.release()
})

test.runIf(nativeEngines().length > 0)('a path that the processor lacks is an error, not a crash', () => {
  expect(() => new NativeStepEngine(STABLE_PROFILE, { path: nativeStepPaths().length })).toThrow(/of its paths/)
})

test('the canary settles clear of the tolerance, so that rounding does not decide the number of steps', () => {
  const { matrices, cover, teacher } = makeCanary()
  const run = (factor: number): number => converge(matrices, cover, { teacher, tolerance: tolerance * factor }).steps
  expect(run(0.97)).toBe(run(1.03))
})

test.for([
  { name: 'a wrong entry', spoil: (state: Float32Array) => (state[7]! += 1e-3) },
  { name: 'a NaN', spoil: (state: Float32Array) => (state[7] = Number.NaN) },
])('the canary refuses an engine with $name', async ({ spoil }) => {
  const engine = new ReferenceStepEngine(STABLE_PROFILE)
  const liar: StepEngine = {
    name: 'liar',
    load: (matrices) => engine.load(matrices),
    setRow: (row, edges) => engine.setRow(row, edges),
    release: () => engine.release(),
    async converge(start, teacher) {
      const answer = await engine.converge(start, teacher)
      spoil(answer.state)
      return answer
    },
  }
  expect(await runCanary(liar, STABLE_PROFILE)).toMatchObject({ right: false })
})

/** A few rows of thousands of edges among many of few or none; a third of the rows have the same edges in both matrices. */
function skewed(rows: number): { matrices: LatticeMatrices; cover: Float32Array; teacher: Float32Array } {
  let word = 7
  const next = (below: number): number => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((word / 2 ** 32) * below)
  }
  const columns = (): Uint32Array => {
    const most = next(200) === 0 ? rows / 2 : next(10) === 0 ? 300 : 8
    return Uint32Array.from(new Set(Array.from({ length: next(most) }, () => next(rows)))).sort()
  }
  const weights = (cols: Uint32Array): Float32Array => Float32Array.from(cols, () => next(1_001) / 1_000)
  const matrices = toMatrices(
    Array.from({ length: rows }, () => {
      const tauCols = columns()
      const rhoCols = next(3) === 0 ? tauCols : columns()
      return { tauCols, tauVals: weights(tauCols), rhoCols, rhoVals: weights(rhoCols) }
    }),
  )
  const state = (): Float32Array => Float32Array.from({ length: rows }, () => (next(3) === 0 ? next(1_001) / 1_000 : 0))
  return { matrices, cover: state(), teacher: state() }
}

/** Rows of both matrices, of up to `edges` edges each; the patterns of Wτ and Wρ differ. */
function latticeArb(maxRows: number, edges: number): fc.Arbitrary<LatticeMatrices> {
  return fc.integer({ min: 1, max: maxRows }).chain((rows) => fc.array(rowArb(rows, edges), { minLength: rows, maxLength: rows }).map(toMatrices))
}

/** One row in a lattice of `rows` rows. */
function rowArb(rows: number, edges: number): fc.Arbitrary<LearnedRow> {
  const side = fc
    .uniqueArray(fc.tuple(fc.nat({ max: rows - 1 }), fc.float({ min: 0, max: 1, noNaN: true })), {
      selector: ([col]) => col,
      maxLength: Math.min(rows, edges),
    })
    .map((pairs) => pairs.sort(([a], [b]) => a - b))
  return fc.tuple(side, side).map(([tau, rho]) => ({
    tauCols: Uint32Array.from(tau, ([col]) => col),
    tauVals: Float32Array.from(tau, ([, val]) => val),
    rhoCols: Uint32Array.from(rho, ([col]) => col),
    rhoVals: Float32Array.from(rho, ([, val]) => val),
  }))
}

/** A swarm state. */
function stateArb(rows: number): fc.Arbitrary<Float32Array> {
  return fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: rows, maxLength: rows }).map((values) => Float32Array.from(values))
}

function toMatrices(rows: readonly LearnedRow[]): LatticeMatrices {
  return { tau: stack(rows.map(({ tauCols, tauVals }) => [tauCols, tauVals])), rho: stack(rows.map(({ rhoCols, rhoVals }) => [rhoCols, rhoVals])) }
}

function stack(rows: readonly (readonly [Uint32Array, Float32Array])[]): Csr {
  const ptr = new Uint32Array(rows.length + 1)
  rows.forEach(([cols], row) => (ptr[row + 1] = ptr[row]! + cols.length))
  return {
    rows: rows.length,
    ptr,
    cols: Uint32Array.from(rows.flatMap(([cols]) => [...cols])),
    vals: Float32Array.from(rows.flatMap(([, vals]) => [...vals])),
  }
}
