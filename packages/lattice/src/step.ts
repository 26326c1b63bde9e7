import type { Csr, LatticeMatrices } from './csr.ts'

// The reference arithmetic of a step. Every operation below is one IEEE 754 binary32 operation, rounded to nearest even, never fused: an engine that does the same
// operations in the same order agrees to the bit. `f` stands for Math.fround.
//
// Row sum Σ(row, x): four lanes l₀ … l₃ start at +0. The row's edges are taken in storage order; edge k of the row (k from 0) does
//   l[k mod 4] = f(l[k mod 4] + f(val · x[col]))
// and the sum is f(f(l₀ + l₂) + f(l₁ + l₃)). One f32x4 register does it, zero-padding the last group (adding +0 · x changes no bit of a finite lane).
//
// published   s'[r] = clamp(f(f(f(s[r] + f(α·τ)) − f(β·ρ)) + f(γ·t)))            τ = Σ(Wτ row r, s), ρ = Σ(Wρ row r, s), t = Σ(Wτ row r, teacher)
// stable      s'[r] = clamp(f(f(f(f(κ·s[r]) + f(α·f(τ·a[r]))) − f(β·f(ρ·b[r]))) + f(γ·teacher[r])))
//             κ = f(1 − λ); a[r], b[r] = row scales (below); without a teacher the last addition is left out
// clamp(x)    x < 0 → +0, x > 1 → 1, otherwise x
// α, β, γ and κ are rounded to binary32 before use.

/** The published step: state drifts up along Wτ and down along Wρ until it meets a bound. */
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

/** Factors that give each row of Ŵτ and Ŵρ the sum 1. */
export interface RowScales {
  readonly tau: Float32Array
  readonly rho: Float32Array
}

export const PUBLISHED: PublishedParams = { alpha: 0.2, beta: 0.15, gamma: 0.05, teacher: 'lattice' }

/** γ = λ − α, so that a teacher in [0, 1] holds every entry in [0, 1] without clamping; contraction factor 0.75. */
export const STABLE: StableParams = { alpha: 0.2, beta: 0.15, gamma: 0.4, lambda: 0.6 }

/** Rows that sum to less carry no signal and are scaled by 0: their reciprocal would blow rounding up. */
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
  const alpha = Math.fround(params.alpha)
  const beta = Math.fround(params.beta)
  const gamma = Math.fround(params.gamma)
  const throughLattice = params.teacher === 'lattice'
  for (let row = 0; row < out.length; row++) {
    const up = Math.fround(alpha * rowSum(w.tau, row, s))
    const down = Math.fround(beta * rowSum(w.rho, row, s))
    let next = Math.fround(Math.fround(s[row]! + up) - down)
    if (teacher !== undefined) {
      const pull = throughLattice ? rowSum(w.tau, row, teacher) : teacher[row]!
      next = Math.fround(next + Math.fround(gamma * pull))
    }
    out[row] = clamp(next)
  }
}

/**
 * One stable step.
 * @param scales - `rowScales(w)` of the same matrices
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
  const alpha = Math.fround(params.alpha)
  const beta = Math.fround(params.beta)
  const gamma = Math.fround(params.gamma)
  const keep = Math.fround(1 - params.lambda)
  for (let row = 0; row < out.length; row++) {
    const up = Math.fround(alpha * Math.fround(rowSum(w.tau, row, s) * scales.tau[row]!))
    const down = Math.fround(beta * Math.fround(rowSum(w.rho, row, s) * scales.rho[row]!))
    let next = Math.fround(Math.fround(Math.fround(keep * s[row]!) + up) - down)
    if (teacher !== undefined) next = Math.fround(next + Math.fround(gamma * teacher[row]!))
    out[row] = clamp(next)
  }
}

/** f(1 / Σ(row, 1)) of every row, 0 for rows whose sum is below MIN_ROW_SUM. */
export function rowScales(w: LatticeMatrices): RowScales {
  return { tau: scalesOf(w.tau), rho: scalesOf(w.rho) }
}

/** Σ(row, x) as defined above: f32, four interleaved lanes. */
export function rowSum(matrix: Csr, row: number, x: Float32Array): number {
  const { cols, vals } = matrix
  const start = matrix.ptr[row]!
  const end = matrix.ptr[row + 1]!
  const whole = start + ((end - start) & ~3)
  let lane0 = 0
  let lane1 = 0
  let lane2 = 0
  let lane3 = 0
  let at = start
  for (; at < whole; at += 4) {
    lane0 = Math.fround(lane0 + Math.fround(vals[at]! * x[cols[at]!]!))
    lane1 = Math.fround(lane1 + Math.fround(vals[at + 1]! * x[cols[at + 1]!]!))
    lane2 = Math.fround(lane2 + Math.fround(vals[at + 2]! * x[cols[at + 2]!]!))
    lane3 = Math.fround(lane3 + Math.fround(vals[at + 3]! * x[cols[at + 3]!]!))
  }
  if (at < end) lane0 = Math.fround(lane0 + Math.fround(vals[at]! * x[cols[at]!]!))
  if (at + 1 < end) lane1 = Math.fround(lane1 + Math.fround(vals[at + 1]! * x[cols[at + 1]!]!))
  if (at + 2 < end) lane2 = Math.fround(lane2 + Math.fround(vals[at + 2]! * x[cols[at + 2]!]!))
  return Math.fround(Math.fround(lane0 + lane2) + Math.fround(lane1 + lane3))
}

/**
 * ‖b − a‖₂², f32: d = f(b[r] − a[r]), lane[r mod 4] += f(d·d), f(f(l₀ + l₂) + f(l₁ + l₃)), each addition rounded.
 * A state has settled when this is below f(tolerance · tolerance).
 */
export function squaredDistance(a: Float32Array, b: Float32Array): number {
  let lane0 = 0
  let lane1 = 0
  let lane2 = 0
  let lane3 = 0
  for (let row = 0; row < a.length; row += 4) {
    lane0 = Math.fround(lane0 + squaredGap(a, b, row))
    if (row + 1 < a.length) lane1 = Math.fround(lane1 + squaredGap(a, b, row + 1))
    if (row + 2 < a.length) lane2 = Math.fround(lane2 + squaredGap(a, b, row + 2))
    if (row + 3 < a.length) lane3 = Math.fround(lane3 + squaredGap(a, b, row + 3))
  }
  return Math.fround(Math.fround(lane0 + lane2) + Math.fround(lane1 + lane3))
}

function squaredGap(a: Float32Array, b: Float32Array, row: number): number {
  const gap = Math.fround(b[row]! - a[row]!)
  return Math.fround(gap * gap)
}

function scalesOf(matrix: Csr): Float32Array {
  const ones = new Float32Array(matrix.rows).fill(1)
  return Float32Array.from({ length: matrix.rows }, (_, row) => {
    const sum = rowSum(matrix, row, ones)
    return sum < MIN_ROW_SUM ? 0 : 1 / sum
  })
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value
}
