/** `npm run bench [-- NAME ...] [--json] [--provider onnx:cuda]`: runs every bench of this directory, or the named ones. */
import { readdirSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Bench, BenchRow } from './bench.ts'

const { values: options, positionals: wanted } = parseArgs({
  options: { json: { type: 'boolean', default: false }, provider: { type: 'string' } },
  allowPositionals: true,
})
const benches = await discover()
const unknown = wanted.filter((name) => !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  process.stderr.write(`bench: there is no ${unknown.join(', ')}; there is ${benches.map(({ name }) => name).join(', ')}\n`)
  process.exitCode = 2
} else {
  try {
    await runAll(benches.filter(({ name }) => wanted.length === 0 || wanted.includes(name)))
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}

async function discover(): Promise<Bench[]> {
  const found: Bench[] = []
  for (const file of readdirSync(import.meta.dirname).sort()) {
    if (!file.endsWith('.ts') || file.endsWith('.d.ts') || file === 'run.ts' || file === 'bench.ts') continue
    const module = (await import(new URL(file, import.meta.url).href)) as { readonly bench?: Bench }
    if (module.bench !== undefined) found.push(module.bench)
  }
  return found
}

async function runAll(benches: readonly Bench[]): Promise<void> {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  }
  if (!options.json) process.stdout.write(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.platform}\n`)
  const rows: BenchRow[] = []
  for (const bench of benches) {
    const own = await bench.run(options.provider === undefined ? {} : { provider: options.provider })
    rows.push(...own)
    if (!options.json) process.stdout.write(table(bench.name, own))
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ schema: 'sgsd.bench-rows/1', machine, rows })}\n`)
}

function table(name: string, rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [
    row.case,
    `${digits(row.value)} ${row.unit}`,
    row.ratio === undefined ? '' : `${row.ratio.toFixed(2)} ×`,
    row.note ?? '',
  ])
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((cell) => cell[column]?.length ?? 0)))
  const line = (cell: readonly string[]): string =>
    `  ${cell.map((text, column) => (column === 0 || column === 3 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0))).join('  ')}`.trimEnd()
  return `\n${name}\n${cells.map(line).join('\n')}\n`
}

/** Three significant digits or more, never an exponent. */
function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
