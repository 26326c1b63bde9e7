import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import {
  buildLattice,
  CORPORA,
  type CorpusFile,
  HANZI_TABLE_FILE,
  type HanziKernel,
  type LatticeMatrices,
  MAX_TABLE_BYTES,
  parseHanziTable,
} from '@sgsd/lattice'

/** The shipped corpus is 1.5 MB. */
const MAX_CORPUS_BYTES = 16 * 1024 * 1024

const unzstd = promisify(zstdDecompress)

/** What an evaluation stands on; all of it ships. */
export interface Materials {
  readonly kernel: HanziKernel
  /** The kernel's own lattice. */
  readonly base: LatticeMatrices
  readonly corpus: CorpusFile
  /** Lines of the corpus, '' between poems. */
  readonly lines: readonly string[]
}

/** Reads the hanzi table and the 9,000 Tang poems, and builds the lattice. */
export async function readMaterials(): Promise<Materials> {
  const corpus = CORPORA.tang
  const table = parseHanziTable(await read(HANZI_TABLE_FILE, MAX_TABLE_BYTES))
  if ('error' in table) throw new Error(`the shipped hanzi table is damaged: ${table.error}`)
  const text = new TextDecoder().decode(await read(corpus.file, MAX_CORPUS_BYTES))
  return { kernel: table, base: buildLattice(table), corpus, lines: text.trimEnd().split('\n') }
}

async function read(file: string, maxOutputLength: number): Promise<Uint8Array> {
  return unzstd(await readFile(fileURLToPath(import.meta.resolve(file))), { maxOutputLength })
}
