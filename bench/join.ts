// Exact joins of sets by coverage and exclusion: 80,000 sets of about 30 tokens, and sketches of them, on every engine; and the lattice of all characters with both gates.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { idSetsOfSketches } from '../packages/compute/src/join/id-sets.ts'
import { joinOn } from '../packages/compute/src/join/join-run.ts'
import type { JoinKernel } from '../packages/compute/src/join/kernel.ts'
import { joinPaths, loadNativeKernel } from '../packages/compute/src/join/native-kernel.ts'
import type { IdSets, PairGate, SetPairs } from '../packages/compute/src/join/port.ts'
import { loadReferenceKernel } from '../packages/compute/src/join/reference-kernel.ts'
import { syntheticSets } from '../packages/compute/src/join/synthetic.fixture.ts'
import { loadWasmKernel } from '../packages/compute/src/join/wasm-kernel.ts'
import { emptySet, type HllSet, addToken } from '../packages/hllset/src/index.ts'
import { buildLattice, GATES } from '../packages/lattice/src/index.ts'
import { type Bench, type BenchRow, median } from './bench.ts'
import { readKernel } from './lattice-build.ts'

/** Sets of the large collection; of the small one, on which the whole index can be counted. */
const SETS = 80_000
const FEW_SETS = 8_000

const ROUNDS = 3

/** The default gate of the lattice, ten pairs a set. */
const GATE: PairGate = { ...GATES.default, top: 10 }

/**
 * 20 to 40 tokens of 50,000 by Zipf's law; every twentieth set begins with three quarters of another. Σ of the squared frequencies is 2.3·10^10: so many steps does counting
 * the whole index take.
 */
const collection = (sets: number): IdSets => syntheticSets({ sets, vocabulary: 50_000, exponent: 1, sizes: [20, 40], kin: 0.05, seed: 1 })

export const bench: Bench = { name: 'join', run }

async function run(): Promise<BenchRow[]> {
  const kernels = [...nativeKernels(), loadWasmKernel()]
  const rows: BenchRow[] = []
  const few = collection(FEW_SETS)
  const known = joinOn(loadReferenceKernel(), few, GATE)
  const slow = processorSeconds(() => joinOn(loadReferenceKernel(), few, GATE))
  rows.push({ bench: 'join', case: '8,000 sets, reference (whole index)', value: slow, unit: 's' })
  for (const kernel of kernels) {
    checkSame(kernel, known, joinOn(kernel, few, GATE))
    const fast = median(Array.from({ length: ROUNDS }, () => processorSeconds(() => joinOn(kernel, few, GATE))))
    rows.push({
      bench: 'join',
      case: `8,000 sets, ${kernel.about}`,
      value: fast,
      unit: 's',
      ratio: slow / fast,
      note: 'ratio: speed over the reference',
    })
  }
  const ids = collection(SETS)
  rows.push(...largeRows('80,000 sets', ids, kernels))
  rows.push(...largeRows('80,000 HLLSets', idSetsOfSketches(sketches(ids)), kernels))
  for (const engine of ['native', 'wasm'] as const) {
    const { startRss, peakRss } = await inOwnProcess<MemoryReport>('memory', engine)
    rows.push({
      bench: 'join',
      case: `peak RSS over 80,000 sets, ${engine}`,
      value: peakRss / 1e6,
      unit: 'MB',
      note: `whole process; ${Math.round(startRss / 1e6)} MB with the sets, before the join`,
    })
  }
  for (const gate of ['default', 'published'] as const) {
    const { firstMs, bestMs, edges, peakRss } = await inOwnProcess<LatticeReport>('lattice', gate)
    const note = `best of ${ROUNDS} ${bestMs.toFixed(0)} ms, ${edges} edges, peak ${Math.round(peakRss / 1e6)} MB; aim 1,500 ms, 1,000 MB`
    rows.push({ bench: 'join', case: `22,903 characters, ${gate} gate, first build`, value: firstMs, unit: 'ms', note })
  }
  return rows
}

/** Planning included; the median of each engine in processor time of one thread, engines in turns. */
function largeRows(name: string, sets: IdSets, kernels: readonly JoinKernel[]): BenchRow[] {
  const taken = new Map<JoinKernel, number[]>(kernels.map((kernel) => [kernel, []]))
  let known: SetPairs | undefined
  for (let round = 0; round < ROUNDS; round++) {
    for (const kernel of kernels) {
      let found: SetPairs | undefined
      taken.get(kernel)?.push(processorSeconds(() => (found = joinOn(kernel, sets, GATE))))
      known ??= found
      checkSame(kernel, known!, found!)
    }
  }
  return kernels.map((kernel) => ({
    bench: 'join',
    case: `${name}, ${kernel.about}`,
    value: median(taken.get(kernel) ?? []),
    unit: 's',
    note: `${known!.cols.length} pairs; aim ${kernel.name === 'wasm' ? 15 : 3} s`,
  }))
}

function checkSame(kernel: JoinKernel, known: SetPairs, found: SetPairs): void {
  const same = (['ptr', 'cols', 'shared'] as const).every((part) => Buffer.from(known[part].buffer).equals(Buffer.from(found[part].buffer)))
  if (!same) throw new Error(`${kernel.about} finds other pairs`)
}

/** Every instruction set of the C engine; none where it is not built. */
function nativeKernels(): JoinKernel[] {
  try {
    return joinPaths().map((_, path) => loadNativeKernel(path))
  } catch {
    return []
  }
}

function* sketches({ ptr, ids }: IdSets): Generator<HllSet, void> {
  for (let row = 0; row + 1 < ptr.length; row++) {
    const set = emptySet()
    for (const id of ids.subarray(ptr[row], ptr[row + 1])) addToken(set, `token ${id}`)
    yield set
  }
}

/** Processor time of this thread, s: what other processes take meanwhile does not count. */
function processorSeconds(work: () => void): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1e6
}

interface MemoryReport {
  readonly startRss: number
  readonly peakRss: number
}

interface LatticeReport {
  readonly firstMs: number
  readonly bestMs: number
  readonly edges: number
  readonly peakRss: number
}

function reportMemory(engine: string): MemoryReport {
  const sets = collection(SETS)
  const startRss = process.memoryUsage().rss
  joinOn(engine === 'native' ? loadNativeKernel() : loadWasmKernel(), sets, GATE)
  return { startRss, peakRss: process.resourceUsage().maxRSS * 1_024 }
}

function reportLattice(name: 'default' | 'published'): LatticeReport {
  const kernel = readKernel()
  const times: number[] = []
  let edges = 0
  for (let round = 0; round < ROUNDS; round++) {
    times.push(1_000 * processorSeconds(() => (edges = buildLattice(kernel, GATES[name]).tau.cols.length)))
  }
  const [firstMs = Number.NaN] = times
  return { firstMs, bestMs: Math.min(...times), edges, peakRss: process.resourceUsage().maxRSS * 1_024 }
}

async function inOwnProcess<T>(what: string, which: string): Promise<T> {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), what, which], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (data: Buffer) => (text += data.toString()))
  const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(120_000) })) as [number | null]
  if (code !== 0) throw new Error(`the process for ${what} ${which} ended with ${code}`)
  return JSON.parse(text) as T
}

if (import.meta.main) {
  const [what, which = ''] = process.argv.slice(2)
  const report = what === 'memory' ? reportMemory(which) : reportLattice(which === 'published' ? 'published' : 'default')
  process.stdout.write(JSON.stringify(report))
}
