// What the lattice worker does: a step in wasm against the JavaScript reference and the same loops in C, a fold of three heads, a farmed line, an answer.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { blocksOf } from '../packages/compute/src/lattice/learned-blocks.ts'
import { openLatticeCompute } from '../packages/compute/src/lattice/open-lattice-compute.ts'
import type { LatticeCompute, LayerContent } from '../packages/compute/src/lattice/port.ts'
import { ReferenceStepEngine } from '../packages/compute/src/lattice/reference-step-engine.ts'
import { STABLE_PROFILE, type StepEngine } from '../packages/compute/src/lattice/step-engine.ts'
import { WasmStepEngine } from '../packages/compute/src/lattice/wasm-step-engine.ts'
import type { LayerId, PeerName } from '../packages/consensus/src/index.ts'
import { buildLattice, cover, coverState, type HanziKernel, type LatticeMatrices, rowAt, rowScales, STABLE } from '../packages/lattice/src/index.ts'
import { encodeRowBlock, encodeStateBlock } from '../packages/wire/src/index.ts'
import { type Bench, type BenchRow, type Measurement, median, medians } from './bench.ts'
import { readKernel } from './lattice-build.ts'

const TEXT = '人工智能正在改变世界'

/** Steps of one measurement of an engine, about 20 ms. */
const STEPS = 60

/** Rounds in which the engines take turns. */
const ROUNDS = 9

/** Lines that each of the three members farms before its layer is folded. */
const LINES = 150

const FOLDS = 7
const ASKS = 25

/** Kangxi radicals. */
const RADICALS = 214

export const bench: Bench = {
  name: 'fold',
  async run(): Promise<BenchRow[]> {
    const kernel = readKernel()
    const matrices = buildLattice(kernel)
    return [...(await stepRows(kernel, matrices)), ...(await workerRows(kernel, matrices))]
  },
}

async function stepRows(kernel: HanziKernel, matrices: LatticeMatrices): Promise<BenchRow[]> {
  const start = coverState(kernel, cover(kernel, TEXT).rows)
  const endless = { ...STABLE_PROFILE, tolerance: 0, maxSteps: STEPS }
  const wasm = WasmStepEngine.open(endless)
  const reference = new ReferenceStepEngine(endless)
  await wasm.load(matrices)
  await reference.load(matrices)
  const folder = mkdtempSync(join(tmpdir(), 'sgsd-bench-'))
  try {
    const c = compileC(folder, matrices, start)
    const measurements: Record<string, Measurement> = { wasm: stepMs(wasm, start), reference: stepMs(reference, start) }
    if (c !== undefined) {
      checkSum(c(), (await wasm.converge(start, start)).state)
      measurements['c'] = () => c().ms
    }
    const { wasm: wasmMs = Number.NaN, reference: referenceMs = Number.NaN, c: cMs } = await medians(measurements, ROUNDS)
    const row = (name: string, value: number, ratio?: number, note?: string): BenchRow => ({
      bench: 'fold',
      case: `lattice step, ${name}`,
      value,
      unit: 'ms',
      ...(ratio === undefined ? {} : { ratio }),
      ...(note === undefined ? {} : { note }),
    })
    return [
      row('wasm', wasmMs, referenceMs / wasmMs, `ratio: speed over the reference; ${matrices.tau.cols.length} edges in each matrix`),
      ...(cMs === undefined ? [] : [row('wasm against C', wasmMs, cMs / wasmMs, 'ratio: speed over C')]),
      row('JavaScript reference', referenceMs),
      ...(cMs === undefined ? [] : [row('C, -O3 -march=native', cMs, undefined, 'plain CSR loops, double sums')]),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Processor time of one step, so that a busy machine does not distort the ratios. */
function stepMs(engine: StepEngine, start: Float32Array): Measurement {
  return async () => {
    const before = process.cpuUsage()
    const { steps } = await engine.converge(start, start)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e3 / steps
  }
}

interface CAnswer {
  readonly ms: number
  readonly sum: number
}

/** @returns what runs the C program on this lattice, or undefined where there is no compiler */
function compileC(folder: string, matrices: LatticeMatrices, teacher: Float32Array): (() => CAnswer) | undefined {
  const program = join(folder, 'lattice-step')
  const source = join(import.meta.dirname, 'lattice-step.c')
  if (spawnSync('cc', ['-O3', '-march=native', '-o', program, source]).status !== 0) return undefined
  const file = join(folder, 'lattice.bin')
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
  return () => {
    const { stdout } = spawnSync(program, [file, String(STEPS)], { encoding: 'utf8' })
    const [ms = Number.NaN, sum = Number.NaN] = stdout.split(' ').map(Number)
    return { ms, sum }
  }
}

/** C starts from 0 instead of the cover and may fuse multiply and add: after 60 steps both rest at the same point. */
function checkSum({ sum }: CAnswer, state: Float32Array): void {
  const ours = state.reduce((a, b) => a + b, 0)
  if (!(Math.abs(sum - ours) < 1e-3)) throw new Error(`the C step sums to ${sum}, wasm to ${ours}`)
}

async function workerRows(kernel: HanziKernel, matrices: LatticeMatrices): Promise<BenchRow[]> {
  await using compute = await openLatticeCompute()
  const corpus = zstdDecompressSync(readFileSync(new URL('../packages/lattice/data/corpus/tang.txt.zst', import.meta.url)))
  const lines = corpus
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
  const layers: LayerContent[] = []
  const lineMs: number[] = []
  for (let member = 0; member < 3; member++) {
    await using farmer = await openLatticeCompute()
    await farmer.setOwned(radicalsOf(member))
    const began = performance.now()
    await farmer.farm(lines.slice(member * LINES, (member + 1) * LINES + 1))
    lineMs.push((performance.now() - began) / LINES)
    const { radicals, state } = await farmer.commit()
    layers.push({ layer: layerId(member), radicals, state })
  }
  const learned = await foldMs(compute, layers)
  const whole = await foldMs(
    compute,
    [0, 1, 2].map((member) => wholeLayer(kernel, matrices, member)),
  )
  const asks: number[] = []
  for (let i = 0; i < ASKS; i++) {
    const began = performance.now()
    await compute.ask(TEXT, 10)
    asks.push(performance.now() - began)
  }
  asks.sort((a, b) => a - b)
  const row = (name: string, value: number, note: string): BenchRow => ({ bench: 'fold', case: name, value, unit: 'ms', note })
  return [
    row('farm a line', median(lineMs), `three members with a third of the radicals each, ${LINES} lines`),
    row('fold of 3 heads', learned.ms, `${learned.rows} learned rows; digest and loading into the engine included`),
    row('fold of 3 heads that hold every row', whole.ms, `${whole.rows} rows, ${whole.nnz} edges`),
    row('ask, median', median(asks), 'through the worker thread'),
    row('ask, 95th percentile', asks[Math.floor(asks.length * 0.95)]!, ''),
  ]
}

async function foldMs(compute: LatticeCompute, layers: readonly LayerContent[]): Promise<{ ms: number; rows: number; nnz: number }> {
  for (const layer of layers) {
    const refusal = await compute.load(layer)
    if (refusal !== undefined) throw new Error(refusal)
  }
  const members = layers.map(({ layer }, member) => ({ peer: `member${member}` as PeerName, seq: 1n, layer, weight: 1 }))
  const times: number[] = []
  let report = await compute.fold(members)
  for (let i = 0; i < FOLDS; i++) {
    report = await compute.fold(members)
    times.push(report.ms)
  }
  return { ms: median(times), rows: report.rows, nnz: report.nnz }
}

/** A layer with every row of a third of the radicals, as the kernel has them. */
function wholeLayer(kernel: HanziKernel, matrices: LatticeMatrices, member: number): LayerContent {
  const wanted = new Set(radicalsOf(member))
  const rows = new Map(
    Array.from({ length: kernel.definedCount }, (_, row) => row)
      .filter((row) => wanted.has(kernel.radicals[row]!))
      .map((row) => [row, rowAt(matrices, row)] as const),
  )
  const radicals = blocksOf(rows, kernel.radicals).map((block) => ({ radical: block.radical, bytes: encodeRowBlock(block) }))
  return { layer: layerId(member + 3), radicals, state: encodeStateBlock(new Float32Array(kernel.definedCount)) }
}

function radicalsOf(member: number): number[] {
  return Array.from({ length: RADICALS }, (_, index) => index + 1).filter((radical) => radical % 3 === member)
}

function layerId(author: number): LayerId {
  return String(author).repeat(64) as LayerId
}
