import { MAX_ROW_EDGES } from './limits.ts'

/** Writes rows of a fold: at most 64 edges, the heaviest, of equal ones those with the lower columns. Keeps scratch memory. */
export class HeaviestEdges {
  readonly #order: Float32Array

  /** @param columns - most edges that a row may have before the cap */
  constructor(columns: number) {
    this.#order = new Float32Array(columns)
  }

  /**
   * @param from - `count` edges, columns ascending, none of weight 0
   * @param at - where they go in `cols` and `vals`
   * @returns the offset behind the last edge written
   */
  write(from: { readonly cols: Uint32Array; readonly vals: Float32Array }, count: number, cols: Uint32Array, vals: Float32Array, at: number): number {
    let least = 0
    let ties = 0
    if (count > MAX_ROW_EDGES) {
      least = kthLargest(this.#order, from.vals, count, MAX_ROW_EDGES)
      ties = MAX_ROW_EDGES
      for (let i = 0; i < count; i++) if (from.vals[i]! > least) ties--
    }
    let end = at
    for (let i = 0; i < count; i++) {
      const value = from.vals[i]!
      if (value < least || (value === least && ties-- <= 0)) continue
      cols[end] = from.cols[i]!
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
