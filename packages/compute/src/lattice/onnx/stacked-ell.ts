import type { LatticeMatrices, LearnedRow } from '@sgsd/lattice'

/** Edges of the longest segment: a row of more is the sum of several. The most edges that the Hebb rule leaves a row, so a learned row is one segment. */
const WIDEST = 64

/** Edges of the shortest segment: narrower rectangles would save little and cost an operator each. */
const NARROWEST = 4

/** Segments of equal width as a rectangle, edge by edge: edge k of segment j stands at k · height + j. Unused places have weight 0. */
export interface EllBucket {
  /** Edges per segment, a power of two. */
  readonly width: number
  /** Segments. */
  readonly height: number
  readonly columns: Int32Array
  readonly weights: Float32Array
}

/** Rows of several segments, the same way: place k of row j at k · height + j names a segment's sum, or the zero. */
export interface JoinBucket {
  readonly width: number
  readonly height: number
  readonly segments: Int32Array
}

/**
 * Wτ over Wρ, as one matrix of twice the rows, in rectangles that elementwise operators can sum: one chain of operators serves both.
 *
 * Sums are numbered: the learned rows, the segments of each bucket (the widest first), a zero, the rows of each join (the widest first).
 * `places` says which of them is a row's. Memory: below twice the edges, 8 bytes each, and 8 · 4 a row.
 */
export class StackedEll {
  /** Rows of one matrix. */
  readonly rows: number
  /** The widest first. */
  readonly buckets: readonly EllBucket[]
  /** The widest first. */
  readonly joins: readonly JoinBucket[]
  /** Number of each row's sum: Wτ's rows, then Wρ's. */
  readonly places: Int32Array
  readonly learned: LearnedPlaces

  /** @param learned - rows of either matrix that `setRow` may still bring, each counted once for Wτ and once for Wρ */
  constructor(matrices: LatticeMatrices, learned: number) {
    const { tau, rho } = matrices
    this.rows = tau.rows
    this.places = new Int32Array(2 * tau.rows)
    this.learned = new LearnedPlaces(learned, this.places)
    const sides = [tau, rho].map(({ ptr, cols, vals }, side) => ({ ptr, cols, vals, first: side * tau.rows }))
    const segments = new Map<number, number>()
    const joins = new Map<number, number>()
    for (const { ptr } of sides) {
      for (let row = 0; row < tau.rows; row++) {
        const edges = ptr[row + 1]! - ptr[row]!
        const full = fullSegments(edges)
        if (full > 0) add(segments, WIDEST, full)
        if (edges > 0) add(segments, widthOf(edges - full * WIDEST, NARROWEST), 1)
        if (full > 0) add(joins, widthOf(full + 1, 2), 1)
      }
    }
    const fill = openBuckets(segments, learned)
    const zero = fill.end
    const join = openJoins(joins, zero)
    for (const { ptr, cols, vals, first } of sides) {
      for (let row = 0; row < tau.rows; row++) {
        const [from, to] = [ptr[row]!, ptr[row + 1]!]
        const full = fullSegments(to - from)
        let at = from
        const firstPlace = full === 0 ? 0 : fill.next(WIDEST)
        for (let k = 0; k < full; k++, at += WIDEST) fill.put(WIDEST, cols, vals, at, at + WIDEST)
        const lastPlace = at === to ? zero : fill.put(widthOf(to - at, NARROWEST), cols, vals, at, to)
        this.places[first + row] = full === 0 ? lastPlace : join.put(firstPlace, full, lastPlace)
      }
    }
    this.buckets = fill.buckets
    this.joins = join.buckets
  }
}

/** Room for rows that replace loaded ones between two runs: a bucket of its own that goes to the graph with every run. */
export class LearnedPlaces implements EllBucket {
  readonly width: number = WIDEST
  readonly height: number
  readonly columns: Int32Array
  readonly weights: Float32Array
  readonly #places: Int32Array
  #used = 0

  constructor(height: number, places: Int32Array) {
    this.height = height
    this.columns = new Int32Array(WIDEST * height)
    this.weights = new Float32Array(WIDEST * height)
    this.#places = places
  }

  /** Replaces one row of both matrices. @returns false when it does not fit: the caller lays the lattice out anew */
  setRow(row: number, { tauCols, tauVals, rhoCols, rhoVals }: LearnedRow): boolean {
    return this.#set(row, tauCols, tauVals) && this.#set(this.#places.length / 2 + row, rhoCols, rhoVals)
  }

  #set(stacked: number, cols: Uint32Array, vals: Float32Array): boolean {
    if (cols.length > WIDEST) return false
    let place = this.#places[stacked]!
    if (place >= this.#used) {
      if (this.#used === this.height) return false
      place = this.#used++
      this.#places[stacked] = place
    }
    const { columns, weights, height } = this
    for (let k = 0; k < WIDEST; k++) {
      columns[k * height + place] = cols[k] ?? 0
      weights[k * height + place] = vals[k] ?? 0
    }
    return true
  }
}

/** Empty buckets in the order of the numbers of their sums, to be filled from the front. */
function openBuckets(heights: ReadonlyMap<number, number>, first: number) {
  const open = new Map<number, EllBucket & { readonly first: number; used: number }>()
  let end = first
  for (const [width, height] of [...heights].sort(([a], [b]) => b - a)) {
    open.set(width, { width, height, columns: new Int32Array(width * height), weights: new Float32Array(width * height), first: end, used: 0 })
    end += height
  }
  return {
    end,
    buckets: [...open.values()],
    /** Number that the next segment of a width will have. */
    next(width: number): number {
      const bucket = open.get(width)!
      return bucket.first + bucket.used
    },
    put(width: number, cols: Uint32Array, vals: Float32Array, from: number, to: number): number {
      const bucket = open.get(width)!
      const segment = bucket.used++
      for (let edge = from, at = segment; edge < to; edge++, at += bucket.height) {
        bucket.columns[at] = cols[edge]!
        bucket.weights[at] = vals[edge]!
      }
      return bucket.first + segment
    },
  }
}

function openJoins(heights: ReadonlyMap<number, number>, zero: number) {
  const open = new Map<number, JoinBucket & { readonly first: number; used: number }>()
  let end = zero + 1
  for (const [width, height] of [...heights].sort(([a], [b]) => b - a)) {
    open.set(width, { width, height, segments: new Int32Array(width * height).fill(zero), first: end, used: 0 })
    end += height
  }
  return {
    buckets: [...open.values()],
    /** A row of `full` segments from number `first` on, and one more. */
    put(first: number, full: number, last: number): number {
      const bucket = open.get(widthOf(full + 1, 2))!
      const row = bucket.used++
      for (let k = 0; k < full; k++) bucket.segments[k * bucket.height + row] = first + k
      bucket.segments[full * bucket.height + row] = last
      return bucket.first + row
    },
  }
}

/** Whole segments before the last one, which is never empty unless the row is. */
function fullSegments(edges: number): number {
  return edges === 0 ? 0 : Math.ceil(edges / WIDEST) - 1
}

/** The power of two that holds so many. */
function widthOf(count: number, least: number): number {
  let width = least
  while (width < count) width *= 2
  return width
}

function add(counts: Map<number, number>, key: number, more: number): void {
  counts.set(key, (counts.get(key) ?? 0) + more)
}
