import type { PairedEdges } from '../paired-edges.ts'

/** Edges per row of the buckets; a row goes to the first that holds it. A longer row gets the next power of two. */
const WIDTHS = [4, 8, 16, 32, 64] as const

/** Rows of about equal length as a rectangle: the form that a graph of elementwise operators can sum. Unused places have weight 0. */
export interface EllBucket {
  /** Edges per row. */
  readonly width: number
  /** Rows of the bucket, ascending. */
  readonly members: Uint32Array
  /** members × width columns; unused places name column 0. */
  readonly columns: Int32Array
  readonly tau: Float32Array
  readonly rho: Float32Array
}

export interface EllTable {
  readonly rows: number
  readonly buckets: readonly EllBucket[]
  /** Where each row stands in the buckets laid end to end. */
  readonly places: Int32Array
}

/** Sorts rows into buckets by their number of edges; padding stays below twice the edges (and 4 a row). */
export function bucketRows(pairs: PairedEdges): EllTable {
  const byWidth = new Map<number, number[]>()
  for (let row = 0; row < pairs.rows; row++) {
    const width = widthFor(pairs.ptr[row + 1]! - pairs.ptr[row]!)
    const members = byWidth.get(width)
    if (members === undefined) byWidth.set(width, [row])
    else members.push(row)
  }
  const places = new Int32Array(pairs.rows)
  let place = 0
  const buckets: EllBucket[] = []
  for (const [width, rows] of [...byWidth].sort(([a], [b]) => a - b)) {
    const size = rows.length * width
    const bucket = {
      width,
      members: Uint32Array.from(rows),
      columns: new Int32Array(size),
      tau: new Float32Array(size),
      rho: new Float32Array(size),
    }
    rows.forEach((row, index) => {
      places[row] = place + index
      fillRow(bucket, index, pairs, row)
    })
    buckets.push(bucket)
    place += rows.length
  }
  return { rows: pairs.rows, buckets, places }
}

/** Equal shapes can share a compiled graph. */
export function shapeOf(table: EllTable): string {
  return [table.rows, ...table.buckets.map(({ width, members }) => `${members.length}x${width}`)].join(' ')
}

function fillRow(bucket: EllBucket, index: number, pairs: PairedEdges, row: number): void {
  let slot = index * bucket.width
  for (let edge = pairs.ptr[row]!; edge < pairs.ptr[row + 1]!; edge++, slot++) {
    bucket.columns[slot] = pairs.cols[edge]!
    bucket.tau[slot] = pairs.weights[2 * edge]!
    bucket.rho[slot] = pairs.weights[2 * edge + 1]!
  }
}

function widthFor(edges: number): number {
  for (const width of WIDTHS) if (edges <= width) return width
  return 2 ** Math.ceil(Math.log2(edges))
}
