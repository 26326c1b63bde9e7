// Builds packages/hllset/src/tokens/word-table.generated.ts from the Unicode character data of Debian's `unicode-data` package.
//
//   node scripts/build-word-table.ts [--from DIR]            write the table
//   node scripts/build-word-table.ts --check [--from DIR]    exit 1 unless the table in the tree is what these sources give, byte for byte
//
// Regular expressions such as \p{L} follow the Unicode version of the engine that runs them; a set that travels must not. Hence a table of one version.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** Where Debian installs the files. */
const UNICODE_DIR = '/usr/share/unicode'

/** Version of the files that the table in the tree was built from. */
export const UNICODE_VERSION = '15.0.0'

const TABLE_PATH: string = fileURLToPath(new URL('../packages/hllset/src/tokens/word-table.generated.ts', import.meta.url))

/** ZERO WIDTH NON-JOINER and JOINER: format characters that stand inside words of Persian and of the scripts of India. */
const JOINERS: readonly number[] = [0x200c, 0x200d]

/** Line break class of scripts that put no space between words (Thai, Lao, Khmer, Myanmar and others). */
const COMPLEX_CONTEXT = 'SA'

/** Scripts whose letters stand for themselves, beside everything Ideographic. */
const ALONE_SCRIPTS: ReadonlySet<string> = new Set(['Han', 'Hiragana'])

/** @returns the source of the table */
export function buildWordTable(dir: string): string {
  const alone = new Set<number>()
  for (const [codePoint, value] of propertyOf(dir, 'PropList.txt')) if (value === 'Ideographic') alone.add(codePoint)
  for (const [codePoint, value] of propertyOf(dir, 'Scripts.txt')) if (ALONE_SCRIPTS.has(value)) alone.add(codePoint)
  for (const [codePoint, value] of propertyOf(dir, 'LineBreak.txt')) if (value === COMPLEX_CONTEXT) alone.add(codePoint)
  const ranges: string[] = []
  let open: { kind: string; first: number; last: number } | undefined
  let end = 0
  const close = (): void => {
    if (open === undefined) return
    const length = open.last - open.first + 1
    ranges.push(`${open.kind}${(open.first - end).toString(36)}${length === 1 ? '' : `.${length.toString(36)}`}`)
    end = open.last + 1
    open = undefined
  }
  for (const [codePoint, category] of categoriesOf(dir)) {
    const kind = kindOf(codePoint, category, alone)
    if (open !== undefined && (kind !== open.kind || codePoint !== open.last + 1)) close()
    if (kind !== undefined) open = { kind, first: open?.first ?? codePoint, last: codePoint }
  }
  close()
  return `// Unicode ${UNICODE_VERSION}, by scripts/build-word-table.ts; char-class.ts says what it holds. © Unicode, Inc.: docs/notices.
export const WORD_TABLE = '${ranges.join(' ')}'
`
}

/** Version of the Unicode files in a directory, such as 15.0.0, or undefined when there are none that can be read. */
export function unicodeVersion(dir: string): string | undefined {
  try {
    return /^# PropList-(\S+)\.txt/m.exec(readFileSync(join(dir, 'PropList.txt'), 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

/** Whether the table in the tree is what `dir` gives. */
export function checkWordTable(dir: string = UNICODE_DIR): boolean {
  return readFileSync(TABLE_PATH, 'utf8') === buildWordTable(dir)
}

function kindOf(codePoint: number, category: string, alone: ReadonlySet<number>): string | undefined {
  if (category.startsWith('M') || JOINERS.includes(codePoint)) return 'e'
  if (/^(L.|N.|Pc)$/.test(category)) return alone.has(codePoint) ? 'a' : 'w'
  return undefined
}

/** General categories by code point, ascending. */
function* categoriesOf(dir: string): Generator<readonly [codePoint: number, category: string]> {
  let first: number | undefined
  for (const line of readFileSync(join(dir, 'UnicodeData.txt'), 'utf8').split('\n')) {
    const [code, name, category] = line.split(';')
    if (category === undefined) continue
    const codePoint = Number.parseInt(code!, 16)
    if (name!.endsWith(', First>')) first = codePoint
    else {
      for (let at = first ?? codePoint; at <= codePoint; at++) yield [at, category]
      first = undefined
    }
  }
}

/** Lines such as `3400..4DBF ; Ideographic # Lo`, code point by code point. */
function* propertyOf(dir: string, file: string): Generator<readonly [codePoint: number, value: string]> {
  for (const [, first, last, value] of readFileSync(join(dir, file), 'utf8').matchAll(/^([0-9A-F]+)(?:\.\.([0-9A-F]+))?\s*;\s*(\w+)/gm)) {
    for (let at = Number.parseInt(first!, 16); at <= Number.parseInt(last ?? first!, 16); at++) yield [at, value!]
  }
}

function main(): void {
  const { values } = parseArgs({ options: { from: { type: 'string', default: UNICODE_DIR }, check: { type: 'boolean' } } })
  const version = unicodeVersion(values.from)
  if (version !== UNICODE_VERSION)
    throw new Error(`${values.from}: Unicode ${version ?? 'unreadable (apt-get install unicode-data)'}; the table is made from ${UNICODE_VERSION}`)
  if (values.check) {
    const same = checkWordTable(values.from)
    process.stdout.write(`word table: ${same ? 'byte-identical' : 'DIFFERS'}\n`)
    process.exitCode = same ? 0 : 1
    return
  }
  writeFileSync(TABLE_PATH, buildWordTable(values.from))
}

if (import.meta.main) main()
