import type { Csr, LatticeMatrices } from './csr.ts'

// The reference arithmetic of a step. States and weights are binary32; everything between is binary64, rounded to nearest even after each operation and never fused.
// An engine that does the same operations in the same order agrees to the bit. Only the order within a row's sum and within ‖s' − s‖ is a choice:
//
// Row sum Σ(row, x): from +0, the row's edges in storage order (columns ascend), sum = sum + val · x[col]. The products are exact, since both factors are binary32.
// An edge of weight 0 changes no bit of the sum, so Wτ and Wρ may be walked together over the union of their edges, and several rows side by side.
//
// published   s'[r] = f32(clamp(((s[r] + α·τ) − β·ρ) + γ·t))            τ = Σ(Wτ row r, s), ρ = Σ(Wρ row r, s), t = Σ(Wτ row r, teacher), or teacher[r]
// stable      s'[r] = f32(clamp(((κ·s[r] + τ·a[r]) − ρ·b[r]) + γ·teacher[r]))    κ = 1 − λ; a[r], b[r] from `rowScales`: α and β over the row's sum
// clamp(x) = max(0, min(1, x)); without a teacher its term is 0.

/** The published step: the state climbs along Wτ and sinks along Wρ until it meets a bound. */
export interface PublishedParams {
  readonly alpha: number
  readonly beta: number
  readonly gamma: number
  /** How a teacher enters: `lattice` adds γ·Wτ·teacher, `raw` adds γ·teacher. */
  readonly teacher: 'lattice' | 'raw'
}

/** The stable step: a contraction in the greatest norm with factor at most 1 − λ + α + β. */
export interface StableParams {
  readonly alpha: number
  readonly beta: number
  readonly gamma: number
  /** Leak: λ > α + β, λ ≤ 1. */
  readonly lambda: number
}

/** What the row sums of Wτ and Wρ are multiplied by, so that every row of Ŵτ sums to 1 before α and every row of Ŵρ before β. */
export interface RowScales {
  readonly tau: Float64Array
  readonly rho: Float64Array
}

export const PUBLISHED: PublishedParams = { alpha: 0.2, beta: 0.15, gamma: 0.05, teacher: 'lattice' }

/** γ = λ − α, so that a teacher in [0, 1] holds every entry in [0, 1]; contraction factor 0.75. */
export const STABLE: StableParams = { alpha: 0.2, beta: 0.15, gamma: 0.4, lambda: 0.6 }

/** Rows whose weights sum to less carry no signal and are scaled by 0: normalising would turn rounding into weight. */
export const MIN_ROW_SUM: number = 2 ** -20

/**
 * One published step.
 * @param s - state, one f32 in [0, 1] per row; not modified
 * @param teacher - target state, or undefined for none
 * @param out - receives s'; must not share memory with s or teacher
 */
export function stepPublished(
  w: LatticeMatrices,
  s: Float32Array,
  teacher: Float32Array | undefined,
  params: PublishedParams,
  out: Float32Array,
): void {
  const { alpha, beta, gamma } = params
  for (let row = 0; row < out.length; row++) {
    const moved = s[row]! + alpha * rowSum(w.tau, row, s) - beta * rowSum(w.rho, row, s)
    out[row] = clamp(moved + gamma * pull(w, row, teacher, params))
  }
}

/**
 * One stable step.
 * @param scales - `rowScales(w, params)` of the same matrices and parameters
 * @param s - state, one f32 in [0, 1] per row; not modified
 * @param teacher - target state, or undefined for none: then the state decays to 0
 * @param out - receives s'; must not share memory with s or teacher
 */
export function stepStable(
  w: LatticeMatrices,
  scales: RowScales,
  s: Float32Array,
  teacher: Float32Array | undefined,
  params: StableParams,
  out: Float32Array,
): void {
  const keep = 1 - params.lambda
  for (let row = 0; row < out.length; row++) {
    const moved = keep * s[row]! + rowSum(w.tau, row, s) * scales.tau[row]! - rowSum(w.rho, row, s) * scales.rho[row]!
    out[row] = clamp(moved + (teacher === undefined ? 0 : params.gamma * teacher[row]!))
  }
}

/** α / Σ(Wτ row, 1) and β / Σ(Wρ row, 1) of every row, 0 for rows whose sum is below MIN_ROW_SUM. */
export function rowScales(w: LatticeMatrices, params: StableParams = STABLE): RowScales {
  return { tau: scalesOf(w.tau, params.alpha), rho: scalesOf(w.rho, params.beta) }
}

/** Scale of one row, for callers that replace single rows. @param factor - α for Wτ, β for Wρ */
export function rowScale(matrix: Csr, row: number, factor: number): number {
  let sum = 0
  for (let at = matrix.ptr[row]!; at < matrix.ptr[row + 1]!; at++) sum += matrix.vals[at]!
  return sum < MIN_ROW_SUM ? 0 : factor / sum
}

/** Σ(row, x) as defined above. */
export function rowSum(matrix: Csr, row: number, x: Float32Array): number {
  const { cols, vals } = matrix
  const end = matrix.ptr[row + 1]!
  let sum = 0
  for (let at = matrix.ptr[row]!; at < end; at++) sum += vals[at]! * x[cols[at]!]!
  return sum
}

/** ‖b − a‖₂² in binary64, summed in row order. A state has settled when this is below tolerance². */
export function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let row = 0; row < a.length; row++) {
    const gap = b[row]! - a[row]!
    sum += gap * gap
  }
  return sum
}

function pull(w: LatticeMatrices, row: number, teacher: Float32Array | undefined, params: PublishedParams): number {
  if (teacher === undefined) return 0
  return params.teacher === 'lattice' ? rowSum(w.tau, row, teacher) : teacher[row]!
}

function scalesOf(matrix: Csr, factor: number): Float64Array {
  return Float64Array.from({ length: matrix.rows }, (_, row) => rowScale(matrix, row, factor))
}

function clamp(value: number): number {
  return Math.max(0, Math.min(1, value))
}
