import type { HanziKernel } from '../hanzi-kernel.ts'
import { lineRows, MAX_LINE_CHARACTERS } from './adjacent-lines.ts'
import { type EvidenceCounts, EVIDENCE_UNIT } from './counts.ts'

/**
 * What a character of a line is worth to one of the line 1, 2, 3 or 4 after it in the same document, in units of 1/256. What stands next to a line
 * says most of it; lines further on still say what the document is about. docs/learning.md has what each was worth
 */
const DISTANCE_WEIGHTS: readonly number[] = [EVIDENCE_UNIT, EVIDENCE_UNIT / 4, EVIDENCE_UNIT / 8, EVIDENCE_UNIT / 8]

/** What is added, once for two lines, for a pair that stands at one position of two adjacent lines of equal length: couplets answer place by place. */
const ALIGNED_WEIGHT: number = EVIDENCE_UNIT

/** Lines before a line that it is counted with: a caller that passes so many before its first counts the same, wherever it cuts a text. */
export const CONTEXT_LINES: number = DISTANCE_WEIGHTS.length

export interface CountLinesOptions {
  /** Index of the first line to count; those before it are only context. 0 unless said. */
  readonly from?: number
  /** Rows that count; without it all of them. */
  readonly owns?: (row: number) => boolean
}

/** A line as it is counted. */
interface CountedLine {
  /** Distinct rows, at most 128. */
  readonly rows: Uint32Array
  /** Row of the character at each position, −1 for none; undefined for a line of more than 128 characters. */
  readonly places: Int32Array | undefined
}

/**
 * Counts every two lines of a document that lie at most four apart and whose later one is at `from` or beyond; an empty line ends a document.
 * Sums commute, so counting a text in parts, each with the last `CONTEXT_LINES` lines before it as context, counts what counting it at once does. docs/protocol.md §8.8
 */
export function countLines(counts: EvidenceCounts, kernel: HanziKernel, lines: readonly string[], options: CountLinesOptions = {}): void {
  const { from = 0, owns } = options
  // the lines before, the nearest first
  const before: CountedLine[] = []
  for (let i = Math.max(0, from - CONTEXT_LINES); i < lines.length; i++) {
    const text = lines[i]!
    if (text === '') {
      before.length = 0
      continue
    }
    const line = countedLine(kernel, text)
    if (i >= from) {
      const rows = owns === undefined ? line.rows : line.rows.filter(owns)
      for (const [d, weight] of DISTANCE_WEIGHTS.entries()) {
        if (before[d] !== undefined) counts.addPairs(rows, before[d].rows, weight)
      }
      if (before.length > 0) countPlaces(counts, before[0]!.places, line.places, owns)
    }
    before.unshift(line)
    if (before.length > CONTEXT_LINES) before.pop()
  }
}

/** Adds for the pairs that stand at one position, each pair once. */
function countPlaces(
  counts: EvidenceCounts,
  line: Int32Array | undefined,
  next: Int32Array | undefined,
  owns: ((row: number) => boolean) | undefined,
): void {
  if (line === undefined || next === undefined || line.length !== next.length) return
  for (let at = 0; at < line.length; at++) {
    const column = line[at]!
    const row = next[at]!
    if (column < 0 || row < 0 || (owns !== undefined && !owns(row))) continue
    let seen = false
    for (let earlier = 0; earlier < at && !seen; earlier++) seen = line[earlier] === column && next[earlier] === row
    if (!seen) counts.add(row, column, ALIGNED_WEIGHT)
  }
}

function countedLine(kernel: HanziKernel, text: string): CountedLine {
  const rows = lineRows(kernel, text)
  // a character is one or two UTF-16 units: what is longer than this has more than 128 of them
  if (text.length > 2 * MAX_LINE_CHARACTERS) return { rows, places: undefined }
  const places = Int32Array.from([...text], (character) => {
    const row = kernel.rowOf(character)
    return row !== undefined && row < kernel.definedCount ? row : -1
  })
  return { rows, places: places.length > MAX_LINE_CHARACTERS ? undefined : places }
}
