// Builds packages/lattice/data/hanzi.bin.zst from the Unihan files of Debian's `unicode-data` package (apt-get install unicode-data).
//
//   node scripts/build-hanzi.ts [--from DIR] [--out FILE]    write the table
//   node scripts/build-hanzi.ts --check [--from DIR]         exit 1 unless the shipped table is what these sources give, byte for byte
//
// The table's bytes depend on the sources alone; the zstd frame around them may differ between versions of zstd and is not compared.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { TABLE_HEADER_BYTES, TABLE_MAGIC } from '../packages/lattice/src/table-format.ts'

/** Where Debian installs the files. */
export const UNICODE_DIR = '/usr/share/unicode'

/** Version of the Unihan files that the shipped table was built from. */
export const UNIHAN_VERSION = '15.0.0'

/** The shipped table. */
export const TABLE_PATH: string = fileURLToPath(new URL('../packages/lattice/data/hanzi.bin.zst', import.meta.url))

interface Character {
  readonly codePoint: number
  readonly radical: number
  readonly strokes: number
  readonly definition: string
  readonly reading: string
}

/** @returns the uncompressed table, laid out as table-format.ts says */
export function buildHanziTable(dir: string): Buffer {
  const radicals = property(dir, 'Unihan_IRGSources', 'kRSUnicode')
  const strokes = property(dir, 'Unihan_IRGSources', 'kTotalStrokes')
  const definitions = property(dir, 'Unihan_Readings', 'kDefinition')
  const readings = property(dir, 'Unihan_Readings', 'kMandarin')
  const characters: Character[] = []
  for (const [codePoint, value] of radicals) {
    // "85.4", "120'.3" (simplified form), several values: the first is the one that orders the charts
    const radical = Number(/^\d+/.exec(value)?.[0])
    const strokeCount = Number(strokes.get(codePoint)?.split(' ')[0])
    if (!(radical >= 1 && radical <= 214) || !(strokeCount >= 1 && strokeCount <= 255))
      throw new Error(`U+${codePoint.toString(16)}: no radical or strokes`)
    characters.push({
      codePoint,
      radical,
      strokes: strokeCount,
      definition: definitions.get(codePoint) ?? '',
      reading: readings.get(codePoint)?.split(' ')[0] ?? '',
    })
  }
  const byCodePoint = (a: Character, b: Character) => a.codePoint - b.codePoint
  const defined = characters.filter((c) => c.definition !== '').sort(byCodePoint)
  const ordered = [...defined, ...characters.filter((c) => c.definition === '').sort(byCodePoint)]
  const gaps: number[] = []
  ordered.forEach((character, index) => {
    const previous = index === 0 || index === defined.length ? -1 : ordered[index - 1]!.codePoint
    pushVarint(gaps, character.codePoint - previous - 1)
  })
  const texts = Buffer.from(defined.map((c) => `${c.definition}\n`).join(''))
  const sounds = Buffer.from(ordered.map((c) => `${c.reading}\n`).join(''))
  const header = Buffer.alloc(TABLE_HEADER_BYTES)
  header.set(TABLE_MAGIC)
  for (const [slot, value] of [ordered.length, defined.length, gaps.length, texts.length, sounds.length].entries())
    header.writeUInt32LE(value, 8 + 4 * slot)
  return Buffer.concat([
    header,
    Uint8Array.from(gaps),
    Uint8Array.from(ordered, (c) => c.radical),
    Uint8Array.from(ordered, (c) => c.strokes),
    texts,
    sounds,
  ])
}

/** Version of the Unihan files in a directory, such as 15.0.0, or undefined when there are none that can be read. */
export function unihanVersion(dir: string): string | undefined {
  try {
    return /^# Unicode version: (\S+)/m.exec(readText(join(dir, 'Unihan_Readings.txt')))?.[1]
  } catch {
    return undefined
  }
}

/** @returns why the shipped table is not the one that `dir` gives, or undefined when it is */
export function checkHanziTable(dir: string): string | undefined {
  const built = buildHanziTable(dir)
  const shipped = zstdDecompressSync(readFileSync(TABLE_PATH))
  return built.equals(shipped) ? undefined : `${TABLE_PATH} has SHA-256 ${sha256(shipped)}; ${dir} gives ${sha256(built)}`
}

/** One Unihan property, code point → value, with the white space of the value made single spaces. */
function property(dir: string, file: string, name: string): Map<number, string> {
  const values = new Map<number, string>()
  for (const line of readText(join(dir, `${file}.txt`)).split('\n')) {
    const [codePoint, key, value] = line.split('\t')
    if (key === name && value) values.set(Number.parseInt(codePoint!.slice(2), 16), value.trim().replaceAll(/\s+/g, ' '))
  }
  if (values.size === 0) throw new Error(`${file}: no ${name}`)
  return values
}

function readText(path: string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8')
  const { status, stdout, error } = spawnSync('bzip2', ['-dc', `${path}.bz2`], { maxBuffer: 256 * 1024 * 1024 })
  if (status !== 0) throw new Error(`cannot read ${path}.bz2 (apt-get install unicode-data bzip2)`, { cause: error })
  return stdout.toString('utf8')
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
  bytes.push(rest)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function main(): void {
  const { values } = parseArgs({
    options: { from: { type: 'string', default: UNICODE_DIR }, out: { type: 'string', default: TABLE_PATH }, check: { type: 'boolean' } },
  })
  const version = unihanVersion(values.from)
  if (version !== UNIHAN_VERSION)
    throw new Error(
      `${values.from}: Unihan ${version ?? 'unreadable (apt-get install unicode-data bzip2)'}; the table is made from ${UNIHAN_VERSION}`,
    )
  if (values.check) {
    const difference = checkHanziTable(values.from)
    process.stdout.write(difference === undefined ? 'hanzi table: byte-identical\n' : `hanzi table: ${difference}\n`)
    process.exitCode = difference === undefined ? 0 : 1
    return
  }
  const table = buildHanziTable(values.from)
  const frame = zstdCompressSync(table, {
    params: { [constants.ZSTD_c_compressionLevel]: 22, [constants.ZSTD_c_windowLog]: 23, [constants.ZSTD_c_checksumFlag]: 1 },
    pledgedSrcSize: table.length,
  })
  writeFileSync(values.out, frame)
  process.stdout.write(`${values.out}: ${table.length} bytes, ${frame.length} compressed, SHA-256 ${sha256(table)}\n`)
}

if (import.meta.main) main()
