import type { Csr, LatticeMatrices } from '../csr.ts'
import { type EvidenceCsr, EVIDENCE_UNIT } from './counts.ts'
import { ln } from './ln.ts'

/** Constants of the derivation and its readout. They are part of the fold `evidence/1`: other values are another fold id. docs/protocol.md §9.7 */
export interface EvidenceParams {
  /** Quarters of the exponent of the rows' masses: 3 stands for m^0.75, which lends weight to what is seldom. */
  readonly rowQuarters: 1 | 2 | 3 | 4
  /** The same for columns. */
  readonly columnQuarters: 1 | 2 | 3 | 4
  /** A pair seen D times counts D/(D + shrink) of its pointwise mutual information. */
  readonly shrink: number
  /** Nats that stand for weight 1. */
  readonly pmiScale: number
  /** Entry of the state for the row of greatest mass; below 1, so that evidence has room above it. */
  readonly priorTop: number
  /** Readout: weight of the mean of Wτ, and of Wρ, over the characters of a line. */
  readonly alpha: number
  readonly beta: number
}

export const EVIDENCE: EvidenceParams = { rowQuarters: 3, columnQuarters: 4, shrink: 1, pmiScale: 8, priorTop: 0.5, alpha: 1, beta: 1 }

/** Matrices and state that follow from counts. */
export interface Derived {
  readonly matrices: LatticeMatrices
  /** Prior activation: how often a character was seen in a next line, on a logarithmic scale, in [0, 1). */
  readonly state: Float32Array
}

/** Logarithms kept for counts of whole observations: most pairs were seen a few times. */
const KEPT_LOGARITHMS = 1_024

/**
 * The lattice that counts stand for, a pure function of them. With T the sum of all counts, R[v] and K[u] the sums of row and column, r(x) and k(x) the
 * powers by the exponents above, and D = C[v][u]/256:
 *
 *     pmi = ln C + ln Σr − ln r(R[v]) + ln Σk − ln k(K[u]) − ln T        (the logarithm of p(v,u) / (p(v)·p(u)), p from the powers)
 *     x   = pmi · D/(D + shrink) / pmiScale
 *     Wτ[v][u] = f32(min(1, x)) where x > 0,   Wρ[v][u] = f32(min(1, −x)) where x < 0
 *     s[v] = f32(priorTop · ln(1 + R[v]/256) / ln(1 + max R/256))
 *
 * in binary64, in the order of the code, with `ln` of this package; edges whose f32 is 0 are none. A row that nobody has counted is the base row, its s is 0.
 * @param base - the hanzi kernel's own lattice, of as many rows
 */
export function derive(counts: EvidenceCsr, base: LatticeMatrices, params: EvidenceParams = EVIDENCE): Derived {
  const { rows, ptr, cols, counts: values } = counts
  const masses = massesOf(counts)
  const rowLn = logPowers(masses.rows, params.rowQuarters)
  const columnLn = logPowers(masses.columns, params.columnQuarters)
  const totalLn = masses.total > 0 ? ln(masses.total) : 0
  const lnOf = countLogarithms()
  const scale = 1 / params.pmiScale
  const tau = new RowWriter(rows, base.tau, cols.length)
  const rho = new RowWriter(rows, base.rho, cols.length)
  for (let v = 0; v < rows; v++) {
    if (ptr[v] === ptr[v + 1]) {
      tau.copy(v)
      rho.copy(v)
      continue
    }
    const fixed = totalLn + rowLn[v]!
    for (let e = ptr[v]!; e < ptr[v + 1]!; e++) {
      const count = values[e]!
      const pmi = lnOf(count) - fixed - columnLn[cols[e]!]!
      const seen = count / EVIDENCE_UNIT
      const x = pmi * (seen / (seen + params.shrink)) * scale
      if (x > 0) tau.add(cols[e]!, x)
      else rho.add(cols[e]!, -x)
    }
    tau.end(v)
    rho.end(v)
  }
  return { matrices: { tau: tau.csr(), rho: rho.csr() }, state: priorOf(masses.rows, params) }
}

/** Sums of rows, of columns, of all; whole numbers, exact below 2^53. */
function massesOf({ rows, ptr, cols, counts }: EvidenceCsr): { rows: Float64Array; columns: Float64Array; total: number } {
  const byRow = new Float64Array(rows)
  const byColumn = new Float64Array(rows)
  let total = 0
  for (let v = 0; v < rows; v++) {
    let mass = 0
    for (let e = ptr[v]!; e < ptr[v + 1]!; e++) {
      mass += counts[e]!
      byColumn[cols[e]!]! += counts[e]!
    }
    byRow[v] = mass
    total += mass
  }
  return { rows: byRow, columns: byColumn, total }
}

/** ln of each mass' share after the power, 0 for mass 0. */
function logPowers(masses: Float64Array, quarters: number): Float64Array {
  let sum = 0
  for (const mass of masses) sum += power(mass, quarters)
  const sumLn = sum > 0 ? ln(sum) : 0
  return masses.map((mass) => (mass > 0 ? ln(power(mass, quarters)) - sumLn : 0))
}

/** x^(quarters/4), from square roots and products alone. */
function power(x: number, quarters: number): number {
  if (quarters === 4) return x
  const half = Math.sqrt(x)
  if (quarters === 2) return half
  const quarter = Math.sqrt(half)
  return quarters === 1 ? quarter : half * quarter
}

function priorOf(masses: Float64Array, { priorTop }: EvidenceParams): Float32Array {
  const greatest = masses.reduce((a, b) => Math.max(a, b), 0)
  if (greatest === 0) return new Float32Array(masses.length)
  const top = ln(1 + greatest / EVIDENCE_UNIT)
  return Float32Array.from(masses, (mass) => (mass === 0 ? 0 : (priorTop * ln(1 + mass / EVIDENCE_UNIT)) / top))
}

/** `ln`, with the values of small whole observations looked up: the bits are the same. */
function countLogarithms(): (count: number) => number {
  const kept = Float64Array.from({ length: KEPT_LOGARITHMS }, (_, i) => (i === 0 ? 0 : ln(i * EVIDENCE_UNIT)))
  return (count) => {
    const seen = count / EVIDENCE_UNIT
    return seen >= 1 && seen < KEPT_LOGARITHMS && seen === Math.trunc(seen) ? kept[seen]! : ln(count)
  }
}

/** A matrix written row by row. */
class RowWriter {
  readonly #base: Csr
  readonly #ptr: Uint32Array
  readonly #cols: Uint32Array
  readonly #vals: Float32Array
  #end = 0

  /** @param pairs - derived edges, at most */
  constructor(rows: number, base: Csr, pairs: number) {
    this.#base = base
    this.#ptr = new Uint32Array(rows + 1)
    this.#cols = new Uint32Array(pairs + base.cols.length)
    this.#vals = new Float32Array(pairs + base.cols.length)
  }

  add(column: number, weight: number): void {
    const value = Math.fround(weight < 1 ? weight : 1)
    this.#cols[this.#end] = column
    this.#vals[this.#end] = value
    if (value > 0) this.#end++
  }

  end(row: number): void {
    this.#ptr[row + 1] = this.#end
  }

  /** The base row. */
  copy(row: number): void {
    const { ptr, cols, vals } = this.#base
    for (let e = ptr[row]!; e < ptr[row + 1]!; e++) {
      this.#cols[this.#end] = cols[e]!
      this.#vals[this.#end++] = vals[e]!
    }
    this.end(row)
  }

  csr(): Csr {
    return { rows: this.#base.rows, ptr: this.#ptr, cols: this.#cols.slice(0, this.#end), vals: this.#vals.slice(0, this.#end) }
  }
}
