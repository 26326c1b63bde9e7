// Compiles each C source NAME.c of packages/compute/native for this platform, when a C compiler is there, to
// packages/compute/native/build/PLATFORM-ARCH/NAME.node. Set-up runs it; by hand: `node scripts/run.mjs scripts/build-native.ts`.
// Exit status 0 also without a compiler: `NAME.missing.txt` beside it then says why, and sgsd repeats that. `--required` makes that a failure.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Longest that a compiler may take over one source, ms: it takes half a second here. */
const COMPILE_DEADLINE_MS = 60_000

/** In the order of trying; CC of the environment comes first. */
const COMPILERS = ['cc', 'gcc', 'clang']

const compute = join(dirname(import.meta.dirname), 'packages', 'compute')
const sources = join(compute, 'native')
const platform = `${process.platform}-${process.arch}`
const folder = join(sources, 'build', platform)

/**
 * No -march: the sources pick instruction sets at run time. The compiler's own vectorisation is off because the loops are in
 * vectors already, and gathering their scalars into vectors costs up to half the speed. No fused multiply-add: answers are the same on every machine.
 */
function flags(): string[] {
  const linking = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup', '-mmacosx-version-min=11.0'] : ['-shared', '-s']
  const loops = ['-fno-tree-vectorize', '-fno-tree-slp-vectorize', '-ffp-contract=off']
  return ['-std=c11', '-O3', ...loops, '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', ...linking]
}

/** @returns undefined when NAME.node is there, otherwise why it is not, one sentence without a full stop */
function build(name: string): string | undefined {
  if (process.platform === 'win32') return 'the C engines are not built on Windows; the wasm engines do their work'
  const own = process.env['CC']
  const part = join(folder, `.${name}.${process.pid}.part`)
  const source = join(sources, `${name}.c`)
  const headers = join(compute, 'node_modules', 'node-api-headers', 'include')
  for (const compiler of own ? [own, ...COMPILERS] : COMPILERS) {
    const done = spawnSync(compiler, [...flags(), '-I', headers, '-o', part, source], { encoding: 'utf8', timeout: COMPILE_DEADLINE_MS })
    if (done.error !== undefined && 'code' in done.error && done.error.code === 'ENOENT') continue
    if (done.status === 0) {
      // a daemon that has the old file open keeps it
      renameSync(part, join(folder, `${name}.node`))
      return undefined
    }
    rmSync(part, { force: true })
    const complaint = done.stderr?.split('\n').find((line) => line.includes('error')) ?? done.error?.message ?? `exit status ${done.status}`
    return `${compiler} could not compile it (${complaint.trim()}); mend that and run \`node scripts/run.mjs scripts/build-native.ts\``
  }
  return 'no C compiler when sgsd was set up; install gcc or clang and run set-up again'
}

mkdirSync(folder, { recursive: true })
const names = readdirSync(sources)
  .filter((file) => file.endsWith('.c'))
  .map((file) => file.slice(0, -'.c'.length))
  .sort()
const built: string[] = []
for (const name of names) {
  const why = build(name)
  const missing = join(folder, `${name}.missing.txt`)
  if (why === undefined) {
    rmSync(missing, { force: true })
    built.push(name)
    continue
  }
  // an engine of an older source would be wrong or slow without anybody knowing
  rmSync(join(folder, `${name}.node`), { force: true })
  writeFileSync(missing, `${why}\n`)
  if (process.argv.includes('--required')) {
    process.stderr.write(`sgsd: no C engine for ${name}: ${why}\n`)
    process.exitCode = 1
  }
}
if (built.length > 0) process.stderr.write(`sgsd: built the C engines (${built.join(', ')}) for ${platform}\n`)
