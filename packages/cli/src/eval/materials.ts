import { buildLattice, CORPORA, type CorpusFile, type HanziKernel, type LatticeMatrices } from '@sgsd/lattice'
import { readHanziKernel, readShipped } from '../shipped-data.ts'

/** The shipped corpus is 1.5 MB. */
const MAX_CORPUS_BYTES = 16 * 1024 * 1024

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
  const table = await readHanziKernel()
  const text = new TextDecoder().decode(await readShipped(corpus.file, MAX_CORPUS_BYTES))
  return { kernel: table, base: buildLattice(table), corpus, lines: text.trimEnd().split('\n') }
}
