import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** A checkout with nothing but the script and two sources, and a folder for compilers that is the whole PATH. */
let checkout: string
let built: string

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'sgsd-native-'))
  mkdirSync(join(checkout, 'scripts'))
  mkdirSync(join(checkout, 'bin'))
  cpSync(join(import.meta.dirname, '..', 'scripts', 'build-native.ts'), join(checkout, 'scripts', 'build-native.ts'))
  mkdirSync(join(checkout, 'packages', 'compute', 'native'), { recursive: true })
  for (const name of ['colour', 'join']) writeFileSync(join(checkout, 'packages', 'compute', 'native', `${name}.c`), '')
  built = join(checkout, 'packages', 'compute', 'native', 'build', `${process.platform}-${process.arch}`)
})

afterEach(() => rmSync(checkout, { recursive: true, force: true }))

/** A shell script that stands for a compiler; the shell is named, for PATH has none. */
function compiler(name: string, script: string): void {
  const file = join(checkout, 'bin', name)
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

/** Writes its own name to what follows -o. */
const COMPILES = 'while [ "$1" != -o ]; do shift; done; echo "$0" > "$2"'

function build(...args: string[]): { readonly status: number | null; readonly stderr: string } {
  return spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(checkout, 'scripts', 'build-native.ts'), ...args], {
    encoding: 'utf8',
    env: { PATH: join(checkout, 'bin') },
    timeout: 20_000,
  })
}

const why = (name = 'colour'): string => readFileSync(join(built, `${name}.missing.txt`), 'utf8').trim()

test('without a compiler it leaves the reason, and fails only when the engine is required', () => {
  expect(build()).toMatchObject({ status: 0, stderr: '' })
  expect(why()).toBe('no C compiler when sgsd was set up; install gcc or clang and run set-up again')
  expect(build('--required')).toMatchObject({ status: 1, stderr: `sgsd: no C engine for colour: ${why()}\nsgsd: no C engine for join: ${why()}\n` })
})

test('a compiler that comes later builds it, and takes the reason away', () => {
  build()
  compiler('clang', COMPILES)
  expect(build('--required').status).toBe(0)
  expect(readdirSync(built)).toEqual(['colour.node', 'join.node'])
  expect(readFileSync(join(built, 'colour.node'), 'utf8')).toMatch(/bin\/clang\n$/)
})

test('what one source needs and lacks does not keep the others from being built', () => {
  compiler('cc', `case "$*" in *colour.c*) echo 'colour.c:1: error: no such vector' >&2; exit 1;; esac; ${COMPILES}`)
  expect(build().stderr).toMatch(/^sgsd: built the C engines \(join\) for /)
  expect(readdirSync(built).sort()).toEqual(['colour.missing.txt', 'join.node'])
})

test('a compiler that fails is named with its complaint, and no engine of an older source stays', () => {
  compiler('cc', COMPILES)
  build()
  compiler('cc', 'echo "colour.c:1: error: no such vector" >&2; exit 1')
  expect(build().status).toBe(0)
  expect(why()).toBe('cc could not compile it (colour.c:1: error: no such vector); mend that and run `node scripts/run.mjs scripts/build-native.ts`')
  expect(existsSync(join(built, 'colour.node'))).toBe(false)
})
