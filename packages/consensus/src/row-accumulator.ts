import { HeaviestEdges } from './fold-heaviest.ts'

/**
 * One row of a fold in the making: a dense double per column, and a two-level bit set of the columns in use, so that they come out in ascending order
 * without sorting. Used over and over; `flush` leaves it empty.
 */
export class RowAccumulator {
  readonly #values: Float64Array
  /** Bit c of word w: column 32·w + c is in use. */
  readonly #words: Uint32Array
  /** Bit w of group g: word 32·g + w is not 0. */
  readonly #groups: Uint32Array
  /** The row as it comes out, before the cap. */
  readonly #row: { readonly cols: Uint32Array; readonly vals: Float32Array }
  readonly #heaviest: HeaviestEdges

  /** @param columns - columns of the matrix */
  constructor(columns: number) {
    this.#values = new Float64Array(columns)
    this.#words = new Uint32Array((columns + 31) >>> 5)
    this.#groups = new Uint32Array((this.#words.length + 31) >>> 5)
    this.#row = { cols: new Uint32Array(columns), vals: new Float32Array(columns) }
    this.#heaviest = new HeaviestEdges(columns)
  }

  /** Adds `weight` × each edge. */
  add(cols: Uint32Array, vals: Float32Array, from: number, to: number, weight: number): void {
    const values = this.#values
    for (let e = from; e < to; e++) {
      const c = cols[e]!
      this.#mark(c)
      values[c]! += weight * vals[e]!
    }
  }

  /** Takes each edge where it is heavier than what is there. */
  max(cols: Uint32Array, vals: Float32Array, from: number, to: number): void {
    const values = this.#values
    for (let e = from; e < to; e++) {
      const c = cols[e]!
      this.#mark(c)
      if (vals[e]! > values[c]!) values[c] = vals[e]!
    }
  }

  /**
   * Writes value / divisor as f32, ascending by column, without zeros, at most the 64 heaviest; empties the row.
   * @returns the offset behind the last edge written
   */
  flush(divisor: number, cols: Uint32Array, vals: Float32Array, at: number): number {
    return this.#heaviest.write(this.#row, this.#drain(divisor), cols, vals, at)
  }

  #mark(column: number): void {
    const word = column >>> 5
    this.#words[word]! |= 1 << (column & 31)
    this.#groups[word >>> 5]! |= 1 << (word & 31)
  }

  /** Moves the edges that are not 0 into the scratch row. @returns how many */
  #drain(divisor: number): number {
    const values = this.#values
    const words = this.#words
    const groups = this.#groups
    const { cols, vals } = this.#row
    let count = 0
    for (let g = 0; g < groups.length; g++) {
      for (let group = groups[g]!; group !== 0; group &= group - 1) {
        const w = (g << 5) + 31 - Math.clz32(group & -group)
        for (let word = words[w]!; word !== 0; word &= word - 1) {
          const c = (w << 5) + 31 - Math.clz32(word & -word)
          const value = Math.fround(values[c]! / divisor)
          values[c] = 0
          cols[count] = c
          vals[count] = value
          if (value > 0) count++
        }
        words[w] = 0
      }
      groups[g] = 0
    }
    return count
  }
}
