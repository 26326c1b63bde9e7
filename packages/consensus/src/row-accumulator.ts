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
  /** For selecting the heaviest. */
  readonly #order: Float32Array

  /** @param columns - columns of the matrix */
  constructor(columns: number) {
    this.#values = new Float64Array(columns)
    this.#words = new Uint32Array((columns + 31) >>> 5)
    this.#groups = new Uint32Array((this.#words.length + 31) >>> 5)
    this.#cols = new Uint32Array(columns)
    this.#vals = new Float32Array(columns)
    this.#order = new Float32Array(columns)
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
    const values = this.#values
    const words = this.#words
    const groups = this.#groups
    const cols = this.#cols
    const vals = this.#vals
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

  #writeHeaviest(count: number, cols: Uint32Array, vals: Float32Array, at: number): number {
    const least = kthLargest(this.#order, this.#vals, count, MAX_ROW_EDGES)
    let ties = MAX_ROW_EDGES
    for (let i = 0; i < count; i++) if (this.#vals[i]! > least) ties--
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

/** The k-th largest of the first `count` values, by Hoare's selection in `scratch`: a whole sort of every long row would cost more than the fold. */
function kthLargest(scratch: Float32Array, values: Float32Array, count: number, k: number): number {
  for (let i = 0; i < count; i++) scratch[i] = values[i]!
  const place = k - 1
  let low = 0
  let high = count - 1
  while (low < high) {
    const pivot = scratch[(low + high) >>> 1]!
    let i = low
    let j = high
    while (i <= j) {
      while (scratch[i]! > pivot) i++
      while (scratch[j]! < pivot) j--
      if (i > j) break
      const value = scratch[i]!
      scratch[i++] = scratch[j]!
      scratch[j--] = value
    }
    if (place <= j) high = j
    else if (place >= i) low = i
    else break
  }
  return scratch[place]!
}
