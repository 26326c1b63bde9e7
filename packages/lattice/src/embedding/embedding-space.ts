import type { Csr, LatticeMatrices } from '../csr.ts'
import { type Basis, dominantBasis } from './dominant.ts'
import { signAt, SIGNS_PER_WORD, type SignWords } from './signs.ts'
import { characterWeights } from './weights.ts'

/** Most dimensions of a vector: as many as `SignWords` has blocks for, 64 of 64. */
export const MAX_DIMENSIONS = 4_096

/** Directions of the lattice that a vector of learned evidence keeps. Found on the development topics of the similarity bench: 32 to 64 differ little. */
const WIDTH = 48

/** Weight of the characters themselves beside what the lattice makes of them, each of length 1: texts that share characters are nearer. */
const COVER_WEIGHT = 0.7

/** Lattice rows whose signs a slice adds up: some milliseconds. */
const ROWS_PER_SLICE = 512

/** A lattice to embed in. */
export interface EmbeddingLattice {
  readonly matrices: LatticeMatrices
  readonly state: Float32Array
  /** The state is a prior that evidence derived; otherwise what counts are edges alone. */
  readonly evidence: boolean
}

/**
 * Texts as points: what the lattice makes of a text's characters, beside the characters themselves, projected by random signs and of length 1.
 * With x the weights of the characters of a text over the rows of the lattice, A = M + Mᵀ and M = Wτ − Wρ,
 *
 *     raw = a/‖a‖ + 0.7·x/‖x‖,    vector = Rᵀ·raw / ‖Rᵀ·raw‖
 *
 * where a = Q·Qᵀ·x with Q an orthonormal basis of the 48 directions along which A does most, where the lattice has learned from evidence; and
 * a = (Wτ + Wτᵀ)·x where it has not. Where a is 0, the characters stand alone. Fewer dimensions are the first ones of more, made length 1 again.
 * The same lattice gives the same bits everywhere: + − × ÷ and square roots in binary64, in a fixed order.
 */
export class EmbeddingSpace {
  /** Let go once a learned lattice's basis is there: what embeds from then on is small. */
  #lattice: EmbeddingLattice | undefined
  readonly #signs: SignWords
  readonly #learned: boolean
  readonly #weights: Float64Array
  #basis: Basis | undefined
  /** Place of a lattice row in the basis, −1 for none. */
  readonly #places: Int32Array
  /** Rᵀ·Q for the dimensions so far, `WIDTH` values each. */
  #projected = new Float64Array(0)
  /** The symmetric edges of an unlearned lattice. */
  readonly #back: Csr | undefined
  /** All 0 between two calls. */
  readonly #sums: Float64Array

  constructor(lattice: EmbeddingLattice, signs: SignWords) {
    const { matrices, state, evidence } = lattice
    this.#lattice = lattice
    this.#signs = signs
    this.#learned = evidence && state.some((s) => s > 0)
    this.#weights = this.#learned ? characterWeights(state) : new Float64Array(state.length).fill(1)
    this.#places = new Int32Array(state.length).fill(-1)
    this.#back = this.#learned ? undefined : transposed(matrices.tau)
    this.#sums = new Float64Array(this.#learned ? 0 : state.length)
  }

  /** Whether `embed` can give vectors of so many dimensions. */
  ready(dimensions: number): boolean {
    return !this.#learned || this.#projected.length >= WIDTH * blocksOf(dimensions) * SIGNS_PER_WORD
  }

  /** Makes it ready, in slices of some milliseconds. */
  *prepare(dimensions: number): Generator<void> {
    if (this.ready(dimensions)) return
    if (this.#lattice !== undefined) {
      const { matrices, state } = this.#lattice
      const rows = Uint32Array.from(state.keys()).filter((row) => state[row]! > 0)
      this.#basis = yield* dominantBasis(matrices, rows, WIDTH, this.#signs)
      for (const [place, row] of rows.entries()) this.#places[row] = place
      this.#lattice = undefined
    }
    const blocks = blocksOf(dimensions)
    const projected = new Float64Array(WIDTH * blocks * SIGNS_PER_WORD)
    projected.set(this.#projected)
    for (let block = this.#projected.length / (WIDTH * SIGNS_PER_WORD); block < blocks; block++) yield* this.#project(block, projected)
    if (projected.length > this.#projected.length) this.#projected = projected
  }

  /**
   * The vector of a text.
   * @param rows - of the text's characters: distinct, not empty
   * @param out - as long as the vector has dimensions, for which the space is ready
   */
  embed(rows: Uint32Array, out: Float32Array): void {
    const text = rows.slice().sort()
    const y = new Float64Array(out.length)
    let square = 0
    for (const row of text) square += this.#weights[row]! * this.#weights[row]!
    const scale = COVER_WEIGHT / Math.sqrt(square)
    for (const row of text) this.#addSigns(row, scale * this.#weights[row]!, y)
    if (this.#learned) this.#addDirections(text, y)
    else this.#addNeighbours(text, y)
    let norm = 0
    for (const value of y) norm += value * value
    const length = Math.sqrt(norm)
    // some projections of some text may cancel out in the first few dimensions
    for (let j = 0; j < y.length; j++) out[j] = length === 0 ? (j === 0 ? 1 : 0) : y[j]! / length
  }

  /** y += Rᵀ·Q·Qᵀ·x / ‖Qᵀ·x‖ */
  #addDirections(text: Uint32Array, y: Float64Array): void {
    const { values } = this.#basis!
    const z = new Float64Array(WIDTH)
    for (const row of text) {
      const at = this.#places[row]! * WIDTH
      if (at < 0) continue
      const weight = this.#weights[row]!
      for (let k = 0; k < WIDTH; k++) z[k]! += weight * values[at + k]!
    }
    let square = 0
    for (const value of z) square += value * value
    if (square === 0) return
    const length = Math.sqrt(square)
    for (let k = 0; k < WIDTH; k++) z[k]! /= length
    const projected = this.#projected
    for (let j = 0; j < y.length; j++) {
      let sum = 0
      for (let k = 0; k < WIDTH; k++) sum += projected[j * WIDTH + k]! * z[k]!
      y[j]! += sum
    }
  }

  /** y += Rᵀ·(Wτ + Wτᵀ)·x / ‖(Wτ + Wτᵀ)·x‖ */
  #addNeighbours(text: Uint32Array, y: Float64Array): void {
    const touched: number[] = []
    for (const row of text) {
      for (const { ptr, cols, vals } of [this.#lattice!.matrices.tau, this.#back!]) {
        for (let e = ptr[row]!; e < ptr[row + 1]!; e++) {
          const other = cols[e]!
          if (this.#sums[other] === 0 && vals[e]! > 0) touched.push(other)
          this.#sums[other]! += vals[e]!
        }
      }
    }
    touched.sort((a, b) => a - b)
    let square = 0
    for (const row of touched) square += this.#sums[row]! * this.#sums[row]!
    const length = Math.sqrt(square)
    for (const row of touched) {
      this.#addSigns(row, this.#sums[row]! / length, y)
      this.#sums[row] = 0
    }
  }

  /** y += value · the signs of a row. */
  #addSigns(row: number, value: number, y: Float64Array): void {
    const word = new Uint32Array(2)
    for (let from = 0; from < y.length; from += SIGNS_PER_WORD) {
      this.#signs(row, from / SIGNS_PER_WORD, word, 0)
      const end = Math.min(SIGNS_PER_WORD, y.length - from)
      for (let bit = 0; bit < end; bit++) y[from + bit]! += signAt(word, 0, bit) * value
    }
  }

  /** Fills a block of Rᵀ·Q. */
  *#project(block: number, out: Float64Array): Generator<void> {
    const { rows, values } = this.#basis!
    const word = new Uint32Array(2)
    for (const [place, row] of rows.entries()) {
      this.#signs(row, block, word, 0)
      for (let bit = 0; bit < SIGNS_PER_WORD; bit++) {
        const sign = signAt(word, 0, bit)
        const at = (block * SIGNS_PER_WORD + bit) * WIDTH
        for (let k = 0; k < WIDTH; k++) out[at + k]! += sign * values[place * WIDTH + k]!
      }
      if (place % ROWS_PER_SLICE === ROWS_PER_SLICE - 1) yield
    }
    yield
  }
}

function blocksOf(dimensions: number): number {
  return Math.ceil(dimensions / SIGNS_PER_WORD)
}

function transposed({ rows, ptr, cols, vals }: Csr): Csr {
  const starts = new Uint32Array(rows + 1)
  for (const column of cols) starts[column + 1]!++
  for (let column = 0; column < rows; column++) starts[column + 1]! += starts[column]!
  const next = starts.slice(0, rows)
  const at = new Uint32Array(cols.length)
  const values = new Float32Array(cols.length)
  for (let row = 0; row < rows; row++) {
    for (let e = ptr[row]!; e < ptr[row + 1]!; e++) {
      const slot = next[cols[e]!]!++
      at[slot] = row
      values[slot] = vals[e]!
    }
  }
  return { rows, ptr: starts, cols: at, vals: values }
}
