// The lattice: how long W takes to build and in what memory, and how long a step over the shipped lattice takes in JavaScript and in the engine that the daemon uses.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openLatticeCompute } from '../packages/compute/src/lattice/open-lattice-compute.ts'
import { buildLattice, cover, coverState, rowScales, STABLE, stepStable } from '../packages/lattice/src/index.ts'
import type { Bench, BenchRow } from './bench.ts'
import { type BuildReport, BUILDS, readKernel } from './lattice-build.ts'

const TEXT = '人工智能正在改变世界'
const STEPS = 200

export const bench: Bench = { name: 'lattice', run }

async function run(): Promise<BenchRow[]> {
  const build = await buildInOwnProcess()
  const rows: BenchRow[] = [
    { bench: 'lattice', case: 'parse the hanzi table', value: build.parseMs, unit: 'ms' },
    {
      bench: 'lattice',
      case: 'build W, first time',
      value: build.firstMs,
      unit: 'ms',
      note: `22,903 characters, ${build.edges} edges; aim 1,500 ms`,
    },
    { bench: 'lattice', case: `build W, best of ${BUILDS}`, value: build.bestMs, unit: 'ms' },
    {
      bench: 'lattice',
      case: 'peak RSS of a build',
      value: build.peakRss / 1e6,
      unit: 'MB',
      note: `whole process; ${Math.round(build.startRss / 1e6)} MB before; aim 1,000 MB`,
    },
  ]
  const reference = referenceStepMs()
  rows.push({ bench: 'lattice', case: 'stable step, JavaScript reference', value: reference, unit: 'ms' })
  await using compute = await openLatticeCompute()
  const info = compute.info()
  const engine = info.providers.find((provider) => provider.state === 'active')?.provider ?? 'engine'
  const stepMs = (1_000 * info.rows) / info.rowRate
  rows.push({
    bench: 'lattice',
    case: `stable step, ${engine}`,
    value: stepMs,
    unit: 'ms',
    ratio: reference / stepMs,
    note: 'ratio: speed over the reference',
  })
  return rows
}

/** Mean time of a step, over a state that has spread. */
function referenceStepMs(): number {
  const kernel = readKernel()
  const w = buildLattice(kernel)
  const scales = rowScales(w)
  const teacher = coverState(kernel, cover(kernel, TEXT).rows)
  let s = teacher.slice()
  let next = new Float32Array(s.length)
  const steps = (count: number): number => {
    const began = performance.now()
    for (let step = 0; step < count; step++) {
      stepStable(w, scales, s, teacher, STABLE, next)
      ;[s, next] = [next, s]
    }
    return (performance.now() - began) / count
  }
  steps(STEPS / 4)
  return steps(STEPS)
}

async function buildInOwnProcess(): Promise<BuildReport> {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL('lattice-build.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (data: Buffer) => (text += data.toString()))
  const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(60_000) })) as [number | null]
  if (code !== 0) throw new Error(`the build process ended with ${code}`)
  return JSON.parse(text) as BuildReport
}
