// Extracts the shipped texts from npm `chinese-poetry` (MIT; the texts themselves are in the public domain) into packages/lattice/data/corpus.
//
//   npm pack chinese-poetry@2.0.1 --pack-destination DIR && tar -xzf DIR/chinese-poetry-2.0.1.tgz -C DIR
//   node scripts/build-corpus.ts --from DIR/package            write the texts
//   node scripts/build-corpus.ts --check --from DIR/package    exit 1 unless the shipped texts are what the package gives, byte for byte
//
// UTF-8, one clause per line without punctuation; where a text consists of poems, a blank line stands between two of them.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** Where the texts are shipped. */
const CORPUS_DIR: string = fileURLToPath(new URL('../packages/lattice/data/corpus/', import.meta.url))

/** Poems of the Tang text, and how many of the package's files (1,000 poems each, in order of name) they are drawn from. */
const TANG_POEMS = 9_000
const TANG_FILES = 12

/** A poem is taken when at least this many of its clauses have 3 to 9 characters, and all others are left out of it. */
const LEAST_CLAUSES = 4

interface Poem {
  readonly id: string
  readonly paragraphs: readonly string[]
}

const CLAUSE_END = /[，。？！；,.?!;]/
/** Marks within a clause: pauses, colons, quotation marks, brackets of titles, spaces. */
const INNER_MARKS = /[、：:“”‘’"「」『』《》〈〉·\s]/g
const HAN_ONLY = /^\p{Script=Han}+$/u
const TAKEN_CLAUSE = /^.{3,9}$/u

const texts: Readonly<Record<string, (dir: string) => string>> = { 'qianziwen.txt': qianziwen, 'lunyu.txt': lunyu, 'tang.txt.zst': tang }

/** The Thousand Character Classic: 250 clauses of four characters, traditional forms. */
function qianziwen(dir: string): string {
  const { paragraphs } = readJson(dir, 'dist/mengxue/qianziwen.json') as { paragraphs: string[] }
  return asLines(paragraphs.flatMap(clausesOf))
}

/** The Analects, simplified forms; what introduces a speech (子曰) stays with its first clause. */
function lunyu(dir: string): string {
  const chapters = readJson(dir, 'dist/lunyu/lunyu.json') as { paragraphs: string[] }[]
  return asLines(chapters.flatMap((chapter) => chapter.paragraphs).flatMap(clausesOf))
}

/** Tang poems, traditional forms: of those without gaps or notes the ones with the least SHA-256 of their id, in the package's order. */
function tang(dir: string): string {
  const files = readdirSync(join(dir, 'dist/quantangshi'))
    .filter((name) => /^poet\.tang\.\d+\.json$/.test(name))
    .sort()
    .slice(0, TANG_FILES)
  const poems: { rank: string; text: string }[] = []
  const seen = new Set<string>()
  for (const poem of files.flatMap((name) => readJson(dir, `dist/quantangshi/${name}`) as Poem[])) {
    const clauses = poem.paragraphs.flatMap(clausesOf)
    const sound = clauses.filter((clause) => TAKEN_CLAUSE.test(clause))
    const text = asLines(sound)
    if (sound.length < LEAST_CLAUSES || !clauses.every((clause) => HAN_ONLY.test(clause)) || seen.has(text)) continue
    seen.add(text)
    poems.push({ rank: createHash('sha256').update(poem.id).digest('hex'), text })
  }
  const taken = new Set(
    poems
      .map((poem) => poem.rank)
      .sort()
      .slice(0, TANG_POEMS),
  )
  return poems
    .filter((poem) => taken.has(poem.rank))
    .map((poem) => poem.text)
    .join('\n')
}

function clausesOf(paragraph: string): string[] {
  return paragraph
    .split(CLAUSE_END)
    .map((clause) => clause.replaceAll(INNER_MARKS, ''))
    .filter((clause) => clause !== '')
}

function asLines(clauses: readonly string[]): string {
  return clauses.map((clause) => `${clause}\n`).join('')
}

function readJson(dir: string, path: string): unknown {
  return JSON.parse(readFileSync(join(dir, path), 'utf8'))
}

function pack(name: string, text: string): Buffer {
  const bytes = Buffer.from(text)
  return name.endsWith('.zst')
    ? zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 22 }, pledgedSrcSize: bytes.length })
    : bytes
}

function unpack(name: string): Buffer {
  const bytes = readFileSync(join(CORPUS_DIR, name))
  return name.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes
}

const { values } = parseArgs({ options: { from: { type: 'string' }, check: { type: 'boolean', default: false } } })
if (values.from === undefined) throw new Error('--from DIR: the unpacked chinese-poetry package')
for (const [name, extract] of Object.entries(texts)) {
  const text = extract(values.from)
  const same = values.check && Buffer.from(text).equals(unpack(name))
  if (!values.check) writeFileSync(join(CORPUS_DIR, name), pack(name, text))
  const lines = text.split('\n').filter((line) => line !== '').length
  const sha256 = createHash('sha256').update(text).digest('hex')
  process.stdout.write(
    `${name}: ${lines} clauses, ${Buffer.byteLength(text)} bytes, SHA-256 ${sha256}${values.check ? (same ? ', byte-identical' : ', DIFFERS') : ''}\n`,
  )
  if (values.check && !same) process.exitCode = 1
}
