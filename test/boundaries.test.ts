import { describe, expect, test } from 'vitest'
import { ALLOWED, faultsOf, importsOf, packageOf, type SourceFile, TEST_FILE } from './boundaries.ts'
import { ROOT, textOf, trackedFiles } from './repository.ts'

/** Past this, a file holds a second concept. */
const MAX_LINES = 400
/** The whole tree's sources are parsed. */
const TREE_TIMEOUT_MS = 60_000

const tracked = trackedFiles()
const sources: readonly SourceFile[] = tracked.flatMap((path) => {
  const [, name, rest] = /^packages\/([^/]+)\/(src\/.*\.ts)$/.exec(path) ?? []
  const text = name === undefined ? undefined : textOf(path)
  return name === undefined || rest === undefined || text === undefined ? [] : [{ package: name, path: rest, text }]
})

interface Manifest {
  readonly name: string
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
}

function manifestOf(name: string): Manifest {
  return JSON.parse(textOf(`packages/${name}/package.json`) ?? '{}') as Manifest
}

function source(pkg: string, text: string, path = 'src/probe.ts'): SourceFile {
  return { package: pkg, path, text }
}

describe('the tree', () => {
  test('every package has its place in the graph', () => {
    const names = new Set(tracked.flatMap((path) => /^packages\/([^/]+)\/package\.json$/.exec(path)?.[1] ?? []))
    expect([...names].toSorted()).toEqual(Object.keys(ALLOWED).toSorted())
    expect(new Set(sources.map((file) => file.package))).toEqual(names)
  })

  test('the graph has no cycle and the edges do not know one another', () => {
    for (const [name, below] of Object.entries(ALLOWED)) {
      for (const lower of below) {
        expect(ALLOWED[lower], `${lower} must not import ${name}`).not.toContain(name)
        expect(below, `${name} may import all that ${lower} may`).toEqual(expect.arrayContaining(name === 'cli' ? [] : [...ALLOWED[lower]]))
      }
    }
    const edges = ['mesh', 'store', 'compute'] as const
    for (const edge of edges) expect(ALLOWED[edge].filter((name) => (edges as readonly string[]).includes(name))).toEqual([])
  })

  test('sources import only what lies below them, and pure packages stay pure', { timeout: TREE_TIMEOUT_MS }, () => {
    expect(sources.flatMap(faultsOf)).toEqual([])
  })

  test('each package declares what it imports, and declares no workspace package that it may not', { timeout: TREE_TIMEOUT_MS }, () => {
    const faults: string[] = []
    for (const [name, below] of Object.entries(ALLOWED)) {
      const manifest = manifestOf(name)
      const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }))
      const allowed = new Set<string>(below.map((lower) => `@sgsd/${lower}`))
      for (const dependency of declared)
        if (dependency.startsWith('@sgsd/') && !allowed.has(dependency)) faults.push(`${name} declares ${dependency}`)
      for (const file of sources.filter((each) => each.package === name && !TEST_FILE.test(each.path))) {
        for (const specifier of importsOf(file.text)) {
          const wanted = packageOf(specifier)
          if (specifier.startsWith('.') || specifier.startsWith('node:') || wanted === manifest.name || declared.has(wanted)) continue
          faults.push(`${name}/${file.path} imports ${wanted}, which its package.json does not name`)
        }
      }
    }
    expect(faults).toEqual([])
  })

  test(`no source is longer than ${MAX_LINES} lines`, () => {
    const long = tracked
      .filter((path) => /^(packages\/[^/]+\/src|test|scripts|bench)\/.*\.(ts|mjs)$/.test(path) && !path.endsWith('.generated.ts'))
      .flatMap((path) => ((textOf(path)?.split('\n').length ?? 0) > MAX_LINES ? [path] : []))
    expect(long).toEqual([])
  })

  test('no tracked file names a folder of the machine it was written on, or a host that packages came from', () => {
    const faults = tracked.flatMap((path) => {
      const text = textOf(path)
      return text === undefined ? [] : privatePathsIn(text, path === 'pnpm-lock.yaml').map((found) => `${path}: ${found}`)
    })
    expect(faults).toEqual([])
  })
})

/** Home and build folders, this checkout's own path, and (in a lockfile) any URL but the public registry's. */
function privatePathsIn(text: string, isLockfile = false): readonly string[] {
  const found = text.match(/(?<![\w.:~-])\/(?:home|Users|root|work|workspace|builds)\/[\w.-]+/g) ?? []
  const own = ROOT.length > 4 && text.includes(ROOT) ? [ROOT] : []
  const hosts = isLockfile ? (text.match(/https?:\/\/(?!registry\.npmjs\.org\/)[\w.:-]+/g) ?? []) : []
  return [...found, ...own, ...hosts]
}

describe('the checker itself', () => {
  test.each([
    ['a pure package that reads a file', source('color', `import { readFileSync } from 'node:fs'\nexport const x = readFileSync`), 'node:fs'],
    ['the same without the prefix', source('wire', `export { join } from 'path'`), 'path'],
    ['a type from Node', source('hllset', `export type S = import('node:fs').Stats`), 'node:fs'],
    ['a clock', source('consensus', 'export const now = (): number => Date.now()'), 'Date'],
    ['chance', source('lattice', 'export const r = (): number => Math.random()'), 'Math.random'],
    ['a timer', source('wire', 'export function f(): void { setTimeout(() => {}, 1) }'), 'setTimeout'],
    ['the environment', source('consensus', `export const debug = process.env['DEBUG']`), 'process'],
    ['console', source('color', `console.log('x')`), 'console'],
    ['an upward import', source('hllset', `import { x } from '@sgsd/lattice'`), '@sgsd/lattice'],
    ['one edge that knows another', source('mesh', `import type { Store } from '@sgsd/store'`), '@sgsd/store'],
    ['the same in a test beside it', source('store', `import { openMesh } from '@sgsd/mesh'`, 'src/store.test.ts'), '@sgsd/mesh'],
    ['a dynamic import', source('compute', `export const load = () => import('@sgsd/mesh')`), '@sgsd/mesh'],
    ['a way round the package names', source('wire', `export { x } from '../../store/src/x.ts'`), 'outside'],
    ['a library with I/O', source('consensus', `import pino from 'pino'`), 'pino'],
  ])('finds %s', (_, file, word) => {
    const faults = faultsOf(file)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(word)
  })

  test.each([
    ['hashes', source('wire', `import { sha256 } from '@noble/hashes/sha2.js'\nexport const h = sha256`)],
    [
      'what lies below',
      source('daemon', `import { openMesh } from '@sgsd/mesh'\nimport { readFile } from 'node:fs/promises'\nexport { openMesh, readFile }`),
    ],
    ['a field of that name', source('color', 'export const f = (p: { process: number; performance: number }): number => p.process + p.performance')],
    ['a parameter of that name', source('color', 'export const f = (fetch: () => number): number => fetch()')],
    ['a test that reads a file', source('color', `import { readFileSync } from 'node:fs'\nreadFileSync('x')`, 'src/color.test.ts')],
    ['a neighbour', source('color', `export { x } from './x.ts'`)],
  ])('lets %s be', (_, file) => {
    expect(faultsOf(file)).toEqual([])
  })

  test('finds private paths and hosts, and lets public ones be', () => {
    const slash = '/'
    expect(privatePathsIn(`see ${slash}home/ada/notes`)).toEqual([`${slash}home/ada`])
    expect(privatePathsIn(`'${slash}Users/ada'`)).toHaveLength(1)
    expect(privatePathsIn(`${ROOT}/packages`).length).toBeGreaterThan(0)
    expect(privatePathsIn('tarball: https://packages.example.org/x.tgz', true)).toHaveLength(1)
    expect(privatePathsIn('tarball: https://registry.npmjs.org/x.tgz\n/var/lib/sgsd /usr/bin /etc', true)).toEqual([])
  })
})
