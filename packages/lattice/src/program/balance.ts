import type { Csr, LatticeMatrices } from '../csr.ts'
import type { RowScales } from '../step.ts'

/** Relative difference that two products of three binary64 factors may have and still be equal. */
const ROUNDING = 1e-9

/** Entries below move no state by a unit of binary32, however many there are. */
const NEGLIGIBLE: number = 2 ** -60

/** Weights outside are no weights any more: a walk over thousands of edges has multiplied its way out of binary64's precision. */
const WEIGHT_RANGE = [1e-100, 1e100] as const

/**
 * Positive weights d with d[u]·A[u][v] = d[v]·A[v][u] for all u, v, where A[u][v] = scales.tau[u]·Wτ[u][v] − scales.rho[u]·Wρ[u][v]; a row without any
 * entry has weight 1, and the greatest weight of what hangs together is 1.
 * Walks along the entries: each fixes its column's weight or must agree with it.
 * @returns undefined where there are none
 */
export function detailedBalance(w: LatticeMatrices, scales: RowScales): Float64Array | undefined {
  const weights = new Float64Array(w.tau.rows)
  for (let first = 0; first < weights.length; first++) {
    if (weights[first] !== 0) continue
    const component = spread(w, scales, weights, first)
    if (component === undefined) return undefined
    const greatest = component.reduce((most, row) => Math.max(most, weights[row]!), 0)
    for (const row of component) weights[row]! /= greatest
  }
  return weights
}

/** Gives every row that hangs together with `first` its weight. @returns those rows, or undefined when they contradict one another */
function spread(w: LatticeMatrices, scales: RowScales, weights: Float64Array, first: number): number[] | undefined {
  const rows = [first]
  weights[first] = 1
  for (const row of rows) {
    for (const matrix of [w.tau, w.rho]) {
      for (let at = matrix.ptr[row]!; at < matrix.ptr[row + 1]!; at++) {
        const column = matrix.cols[at]!
        const there = entry(w, scales, row, column)
        const back = entry(w, scales, column, row)
        if (there === 0 && back === 0) continue
        if (!(there * back > 0)) return undefined
        const weight = (weights[row]! * there) / back
        if (weights[column] === 0) {
          if (!(weight > WEIGHT_RANGE[0] && weight < WEIGHT_RANGE[1])) return undefined
          weights[column] = weight
          rows.push(column)
        } else if (Math.abs(weights[column]! - weight) > ROUNDING * weight) return undefined
      }
    }
  }
  return rows
}

/** A[u][v]; what is too small to matter, or left of two equal parts after rounding, counts as 0. */
function entry({ tau, rho }: LatticeMatrices, scales: RowScales, row: number, column: number): number {
  const plus = scales.tau[row]! * valueAt(tau, row, column)
  const minus = scales.rho[row]! * valueAt(rho, row, column)
  const value = plus - minus
  return Math.abs(value) <= Math.max(NEGLIGIBLE, ROUNDING * (plus + minus)) ? 0 : value
}

/** Columns ascend within a row. */
function valueAt({ ptr, cols, vals }: Csr, row: number, column: number): number {
  let low = ptr[row]!
  let high = ptr[row + 1]!
  while (low < high) {
    const middle = (low + high) >>> 1
    if (cols[middle]! < column) low = middle + 1
    else high = middle
  }
  return low < ptr[row + 1]! && cols[low] === column ? vals[low]! : 0
}
