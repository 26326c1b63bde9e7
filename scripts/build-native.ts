// Compiles packages/compute/native/colour.c for this platform, when a C compiler is there, to
// packages/compute/native/build/PLATFORM-ARCH/colour.node. Set-up runs it; by hand: `node scripts/run.mjs scripts/build-native.ts`.
// Exit status 0 also without a compiler: `missing.txt` beside it then says why, and sgsd repeats that. `--required` makes that a failure.
import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Longest that a compiler may take, ms: it takes half a second here. */
const COMPILE_DEADLINE_MS = 60_000

/** In the order of trying; CC of the environment comes first. */
const COMPILERS = ['cc', 'gcc', 'clang']

const compute = join(dirname(import.meta.dirname), 'packages', 'compute')
const platform = `${process.platform}-${process.arch}`
const folder = join(compute, 'native', 'build', platform)
const target = join(folder, 'colour.node')
const missing = join(folder, 'missing.txt')

/**
 * No -march: the source picks instruction sets at run time. The compiler's own vectorisation is off because the loops are in
 * vectors already, and gathering their scalars into vectors costs up to half the speed.
 */
function flags(): string[] {
  const linking = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup', '-mmacosx-version-min=11.0'] : ['-shared', '-s']
  return ['-std=c11', '-O3', '-fno-tree-vectorize', '-fno-tree-slp-vectorize', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', ...linking]
}

/** @returns undefined when colour.node is there, otherwise why it is not, one sentence without a full stop */
function build(): string | undefined {
  if (process.platform === 'win32') return 'the C engine is not built on Windows; the wasm engine does its work'
  const own = process.env['CC']
  const part = join(folder, `.colour.${process.pid}.part`)
  const source = join(compute, 'native', 'colour.c')
  const headers = join(compute, 'node_modules', 'node-api-headers', 'include')
  for (const compiler of own ? [own, ...COMPILERS] : COMPILERS) {
    const done = spawnSync(compiler, [...flags(), '-I', headers, '-o', part, source], { encoding: 'utf8', timeout: COMPILE_DEADLINE_MS })
    if (done.error !== undefined && 'code' in done.error && done.error.code === 'ENOENT') continue
    if (done.status === 0) {
      // a daemon that has the old file open keeps it
      renameSync(part, target)
      return undefined
    }
    rmSync(part, { force: true })
    const complaint = done.stderr?.split('\n').find((line) => line.includes('error')) ?? done.error?.message ?? `exit status ${done.status}`
    return `${compiler} could not compile it (${complaint.trim()}); mend that and run \`node scripts/run.mjs scripts/build-native.ts\``
  }
  return 'no C compiler when sgsd was set up; install gcc or clang and run set-up again'
}

mkdirSync(folder, { recursive: true })
const why = build()
if (why === undefined) {
  rmSync(missing, { force: true })
  process.stderr.write(`sgsd: built the C colour engine for ${platform}\n`)
} else {
  // an engine of an older source would be wrong or slow without anybody knowing
  rmSync(target, { force: true })
  writeFileSync(missing, `${why}\n`)
  if (process.argv.includes('--required')) {
    process.stderr.write(`sgsd: no C colour engine: ${why}\n`)
    process.exitCode = 1
  }
}
