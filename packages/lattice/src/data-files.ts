// Files that this package ships, as import specifiers: `fileURLToPath(import.meta.resolve(HANZI_TABLE_FILE))`. Sources and licences: data/NOTICE.md.

/** The hanzi table, one zstd frame; `parseHanziTable` takes what is inside. Unihan 15.0. */
export const HANZI_TABLE_FILE = '@sgsd/lattice/data/hanzi.bin.zst'

/** SHA-256 of the shipped table, uncompressed: its kernel id. */
export const HANZI_KERNEL_ID = '70dee50b81518e10544baccbe136a9c8f2c9410afce2415b2b6b6cb921cae6f3'

/** Couplets of the Tang poems by topic, for measuring similarity; `parseSimilaritySet` reads it. */
export const SIMILARITY_FILE = '@sgsd/lattice/data/similarity.txt'

/** A text that ships: UTF-8, one clause per line; a blank line between two poems. */
export interface CorpusFile {
  /** Import specifier; a name ending in `.zst` is one zstd frame. */
  readonly file: string
  readonly title: string
  /** Lines with text. */
  readonly clauses: number
  /** Of the uncompressed text, 64 hex digits. */
  readonly sha256: string
}

/** Thousand Character Classic, Analects, and 9,000 Tang poems. */
export const CORPORA: { readonly qianziwen: CorpusFile; readonly lunyu: CorpusFile; readonly tang: CorpusFile } = {
  qianziwen: {
    file: '@sgsd/lattice/data/corpus/qianziwen.txt',
    title: '千字文',
    clauses: 250,
    sha256: '7286a28ebcf03c68490180afd08fd8e72756b8ec9d6446306e8dd3c312a05028',
  },
  lunyu: {
    file: '@sgsd/lattice/data/corpus/lunyu.txt',
    title: '论语',
    clauses: 2_995,
    sha256: '0b9f746f4778bbbe199933962693f98aa83993e1b1a0eee84e4c6a66675ec76a',
  },
  tang: {
    file: '@sgsd/lattice/data/corpus/tang.txt.zst',
    title: '全唐诗选',
    clauses: 89_043,
    sha256: '599d3ed32bcfea374d88d7b54e729f3891ceb4b1e6f48477b3f9e288ea855e67',
  },
}
