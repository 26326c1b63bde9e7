import { MAX_ROW_EDGES } from './limits.ts'

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
  readonly #cols: Uint32Array
  readonly #vals: Float32Array

  /** @param columns - columns of the matrix */
  constructor(columns: number) {
    this.#values = new Float64Array(columns)
    this.#words = new Uint32Array((columns + 31) >>> 5)
    this.#groups = new Uint32Array((this.#words.length + 31) >>> 5)
    this.#cols = new Uint32Array(columns)
    this.#vals = new Float32Array(columns)
  }

  /** Adds `weight` × each edge. */
  add(cols: Uint32Array, vals: Float32Array, from: number, to: number, weight: number): void {
    for (let e = from; e < to; e++) {
      const c = cols[e]!
      this.#mark(c)
      this.#values[c]! += weight * vals[e]!
    }
  }

  /** Takes each edge where it is heavier than what is there. */
  max(cols: Uint32Array, vals: Float32Array, from: number, to: number): void {
    for (let e = from; e < to; e++) {
      const c = cols[e]!
      this.#mark(c)
      if (vals[e]! > this.#values[c]!) this.#values[c] = vals[e]!
    }
  }

  /**
   * Writes value / divisor as f32, ascending by column, without zeros, at most the 64 heaviest (of equal ones the lower columns); empties the row.
   * @returns the offset behind the last edge written
   */
  flush(divisor: number, cols: Uint32Array, vals: Float32Array, at: number): number {
    const count = this.#drain(divisor)
    if (count > MAX_ROW_EDGES) return this.#writeHeaviest(count, cols, vals, at)
    for (let i = 0; i < count; i++) {
      cols[at + i] = this.#cols[i]!
      vals[at + i] = this.#vals[i]!
    }
    return at + count
  }

  #mark(column: number): void {
    const word = column >>> 5
    this.#words[word]! |= 1 << (column & 31)
    this.#groups[word >>> 5]! |= 1 << (word & 31)
  }

  /** Moves the edges that are not 0 into the scratch row. */
  #drain(divisor: number): number {
    let count = 0
    for (let g = 0; g < this.#groups.length; g++) {
      let group = this.#groups[g]!
      while (group !== 0) {
        const w = (g << 5) + 31 - Math.clz32(group & -group)
        let word = this.#words[w]!
        while (word !== 0) {
          const c = (w << 5) + 31 - Math.clz32(word & -word)
          const value = Math.fround(this.#values[c]! / divisor)
          this.#values[c] = 0
          this.#cols[count] = c
          this.#vals[count] = value
          if (value > 0) count++
          word &= word - 1
        }
        this.#words[w] = 0
        group &= group - 1
      }
      this.#groups[g] = 0
    }
    return count
  }

  #writeHeaviest(count: number, cols: Uint32Array, vals: Float32Array, at: number): number {
    const sorted = this.#vals.slice(0, count).sort()
    const least = sorted[count - MAX_ROW_EDGES]!
    let ties = 0
    for (let i = count - MAX_ROW_EDGES; i < count && sorted[i] === least; i++) ties++
    let end = at
    for (let i = 0; i < count; i++) {
      const value = this.#vals[i]!
      if (value < least || (value === least && ties-- <= 0)) continue
      cols[end] = this.#cols[i]!
      vals[end++] = value
    }
    return end
  }
}
