import type { Csr } from '@sgsd/lattice'

/** Edges per row of the buckets; a row goes to the first that holds it. */
const WIDTHS = [4, 8, 16, 32, 64] as const

/** Rows that learning replaced stand in a bucket of this width: `HEBB.perRow`. */
const LEARNED_WIDTH = 64

/** Places for learned rows at first; doubled when they are used up, since each change of shape compiles the graph anew. */
const FIRST_LEARNED_PLACES = 256

/** Rows of about equal length as a rectangle: the form that a graph of elementwise operators can sum. Unused places have weight 0. */
export interface EllBucket {
  /** Edges per row. */
  readonly width: number
  /** Rows that it has room for. */
  readonly height: number
  /** height × width columns; unused places name column 0. */
  readonly columns: Int32Array
  readonly weights: Float32Array
}

/** One matrix as rectangles: buckets by length, then one for the rows that learning replaced. Padding stays below twice the edges and 4 a row. */
export class EllTable {
  readonly rows: number
  readonly buckets: readonly EllBucket[]
  /** Where each row stands in the buckets laid end to end. */
  readonly places: Int32Array
  /** First place of the last bucket. */
  readonly #learnedFrom: number
  #learnedUsed = 0

  /** @param learned - places for rows that `setRow` may still bring */
  constructor(matrix: Csr, learned: number = FIRST_LEARNED_PLACES) {
    this.rows = matrix.rows
    this.places = new Int32Array(matrix.rows)
    const byWidth = new Map<number, number[]>()
    for (let row = 0; row < matrix.rows; row++) {
      const width = widthFor(matrix.ptr[row + 1]! - matrix.ptr[row]!)
      const members = byWidth.get(width)
      if (members === undefined) byWidth.set(width, [row])
      else members.push(row)
    }
    let place = 0
    const buckets: EllBucket[] = []
    for (const [width, members] of [...byWidth].sort(([a], [b]) => a - b)) {
      const bucket = emptyBucket(width, members.length)
      members.forEach((row, index) => {
        const [from, to] = [matrix.ptr[row]!, matrix.ptr[row + 1]!]
        fill(bucket, index, matrix.cols.subarray(from, to), matrix.vals.subarray(from, to))
        this.places[row] = place + index
      })
      buckets.push(bucket)
      place += members.length
    }
    this.#learnedFrom = place
    this.buckets = [...buckets, emptyBucket(LEARNED_WIDTH, learned)]
  }

  /** Replaces one row. @returns false when it does not fit: the caller builds a larger table */
  setRow(row: number, cols: Uint32Array, vals: Float32Array): boolean {
    if (cols.length > LEARNED_WIDTH) return false
    const last = this.buckets.at(-1)!
    let index = this.places[row]! - this.#learnedFrom
    if (index < 0) {
      if (this.#learnedUsed === last.height) return false
      index = this.#learnedUsed++
      this.places[row] = this.#learnedFrom + index
    }
    fill(last, index, cols, vals)
    return true
  }

  /** Tables of equal shape can share a compiled graph. */
  get shape(): string {
    return this.buckets.map(({ width, height }) => `${height}x${width}`).join(' ')
  }

  /** Places for learned rows that a successor of this table should have. */
  get nextLearned(): number {
    return 2 * this.buckets.at(-1)!.height
  }
}

function emptyBucket(width: number, height: number): EllBucket {
  return { width, height, columns: new Int32Array(width * height), weights: new Float32Array(width * height) }
}

function fill({ width, columns, weights }: EllBucket, index: number, cols: Uint32Array, vals: Float32Array): void {
  const at = index * width
  columns.fill(0, at, at + width).set(cols, at)
  weights.fill(0, at, at + width).set(vals, at)
}

/** A row longer than the widest bucket gets the next power of two. */
function widthFor(edges: number): number {
  for (const width of WIDTHS) if (edges <= width) return width
  return 2 ** Math.ceil(Math.log2(edges))
}
