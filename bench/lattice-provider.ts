// `npm run bench -- lattice --provider onnx:cuda`: a step on an execution provider beside the engines on the processor, by the clock on the wall.
import { NativeStepEngine, nativeStepPaths } from '../packages/compute/src/lattice/native-step-engine.ts'
import { OnnxStepEngine } from '../packages/compute/src/lattice/onnx/onnx-step-engine.ts'
import { parseEngineName, providerOf, surveyProviders } from '../packages/compute/src/lattice/provider-choice.ts'
import { STABLE_PROFILE, type StepEngine, type SwarmProfile } from '../packages/compute/src/lattice/step-engine.ts'
import { WasmStepEngine } from '../packages/compute/src/lattice/wasm-step-engine.ts'
import { loadOrt } from '../packages/compute/src/onnx/ort.ts'
import { buildLattice, type Csr, type LatticeMatrices } from '../packages/lattice/src/index.ts'
import { type BenchRow, median } from './bench.ts'
import { readKernel } from './lattice-build.ts'
import { RANDOM_EDGES, RANDOM_ROWS, randomMatrix } from './lattice-steps.ts'

/** Counted trajectories of each engine, and how long one engine may take over them, ms. */
const ROUNDS = 20
const ENGINE_MS = 4_000

/** Rows as learning from text leaves them: a few thousand edges in the rows of common characters, a handful in most. */
const SKEWED = { rows: 22_903, longest: 4_800 }

/** @throws Error that says why the provider does not work here, and what to mend */
export async function providerRows(name: string): Promise<BenchRow[]> {
  const engineName = parseEngineName(name)
  const provider = providerOf(engineName)
  if (provider === undefined) throw new Error(`${name} is an engine on the processor: npm run bench -- lattice measures it`)
  const { passed, others } = await surveyProviders(engineName)
  const report = others.find((each) => each.provider === engineName)
  if (passed.length === 0)
    throw new Error(`${name} does not work here: ${report?.why ?? 'no answer'}${report?.mend === undefined ? '' : `; ${report.mend}`}`)
  const ort = await loadOrt()
  const open: readonly (() => StepEngine)[] = [
    () => new OnnxStepEngine(ort, provider, profile),
    ...(hasNative() ? [() => new NativeStepEngine(profile)] : []),
    () => WasmStepEngine.open(profile),
  ]
  const rows: BenchRow[] = [{ bench: 'lattice', case: `${name} runs on`, value: 1, unit: 'card', note: passed[0]?.device ?? '' }]
  for (const { name: of, matrices } of cases()) rows.push(...(await caseRows(of, matrices, open)))
  return rows
}

/** Never settled, so that every engine does as many steps: about those of a trajectory. */
const profile: SwarmProfile = { ...STABLE_PROFILE, tolerance: 0, maxSteps: 10 }

function* cases(): Generator<{ readonly name: string; readonly matrices: LatticeMatrices }> {
  yield { name: 'shipped lattice', matrices: buildLattice(readKernel()) }
  yield { name: `skewed rows of up to ${SKEWED.longest} edges`, matrices: { tau: skewedMatrix(1), rho: skewedMatrix(2) } }
  for (const nnz of RANDOM_EDGES) {
    yield {
      name: `${RANDOM_ROWS} rows of ${nnz} random columns`,
      matrices: { tau: randomMatrix(RANDOM_ROWS, nnz, 1), rho: randomMatrix(RANDOM_ROWS, nnz, 2) },
    }
  }
}

async function caseRows(of: string, matrices: LatticeMatrices, open: readonly (() => StepEngine)[]): Promise<BenchRow[]> {
  const { rows } = matrices.tau
  const start = Float32Array.from({ length: rows }, (_, row) => ((row * 7) % 10 === 0 ? 1 : 0))
  const edges = matrices.tau.cols.length + matrices.rho.cols.length
  const measured: { readonly engine: string; readonly ms: number; readonly loadMs: number; readonly state: Float32Array }[] = []
  for (const each of open) {
    const engine = each()
    const loading = performance.now()
    await engine.load(matrices)
    const loadMs = performance.now() - loading
    let { state } = await engine.converge(start, start)
    const taken: number[] = []
    const began = performance.now()
    while (taken.length < ROUNDS && (taken.length === 0 || performance.now() - began < ENGINE_MS)) {
      const at = performance.now()
      ;({ state } = await engine.converge(start, start))
      taken.push((performance.now() - at) / profile.maxSteps)
    }
    await engine.release()
    measured.push({ engine: engine.name, ms: median(taken), loadMs, state })
  }
  const exact = measured[measured.length - 1]!.state
  const [first, ...others] = measured as [(typeof measured)[0], ...typeof measured]
  const step = (engine: string): string => `step, ${of}: ${engine}`
  const gap = largestGap(first.state, exact).toExponential(1)
  return [
    {
      bench: 'lattice',
      case: step(first.engine),
      value: first.ms,
      unit: 'ms',
      ratio: others[0]!.ms / first.ms,
      note: `ratio: as fast as ${others[0]!.engine}; ${edges} edges, loaded in ${first.loadMs.toFixed(0)} ms; differs from the reference by ${gap} at most`,
    },
    ...others.map(({ engine, ms, loadMs }) => ({
      bench: 'lattice',
      case: step(engine),
      value: ms,
      unit: 'ms',
      note: `loaded in ${loadMs.toFixed(0)} ms`,
    })),
  ]
}

function largestGap(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, row) => Math.max(largest, Math.abs(value - b[row]!)), 0)
}

/** Lengths fall as 1 / rank, columns crowd at the front, as characters do in text. */
function skewedMatrix(seed: number): Csr {
  let word = seed
  const next = (): number => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    return (word + 0.5) / 2 ** 32
  }
  const { rows, longest } = SKEWED
  const ptr = new Uint32Array(rows + 1)
  const cols: number[] = []
  for (let row = 0; row < rows; row++) {
    const wanted = Math.min(longest, 400_000 / (row + 40))
    const chosen = new Set<number>()
    for (let edge = 0; edge < wanted; edge++) chosen.add(Math.floor(rows * next() ** 2.5))
    for (const column of [...chosen].sort((a, b) => a - b)) cols.push(column)
    ptr[row + 1] = cols.length
  }
  return { rows, ptr, cols: Uint32Array.from(cols), vals: Float32Array.from(cols, () => Math.fround(next())) }
}

/** Whether the C engine is built here. */
function hasNative(): boolean {
  try {
    return nativeStepPaths().length > 0
  } catch {
    return false
  }
}
