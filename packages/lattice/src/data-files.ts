// Files that this package ships, as import specifiers: `fileURLToPath(import.meta.resolve(HANZI_TABLE_FILE))`.

/** The hanzi table, one zstd frame; `parseHanziTable` takes what is inside. Unihan 15.0. */
export const HANZI_TABLE_FILE = '@sgsd/lattice/data/hanzi.bin.zst'

/** SHA-256 of the shipped table, uncompressed: its kernel id. */
export const HANZI_KERNEL_ID = '70dee50b81518e10544baccbe136a9c8f2c9410afce2415b2b6b6cb921cae6f3'
