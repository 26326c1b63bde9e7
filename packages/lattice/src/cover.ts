import type { HanziKernel } from './hanzi-kernel.ts'

/** What of a text the lattice knows. */
export interface Cover {
  /** Lattice rows of the defined characters, distinct, in order of first appearance; `rows[i]` is the row of `known[i]`. */
  readonly rows: Uint32Array
  readonly known: readonly string[]
  /** Hanzi without a definition and letters of other scripts, distinct, in order of first appearance. White space, punctuation, digits and symbols are passed over. */
  readonly unknown: readonly string[]
}

const LETTER = /\p{L}/u

/** Splits a text into the lattice rows of its characters and what no row stands for. */
export function cover(kernel: HanziKernel, text: string): Cover {
  const known = new Map<string, number>()
  const unknown = new Set<string>()
  for (const character of text) {
    const row = kernel.rowOf(character)
    if (row !== undefined && row < kernel.definedCount) known.set(character, row)
    else if (row !== undefined || LETTER.test(character)) unknown.add(character)
  }
  return { rows: Uint32Array.from(known.values()), known: [...known.keys()], unknown: [...unknown] }
}

/** The state that a cover starts from: 1 at its rows, 0 elsewhere. */
export function coverState(kernel: HanziKernel, rows: Uint32Array): Float32Array {
  const s = new Float32Array(kernel.definedCount)
  for (const row of rows) s[row] = 1
  return s
}
