import type { Csr, LatticeMatrices } from '../csr.ts'
import { signAt, type SignWords } from './signs.ts'

/** Rounds of the iteration. What it finds serves similarity long before it has settled to the last bit: docs/api.md has what more would change. */
const ROUNDS = 12

/** Edges that a slice multiplies, at most but for one row: some 10 ms. */
const EDGES_PER_SLICE = 100_000

/** Columns that a slice makes orthogonal to those before: again some 10 ms. */
const COLUMNS_PER_SLICE = 8

/** Of a column this share must be left when those before it are taken out; below it, it is one of them and carries nothing. */
const INDEPENDENT = 1e-10

/** An orthonormal basis over some rows of a lattice. */
export interface Basis {
  /** Lattice rows, ascending. */
  readonly rows: Uint32Array
  /** Columns; those that the lattice is too small for are 0. */
  readonly width: number
  /** `rows.length × width`, row by row. */
  readonly values: Float64Array
}

/**
 * An orthonormal basis of the directions along which A = M + Mᵀ, M = Wτ − Wρ, does most, between the given rows: subspace iteration on A from columns of
 * signs. Only + − × ÷ and square roots in a fixed order, so that it is the same to the bit wherever numbers are binary64.
 * A generator of slices of some milliseconds; the basis is what it returns.
 * @param rows - ascending
 * @param signs - block 0 of a row is its start
 */
export function* dominantBasis({ tau, rho }: LatticeMatrices, rows: Uint32Array, width: number, signs: SignWords): Generator<void, Basis> {
  const places = new Int32Array(tau.rows).fill(-1)
  for (const [place, row] of rows.entries()) places[row] = place
  let basis = startOf(rows, width, signs)
  for (let round = 0; round < ROUNDS; round++) {
    const product = new Float64Array(basis.length)
    yield* addProduct(tau, 1, { rows, places, width }, basis, product)
    yield* addProduct(rho, -1, { rows, places, width }, basis, product)
    yield* orthonormalise(product, width)
    basis = product
  }
  return { rows, width, values: basis }
}

function startOf(rows: Uint32Array, width: number, signs: SignWords): Float64Array {
  const start = new Float64Array(rows.length * width)
  const word = new Uint32Array(2)
  for (const [place, row] of rows.entries()) {
    signs(row, 0, word, 0)
    for (let k = 0; k < width; k++) start[place * width + k] = signAt(word, 0, k)
  }
  return start
}

interface Frame {
  readonly rows: Uint32Array
  /** Place of a lattice row among `rows`, −1 for none. */
  readonly places: Int32Array
  readonly width: number
}

/** out += sign · (W + Wᵀ) · basis, in one pass over the edges of W. */
function* addProduct(w: Csr, sign: number, { rows, places, width }: Frame, basis: Float64Array, out: Float64Array): Generator<void> {
  let left = EDGES_PER_SLICE
  for (const [place, row] of rows.entries()) {
    const a = place * width
    for (let e = w.ptr[row]!; e < w.ptr[row + 1]!; e++) {
      const other = places[w.cols[e]!]!
      if (other < 0) continue
      const b = other * width
      const weight = sign * w.vals[e]!
      for (let k = 0; k < width; k++) {
        out[a + k]! += weight * basis[b + k]!
        out[b + k]! += weight * basis[a + k]!
      }
    }
    left -= w.ptr[row + 1]! - w.ptr[row]!
    if (left > 0) continue
    left = EDGES_PER_SLICE
    yield
  }
}

/** Gram–Schmidt by columns, each twice: once leaves errors where columns are nearly alike. A column that the others explain becomes 0. */
function* orthonormalise(values: Float64Array, width: number): Generator<void> {
  for (let k = 0; k < width; k++) {
    const before = columnDot(values, width, k, k)
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < k; j++) {
        const share = columnDot(values, width, j, k)
        for (let i = 0; i < values.length; i += width) values[i + k]! -= share * values[i + j]!
      }
    }
    const after = columnDot(values, width, k, k)
    const scale = after > INDEPENDENT * INDEPENDENT * before ? 1 / Math.sqrt(after) : 0
    for (let i = k; i < values.length; i += width) values[i]! *= scale
    if (k % COLUMNS_PER_SLICE === COLUMNS_PER_SLICE - 1) yield
  }
}

function columnDot(values: Float64Array, width: number, a: number, b: number): number {
  let sum = 0
  for (let i = 0; i < values.length; i += width) sum += values[i + a]! * values[i + b]!
  return sum
}
