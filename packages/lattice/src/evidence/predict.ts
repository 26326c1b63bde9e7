import type { Csr, LatticeMatrices } from '../csr.ts'
import { rowSum } from '../step.ts'
import type { Entry } from '../top.ts'
import { type Derived, EVIDENCE, type EvidenceParams } from './derive.ts'

/**
 * The prediction, one step from the prior: with A the rows of a line,
 *
 *     s'[v] = f32(clamp₀₁(s[v] + (α/|A|)·Σ Wτ[v][u] − (β/|A|)·Σ Wρ[v][u]))      Σ over u in A, ascending
 *
 * in binary64. Over all rows; `Readout` gives the same values for the few that matter.
 * @param line - distinct rows, not empty
 */
export function predict({ matrices: { tau, rho }, state }: Derived, line: Uint32Array, params: EvidenceParams = EVIDENCE): Float32Array {
  const cover = new Float32Array(state.length)
  for (const row of line) cover[row] = 1
  const alpha = params.alpha / line.length
  const beta = params.beta / line.length
  return state.map((prior, row) => clamp(prior + alpha * rowSum(tau, row, cover) - beta * rowSum(rho, row, cover)))
}

/**
 * Predictions from a derived lattice, by columns: a line touches the rows that its characters have edges to, every other row keeps its prior, and
 * the highest priors are known beforehand. So a line costs some microseconds where a step over all edges would cost milliseconds.
 */
export class Readout {
  readonly #state: Float32Array
  readonly #params: EvidenceParams
  readonly #tau: Columns
  readonly #rho: Columns
  /** Rows by prior, greatest first, equal ones by row; those of prior 0 are left out. */
  readonly #byPrior: Uint32Array
  /** Σ Wτ, Σ Wρ and a mark for the rows of `#touched`; all 0 between two calls. */
  readonly #tauSums: Float64Array
  readonly #rhoSums: Float64Array
  readonly #marks: Uint8Array
  readonly #touched: Uint32Array

  /** @param columns - of the matrices, where somebody has them already: they are most of the work */
  constructor({ matrices, state }: Derived, params: EvidenceParams = EVIDENCE, columns: LatticeColumns = columnsOfLattice(matrices)) {
    this.#state = state
    this.#params = params
    this.#tau = columns.tau
    this.#rho = columns.rho
    this.#byPrior = Uint32Array.from(state.keys())
      .filter((row) => state[row]! > 0)
      .sort((a, b) => state[b]! - state[a]! || a - b)
    this.#tauSums = new Float64Array(state.length)
    this.#rhoSums = new Float64Array(state.length)
    this.#marks = new Uint8Array(state.length)
    this.#touched = new Uint32Array(state.length)
  }

  /** All of `predict`'s state. */
  state(line: Uint32Array): Float32Array {
    const s = this.#state.slice()
    this.#each(line, (row, value) => (s[row] = value))
    return s
  }

  /**
   * `nearest(predict(…), exclude, k)`: the k greatest positive entries, greatest first, equal ones by row.
   * @param line - distinct rows, not empty
   */
  nearest(line: Uint32Array, exclude: Iterable<number>, k: number): Entry[] {
    const out = new Set(exclude)
    const best: Entry[] = []
    const offer = (row: number, value: number): void => {
      const worst = best.length < k ? 0 : (best[k - 1]?.value ?? Infinity)
      if (value >= worst && value > 0 && !out.has(row)) insert(best, { row, value }, k)
    }
    let kept = 0
    this.#each(line, offer, (marks) => {
      // rows that keep their prior: none beyond the first k of them can be among the best
      for (let i = 0; i < this.#byPrior.length && kept < k; i++) {
        const row = this.#byPrior[i]!
        if (marks[row] !== 0 || out.has(row)) continue
        offer(row, this.#state[row]!)
        kept++
      }
    })
    return best
  }

  /** Visits the rows that a line touches, in no order, with their values. */
  #each(line: Uint32Array, visit: (row: number, value: number) => void, marked: (marks: Uint8Array) => void = () => {}): void {
    const columns = line.slice().sort()
    let count = this.#gather(this.#tau, this.#tauSums, columns, 0)
    count = this.#gather(this.#rho, this.#rhoSums, columns, count)
    marked(this.#marks)
    const alpha = this.#params.alpha / line.length
    const beta = this.#params.beta / line.length
    for (let i = 0; i < count; i++) {
      const row = this.#touched[i]!
      visit(row, Math.fround(clamp(this.#state[row]! + alpha * this.#tauSums[row]! - beta * this.#rhoSums[row]!)))
      this.#tauSums[row] = 0
      this.#rhoSums[row] = 0
      this.#marks[row] = 0
    }
  }

  #gather({ ptr, rows, vals }: Columns, sums: Float64Array, columns: Uint32Array, touched: number): number {
    let count = touched
    for (const column of columns) {
      for (let e = ptr[column]!; e < ptr[column + 1]!; e++) {
        const row = rows[e]!
        sums[row]! += vals[e]!
        if (this.#marks[row] === 0) {
          this.#marks[row] = 1
          this.#touched[count++] = row
        }
      }
    }
    return count
  }
}

/** A matrix by columns; rows ascend within one. */
export interface Columns {
  readonly ptr: Uint32Array
  readonly rows: Uint32Array
  readonly vals: Float32Array
}

/** Both matrices of a lattice by columns. */
export interface LatticeColumns {
  readonly tau: Columns
  readonly rho: Columns
}

export function columnsOfLattice({ tau, rho }: LatticeMatrices): LatticeColumns {
  return { tau: columnsOf(tau), rho: columnsOf(rho) }
}

function columnsOf(matrix: Csr): Columns {
  const ptr = new Uint32Array(matrix.rows + 1)
  for (const column of matrix.cols) ptr[column + 1]!++
  for (let column = 0; column < matrix.rows; column++) ptr[column + 1]! += ptr[column]!
  const next = ptr.slice(0, matrix.rows)
  const rows = new Uint32Array(matrix.cols.length)
  const vals = new Float32Array(matrix.cols.length)
  for (let row = 0; row < matrix.rows; row++) {
    for (let e = matrix.ptr[row]!; e < matrix.ptr[row + 1]!; e++) {
      const at = next[matrix.cols[e]!]!++
      rows[at] = row
      vals[at] = matrix.vals[e]!
    }
  }
  return { ptr, rows, vals }
}

/** Puts an entry in its place among the k best. */
function insert(best: Entry[], entry: Entry, k: number): void {
  if (best.length === k && (k === 0 || precedes(best[k - 1]!, entry))) return
  let at = best.length === k ? k - 1 : best.length
  while (at > 0 && precedes(entry, best[at - 1]!)) {
    best[at] = best[at - 1]!
    at--
  }
  best[at] = entry
}

function precedes(a: Entry, b: Entry): boolean {
  return a.value > b.value || (a.value === b.value && a.row < b.row)
}

function clamp(value: number): number {
  return Math.max(0, Math.min(1, value))
}
