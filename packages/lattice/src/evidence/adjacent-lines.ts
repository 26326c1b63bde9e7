import { cover } from '../cover.ts'
import type { HanziKernel } from '../hanzi-kernel.ts'

/**
 * Distinct known characters of a line that count, at most: those that come first. It bounds the pairs of two lines by 16,384, whatever somebody
 * calls a line; verse has 5 or 7, a sentence of prose some 30.
 */
export const MAX_LINE_CHARACTERS = 128

/** A line and the line after it in the same document. */
export interface LinePair {
  /** Index of the line. */
  readonly at: number
  /** Lattice rows of the line's characters, distinct, at most 128; may be empty. */
  readonly line: Uint32Array
  /** The same of the next line. */
  readonly next: Uint32Array
}

/** Every line that another one follows in the same document; an empty line ends a document. The last line is only a next line. */
export function* adjacentLines(kernel: HanziKernel, lines: readonly string[]): Generator<LinePair> {
  let line: Uint32Array | undefined
  for (const [i, text] of lines.entries()) {
    const next = text === '' ? undefined : lineRows(kernel, text)
    if (line !== undefined && next !== undefined) yield { at: i - 1, line, next }
    line = next
  }
}

/** What of a line counts. */
export function lineRows(kernel: HanziKernel, text: string): Uint32Array {
  const { rows } = cover(kernel, text)
  return rows.length > MAX_LINE_CHARACTERS ? rows.slice(0, MAX_LINE_CHARACTERS) : rows
}
