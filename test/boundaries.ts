/** Reads a package's sources and says where they break the layering: the laws that `test/boundaries.test.ts` holds the tree to. */
import { builtinModules } from 'node:module'
import { dirname, join, normalize } from 'node:path/posix'
import { parseAst } from 'vitest/node'

/** A source file of one package; `path` is relative to the package's folder, with forward slashes. */
export interface SourceFile {
  readonly package: string
  readonly path: string
  readonly text: string
}

/** Short names of our packages. */
export type PackageName = keyof typeof ALLOWED

/**
 * Which of our packages each may import. The pure ones know only what lies below them; the edges (mesh, store, compute) never know
 * one another; the daemon wires them; the command line speaks to a running daemon and borrows its formats and the engines.
 */
export const ALLOWED = {
  color: [],
  hllset: [],
  lattice: ['hllset'],
  consensus: ['color', 'hllset', 'lattice'],
  wire: ['color', 'consensus', 'hllset', 'lattice'],
  interop: ['color', 'consensus', 'hllset', 'lattice', 'wire'],
  mesh: ['color', 'consensus', 'hllset', 'lattice', 'wire'],
  store: ['color', 'consensus', 'hllset', 'lattice', 'wire'],
  compute: ['color', 'consensus', 'hllset', 'lattice', 'wire'],
  daemon: ['color', 'compute', 'consensus', 'hllset', 'interop', 'lattice', 'mesh', 'store', 'wire'],
  cli: ['color', 'compute', 'consensus', 'daemon', 'hllset', 'interop', 'lattice', 'wire'],
} as const satisfies Record<string, readonly string[]>

/** Packages without files, sockets, clocks, timers, chance, console or environment. */
export const PURE: ReadonlySet<string> = new Set(['color', 'hllset', 'lattice', 'consensus', 'wire', 'interop'])

/** What a pure package may take from the registry: code that computes. */
const PURE_LIBRARIES: ReadonlySet<string> = new Set(['@noble/hashes', 'msgpackr', 'yaml'])

/** Globals through which time, chance and the outside world come in. */
const AMBIENT: ReadonlySet<string> = new Set([
  'Buffer',
  'Date',
  'Performance',
  'console',
  'crypto',
  'fetch',
  'globalThis',
  'navigator',
  'performance',
  'process',
  'queueMicrotask',
  'require',
  'setImmediate',
  'setInterval',
  'setTimeout',
])

const BUILTIN: ReadonlySet<string> = new Set(builtinModules)
const SCOPE = '@sgsd/'

/** Files beside the sources that are only ever run by tests, and are not built. */
export const TEST_FILE: RegExp = /\.(test|compliance|fixture)\.ts$/

/** One sentence per fault, none for a file that keeps the law. Tests beside the sources may use Node and the test tools, but keep the graph. */
export function faultsOf(file: SourceFile): readonly string[] {
  const tree: unknown = parseAst(file.text, { lang: 'ts' })
  const isTest = TEST_FILE.test(file.path)
  const pure = PURE.has(file.package) && !isTest
  const faults: string[] = []
  for (const specifier of specifiersOf(tree)) {
    const fault = importFault(file, specifier, pure)
    if (fault !== undefined) faults.push(`${file.package}/${file.path}: ${fault}`)
  }
  if (pure) for (const name of ambientUses(tree)) faults.push(`${file.package}/${file.path}: uses ${name}; take it as an argument`)
  return faults
}

/** Our package (short name) or registry package that a bare specifier names. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
}

/** Every module that the source names: static, re-export, dynamic with a literal, and `import('x').T` types. */
export function importsOf(text: string): readonly string[] {
  return [...specifiersOf(parseAst(text, { lang: 'ts' }))]
}

function importFault(file: SourceFile, specifier: string, pure: boolean): string | undefined {
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(file.path), specifier))
    // what ships ready-made is tested against the script that makes it
    if (file.path.endsWith('.test.ts') && target.startsWith('../../scripts/')) return undefined
    return target.startsWith('..') ? `imports ${specifier}, outside its own package` : undefined
  }
  if (specifier.startsWith('node:') || BUILTIN.has(specifier)) return pure ? `imports ${specifier}, but the package is pure` : undefined
  const name = packageOf(specifier)
  if (name.startsWith(SCOPE)) {
    const wanted = name.slice(SCOPE.length)
    const allowed: readonly string[] = ALLOWED[file.package as PackageName]
    return wanted === file.package || allowed.includes(wanted) ? undefined : `imports ${name}, which lies not below ${file.package}`
  }
  return pure && !PURE_LIBRARIES.has(name) ? `imports ${name}, but a pure package takes only ${[...PURE_LIBRARIES].join(', ')}` : undefined
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string }

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function* nodesOf(
  value: unknown,
  parent?: Node,
  key?: string,
): Generator<{ readonly node: Node; readonly parent: Node | undefined; readonly key: string | undefined }> {
  if (Array.isArray(value)) {
    for (const element of value) yield* nodesOf(element, parent, key)
  } else if (isNode(value)) {
    yield { node: value, parent, key }
    for (const [name, child] of Object.entries(value)) if (typeof child === 'object' && child !== null) yield* nodesOf(child, value, name)
  }
}

const IMPORTING: ReadonlySet<string> = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])

function* specifiersOf(tree: unknown): Generator<string> {
  for (const { node } of nodesOf(tree)) {
    if (!IMPORTING.has(node.type)) continue
    const source = node['source']
    if (isNode(source) && typeof source['value'] === 'string') yield source['value']
  }
}

/** Keys under which an identifier is a name and not a use of a variable. */
const NAMING_KEYS: ReadonlySet<string> = new Set(['property', 'key', 'label', 'imported', 'exported'])
/** Keys under which an identifier (or a pattern of them) declares a variable. */
const BINDING_KEYS: ReadonlySet<string> = new Set(['id', 'params', 'local', 'param'])

function ambientUses(tree: unknown): readonly string[] {
  const used = new Set<string>()
  const bound = new Set<string>()
  for (const { node, parent, key } of nodesOf(tree)) {
    if (node.type === 'MemberExpression' && memberName(node) === 'Math.random') used.add('Math.random')
    if (node.type !== 'Identifier' || typeof node['name'] !== 'string' || parent === undefined || key === undefined) continue
    if (BINDING_KEYS.has(key)) bound.add(node['name'])
    else if (!(NAMING_KEYS.has(key) && parent['computed'] !== true) && AMBIENT.has(node['name'])) used.add(node['name'])
  }
  return [...used].filter((name) => !bound.has(name))
}

function memberName(node: Node): string {
  const { object, property } = node
  return isNode(object) && isNode(property) ? `${String(object['name'])}.${String(property['name'])}` : ''
}
