// A step of every engine on the processor against the memory's own speed, scipy.sparse and the plain loops in C: over random columns and over the shipped lattice.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { NativeStepEngine } from '../packages/compute/src/lattice/native-step-engine.ts'
import { ReferenceStepEngine } from '../packages/compute/src/lattice/reference-step-engine.ts'
import { STABLE_PROFILE, type StepEngine, type SwarmProfile } from '../packages/compute/src/lattice/step-engine.ts'
import { WasmStepEngine } from '../packages/compute/src/lattice/wasm-step-engine.ts'
import { buildLattice, type Csr, type LatticeMatrices, rowScales, STABLE } from '../packages/lattice/src/index.ts'
import { type BenchRow, median } from './bench.ts'
import { readKernel } from './lattice-build.ts'
import { openMemorySpeed } from './memory-speed.ts'

export const RANDOM_ROWS = 80_000
export const RANDOM_EDGES = [10, 50, 200] as const

/** Counted rounds in which all take turns; the first is thrown away. */
const ROUNDS = 9

/** How long a measurement of the native engine is meant to take, ms. */
const MEASURE_MS = 40

/** Bytes of an entry of a matrix as one stores it first: a column and a weight. */
const ENTRY_BYTES = 8

/** Longest to wait for an answer of python, ms: it reads 260 MB at first. */
const PYTHON_DEADLINE_MS = 120_000

interface Case {
  readonly name: string
  readonly matrices: LatticeMatrices
}

/** ms of one step, and the sum of the state after so many of them from rest, where it is known. */
interface Timing {
  readonly ms: number
  readonly sum?: number
}

type Stepper = (steps: number) => Timing | Promise<Timing>

/** Ratios of `native` and `wasm` are to the memory's speed, those of the others say how many times as fast native is. */
export async function stepRows(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sgsd-bench-'))
  try {
    const rows: BenchRow[] = []
    for (const nnz of RANDOM_EDGES) {
      const name = `${RANDOM_ROWS} rows of ${nnz} random columns`
      rows.push(...(await caseRows(folder, { name, matrices: { tau: randomMatrix(RANDOM_ROWS, nnz, 1), rho: randomMatrix(RANDOM_ROWS, nnz, 2) } })))
    }
    rows.push(...(await caseRows(folder, { name: 'shipped lattice', matrices: buildLattice(readKernel()) })))
    return rows
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function caseRows(folder: string, { name, matrices }: Case): Promise<BenchRow[]> {
  const { rows } = matrices.tau
  const teacher = Float32Array.from({ length: rows }, (_, row) => ((row * 7) % 10 === 0 ? 1 : 0))
  const file = join(folder, 'lattice.bin')
  writeLattice(file, matrices, teacher)
  const { steppers, missing, close } = await openSteppers(folder, file, matrices, teacher)
  try {
    const first = await (steppers.get('native') ?? steppers.get('wasm'))!(1)
    const steps = Math.max(2, Math.min(60, Math.round(MEASURE_MS / first.ms)))
    const sums = new Map<string, number>()
    const taken = new Map<string, number[]>([...steppers.keys()].map((each) => [each, []]))
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [each, step] of steppers) {
        const { ms, sum } = await step(steps)
        if (sum !== undefined) sums.set(each, sum)
        if (round > 0) taken.get(each)!.push(ms)
      }
    }
    compareSums(sums)
    const ms = new Map([...taken].map(([each, values]) => [each, median(values)]))
    const edges = matrices.tau.cols.length + matrices.rho.cols.length
    return [
      ...ratioRows(name, ms, taken),
      ...missing.map((why) => ({ bench: 'lattice', case: name, value: 0, unit: 'ms', note: `skipped: ${why}` })),
    ].map((row, at) => (at === 0 ? { ...row, note: `${row.note ?? ''}; ${edges} edges` } : row))
  } finally {
    await close()
  }
}

function ratioRows(name: string, ms: ReadonlyMap<string, number>, taken: ReadonlyMap<string, readonly number[]>): BenchRow[] {
  const limit = ms.get('limit')
  const native = ms.get('native')
  return [...ms].map(([each, value]) => {
    const row = { bench: 'lattice', case: `step, ${name}: ${each}`, value, unit: 'ms' }
    const inLimit = limit === undefined ? undefined : limit / value
    if (each === 'limit') return { ...row, note: `reading ${ENTRY_BYTES} bytes an edge from memory` }
    if ((each === 'native' || each === 'wasm') && inLimit !== undefined) {
      const spread = quartiles(taken.get(each)!.map((one, at) => taken.get('limit')![at]! / one))
      const aim = each === 'native' && name !== 'shipped lattice' ? '; aim 0.55' : ''
      return { ...row, ratio: inLimit, note: `ratio: of the memory's speed, quartiles ${spread}${aim}` }
    }
    if (native === undefined) return row
    const spread = quartiles(taken.get(each)!.map((one, at) => one / taken.get('native')![at]!))
    return { ...row, ratio: value / native, note: `ratio: native is faster by, quartiles ${spread}${each === 'scipy' ? '; aim 1.7' : ''}` }
  })
}

function quartiles(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  return [0.25, 0.75].map((part) => sorted[Math.round(part * (sorted.length - 1))]!.toFixed(2)).join(' to ')
}

/** After the same number of steps from rest all have the same state; scipy within binary32 rounding. */
function compareSums(sums: ReadonlyMap<string, number>): void {
  const expected = sums.get('wasm')!
  for (const [each, sum] of sums) {
    if (!(Math.abs(sum - expected) <= 1e-5 * expected)) throw new Error(`the state of ${each} sums to ${sum}, that of wasm to ${expected}`)
  }
}

/** What can be timed here, in the order of their turns, and why the rest cannot. */
async function openSteppers(
  folder: string,
  file: string,
  matrices: LatticeMatrices,
  teacher: Float32Array,
): Promise<{ steppers: Map<string, Stepper>; missing: string[]; close: () => Promise<void> }> {
  const steppers = new Map<string, Stepper>()
  const missing: string[] = []
  const add = (name: string, stepper: Stepper | string): void => {
    if (typeof stepper === 'string') missing.push(`${name}: ${stepper}`)
    else steppers.set(name, stepper)
  }
  const edges = matrices.tau.cols.length + matrices.rho.cols.length
  add('limit', openLimit(edges))
  for (const [name, open] of ENGINES) add(name, await openEngine(open, matrices, teacher))
  add('C', openC(folder, file))
  const python = await openPython(file)
  add('scipy', typeof python === 'string' ? python : (steps) => python.step(steps))
  return { steppers, missing, close: async () => (typeof python === 'string' ? undefined : await python.close()) }
}

const ENGINES: readonly (readonly [string, (profile: SwarmProfile) => StepEngine])[] = [
  ['native', (profile) => new NativeStepEngine(profile)],
  ['wasm', (profile) => WasmStepEngine.open(profile)],
  ['reference', (profile) => new ReferenceStepEngine(profile)],
]

async function openEngine(open: (profile: SwarmProfile) => StepEngine, matrices: LatticeMatrices, teacher: Float32Array): Promise<Stepper | string> {
  const profile = { ...STABLE_PROFILE, tolerance: 0, maxSteps: 1 }
  try {
    const engine = open(profile)
    await engine.load(matrices)
    const rest = new Float32Array(teacher.length)
    return async (steps) => {
      // engines read their profile at each call
      profile.maxSteps = steps
      const before = process.cpuUsage()
      const { state } = await engine.converge(rest, teacher)
      return { ms: processorMs(before) / steps, sum: state.reduce((a, b) => a + b, 0) }
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Processor time, ms, so that other processes' slices do not count. */
function processorMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e3
}

/** Reads as many bytes as the entries have, from memory. */
function openLimit(edges: number): Stepper | string {
  const speed = openMemorySpeed()
  return typeof speed === 'string' ? speed : () => ({ ms: speed(edges * ENTRY_BYTES) })
}

function openC(folder: string, file: string): Stepper | string {
  const program = join(folder, 'lattice-step')
  const source = join(import.meta.dirname, 'lattice-step.c')
  if (spawnSync('cc', ['-O3', '-march=native', '-o', program, source]).status !== 0) return 'no C compiler (cc) on this machine'
  return (steps) => timingOf(spawnSync(program, [file, String(steps)], { encoding: 'utf8' }).stdout)
}

/** `MS SUM …`, as the programs of this directory print it. */
function timingOf(line: string): Timing {
  const [ms = Number.NaN, sum = Number.NaN] = line.split(' ').map(Number)
  return { ms, sum }
}

class Python {
  readonly #child: ChildProcess
  readonly #lines: Interface

  constructor(file: string) {
    // one thread, as everything else here
    const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' }
    this.#child = spawn('python3', [join(import.meta.dirname, 'lattice-scipy.py'), file], { stdio: ['pipe', 'pipe', 'inherit'], env })
    this.#lines = createInterface({ input: this.#child.stdout! })
  }

  async step(steps: number): Promise<Timing> {
    const answer = once(this.#lines, 'line', { signal: AbortSignal.timeout(PYTHON_DEADLINE_MS) })
    this.#child.stdin!.write(`${steps}\n`)
    const [line] = (await answer) as [string]
    return timingOf(line)
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'close', { signal: AbortSignal.timeout(PYTHON_DEADLINE_MS) })
    this.#child.stdin!.end()
    await gone
  }
}

async function openPython(file: string): Promise<Python | string> {
  if (spawnSync('python3', ['-c', 'import scipy.sparse']).status !== 0) return 'python3 has none'
  const python = new Python(file)
  await python.step(1)
  return python
}

function writeLattice(file: string, matrices: LatticeMatrices, teacher: Float32Array): void {
  const { tau, rho } = matrices
  const scales = rowScales(matrices)
  const sections = [
    Uint32Array.of(tau.rows, tau.cols.length, rho.cols.length, 0),
    Float64Array.of(1 - STABLE.lambda),
    scales.tau,
    scales.rho,
    Float64Array.from(teacher, (value) => STABLE.gamma * value),
    ...[tau, rho].flatMap(({ ptr, cols, vals }) => [ptr, cols, vals]),
  ]
  writeFileSync(file, Buffer.concat(sections.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength))))
}

/** Rows of that many columns, spread as if drawn without replacement and sorted: by gaps of an exponential distribution. */
export function randomMatrix(rows: number, edges: number, seed: number): Csr {
  let word = seed
  const next = (): number => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    return (word + 0.5) / 2 ** 32
  }
  const cols = new Uint32Array(rows * edges)
  const gaps = new Float64Array(edges + 1)
  for (let row = 0; row < rows; row++) {
    let total = 0
    for (let at = 0; at <= edges; at++) gaps[at] = total -= Math.log(next())
    for (let at = 0; at < edges; at++) cols[row * edges + at] = at + Math.floor((gaps[at]! / total) * (rows - edges))
  }
  return {
    rows,
    ptr: Uint32Array.from({ length: rows + 1 }, (_, row) => row * edges),
    cols,
    vals: Float32Array.from(cols, () => Math.fround(next())),
  }
}
