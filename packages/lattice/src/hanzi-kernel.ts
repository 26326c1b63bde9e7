/** The immutable table that the lattice stands on. Rows 0 … definedCount−1 are the defined characters (the lattice's rows) in code-point order. */
export interface HanziKernel {
  /** SHA-256 (hex) of the uncompressed table bytes: the lattice kernel id of a genesis. */
  readonly id: string
  /** Number of characters with an English definition: the order n of the lattice. */
  readonly definedCount: number
  /** Code points of every character: the defined ones first, then the others, each group ascending. */
  readonly codePoints: Uint32Array
  /** Kangxi radical 1 … 214 of every character. */
  readonly radicals: Uint8Array
  /** Total stroke count of every character. */
  readonly strokes: Uint8Array
  /** Row of a character in `codePoints`, or undefined when it is no hanzi of the table. */
  rowOf(character: string): number | undefined
  characterAt(row: number): string
  /** English definition, or '' for an undefined character. */
  definitionOf(row: number): string
  /** Mandarin reading in pinyin, or '' where none is known. */
  readingOf(row: number): string
  /** Prefixed tokens (`rad:85`, `str:4`, `d:water`), sorted and distinct. */
  tokensOf(row: number): readonly string[]
}

/** Number of defined characters of each radical: index 1 … 214, 0 unused; length 215. What radical shards are weighed by. */
export function radicalRows(kernel: HanziKernel): number[] {
  const rows = Array.from({ length: 215 }, () => 0)
  for (let row = 0; row < kernel.definedCount; row++) rows[kernel.radicals[row]!]!++
  return rows
}
