/**
 * `npm test [-- --only check|unit] [VITEST-ARG ...]`: format, lint and type check, then the tests. Stops at the first step that fails.
 * The last line of a run that reached the tests is `N passed, N failed`, with `, N skipped` when some were.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { tallyLine, tallyOf } from './tally.ts'

interface CheckStep {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  /** What to do when it fails. */
  readonly mend: string
}

const root = dirname(import.meta.dirname)

const CHECKS: readonly CheckStep[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'], mend: '`npm run format` mends it' },
  { name: 'lint', command: ['oxlint', '--deny-warnings', '.'], mend: 'each finding above names its rule; the rules are in .oxlintrc.json' },
  { name: 'types', command: ['tsc', '--build', '--pretty', 'false'], mend: 'the errors are above' },
]

function run(command: readonly [string, ...string[]]): number {
  const [tool, ...args] = command
  // the tools' shims start `node`: the one that runs this file must come first
  const path = [dirname(process.execPath), join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter)
  const done = spawnSync(join(root, 'node_modules', '.bin', tool), args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: path },
  })
  if (done.error !== undefined) process.stderr.write(`test: cannot start ${tool}: ${done.error.message}\n`)
  return done.status ?? 1
}

/** @returns whether every check passed */
function check(): boolean {
  for (const step of CHECKS) {
    const started = performance.now()
    console.log(`test: ${step.name}: ${step.command.join(' ')}`)
    if (run(step.command) !== 0) {
      console.log(`test: ${step.name} failed: ${step.mend}`)
      return false
    }
    console.log(`test: ${step.name} ok, ${seconds(started)} s`)
  }
  return true
}

/** Runs vitest and prints the closing line. @returns exit status */
function unit(args: readonly string[]): number {
  const folder = mkdtempSync(join(tmpdir(), 'sgsd-test-'))
  try {
    const report = join(folder, 'report.json')
    const started = performance.now()
    console.log(`test: tests: vitest run${args.map((arg) => ` ${arg}`).join('')}`)
    const status = run(['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args])
    const tally = tallyOf(readReport(report), status)
    console.log(`test: tests ${tally.failed === 0 ? 'ok' : 'failed'}, ${seconds(started)} s`)
    console.log(tallyLine(tally))
    return tally.failed === 0 ? 0 : status || 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns undefined when vitest ended before it wrote a report */
function readReport(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}

const args = process.argv.slice(2)
let only: string | undefined
if (args[0] === '--only') {
  only = args[1]
  args.splice(0, 2)
  if (only !== 'check' && only !== 'unit') {
    process.stderr.write('test: usage: npm test -- [--only check|unit] [VITEST-ARG ...]\n')
    process.exit(2)
  }
}
if (only !== 'unit' && !check()) process.exit(1)
if (only !== 'check') process.exitCode = unit(args)
