import { MAX_ROW_EDGES } from './limits.ts'
import type { RowSide } from './fold-kernel.ts'

/** Length of a row that nobody has shown yet. */
const UNKNOWN = 255

/**
 * Numbers for the columns of rows of one matrix, so that most rows of a fold need not be compared column by column each time. Remembers the columns
 * that each row was shown with last.
 */
export class ColumnShapes {
  /** 64 places for each row. */
  readonly #cols: Uint32Array
  readonly #lengths: Uint8Array
  readonly #numbers: Float64Array
  #next = 1

  /** @param rows - rows of the matrix */
  constructor(rows: number) {
    this.#cols = new Uint32Array(rows * MAX_ROW_EDGES)
    this.#lengths = new Uint8Array(rows).fill(UNKNOWN)
    this.#numbers = new Float64Array(rows)
  }

  /**
   * A whole number above 0 for each row. Equal ones stand for equal columns of one row, whenever they were asked for; others say nothing.
   * @param rowIds - of the side's rows, each inside the matrix
   */
  numbersOf(rowIds: Uint32Array, { ptr, cols }: Pick<RowSide, 'ptr' | 'cols'>): Float64Array {
    const numbers = new Float64Array(rowIds.length)
    for (let i = 0; i < numbers.length; i++) {
      const row = rowIds[i]!
      const from = ptr[i]!
      const edges = ptr[i + 1]! - from
      if (!this.#knows(row, cols, from, edges)) {
        this.#cols.set(cols.subarray(from, from + edges), row * MAX_ROW_EDGES)
        this.#lengths[row] = edges
        this.#numbers[row] = this.#next++
      }
      numbers[i] = this.#numbers[row]!
    }
    return numbers
  }

  #knows(row: number, cols: Uint32Array, from: number, edges: number): boolean {
    if (this.#lengths[row] !== edges) return false
    const known = this.#cols
    const first = row * MAX_ROW_EDGES
    for (let e = 0; e < edges; e++) if (known[first + e] !== cols[from + e]) return false
    return true
  }
}
