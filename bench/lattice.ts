// The lattice: how long W takes to build and in what memory, and how long a step takes in every engine on the processor; with --provider, on a GPU beside them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openLatticeCompute } from '../packages/compute/src/lattice/open-lattice-compute.ts'
import type { Bench, BenchOptions, BenchRow } from './bench.ts'
import { type BuildReport, BUILDS } from './lattice-build.ts'
import { providerRows } from './lattice-provider.ts'
import { stepRows } from './lattice-steps.ts'

export const bench: Bench = { name: 'lattice', run }

async function run({ provider }: BenchOptions): Promise<BenchRow[]> {
  if (provider !== undefined) return providerRows(provider)
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
  await using compute = await openLatticeCompute()
  const info = compute.info()
  const engine = info.providers.find((provider) => provider.state === 'active')?.provider ?? 'engine'
  rows.push({ bench: 'lattice', case: `stable step in the daemon's worker, ${engine}`, value: (1_000 * info.rows) / info.rowRate, unit: 'ms' })
  return [...rows, ...(await stepRows())]
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
