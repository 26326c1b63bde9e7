import type { Csr, LatticeMatrices } from '../csr.ts'
import { type RowScales, rowScales, rowSum } from '../step.ts'
import { detailedBalance } from './balance.ts'
import type { ProgramRule } from './program.ts'

// Energy of a state. Write a step as s' = clamp(s − λs + As + b), where
//
//   stable     A = αŴτ − βŴρ (rows normalised),  b = γ·teacher
//   published  A = αWτ − βWρ, λ = 0,             b = γ·Wτ·teacher, or γ·teacher
//
// and let d be positive weights with d[u]·A[u][v] = d[v]·A[v][u] for every pair (detailed balance). Then with D = diag(d)
//
//   E(s) = ½λ·sᵀDs − ½·sᵀDAs − (Db)ᵀs
//
// has the gradient −D·(−λs + As + b): a step is gradient descent of length 1 in the metric of D, projected onto the box [0, 1]ⁿ, and
//
//   E(s') ≤ E(s) − (1 − L/2)·Σ d[u]·(s'[u] − s[u])²,   L = λ + ‖A‖∞,
//
// so E never rises where L ≤ 2. In the stable profile ‖A‖∞ ≤ α + β < λ ≤ 1, so L < 2 always, and E is strictly convex: its one minimum in the box is the state at
// which the swarm comes to rest. With a symmetric Wτ alone, d are its row sums up to a factor, the normalisation cancels, and E is the Hopfield energy −½α·sᵀWτs with a leak and
// a field. A symmetric Wτ beside a symmetric Wρ has such weights where the row sums of one are a multiple of the other's, and in general not otherwise.
// A lattice without such weights (every one that was learned from text: what follows is not what goes before) has no energy of this kind. What is reported then is the
// same expression with d = 1; it may rise. What falls for every lattice in the stable profile is the greatest move max|s' − s|, by the factor 1 − λ + α + β or better.
// docs/trajectories.md has the proofs.

/** The energy that belongs to a lattice and a rule. */
export interface EnergyForm {
  /** Whether no step raises it, but for rounding (about 10⁻⁷ of Σd). */
  readonly falls: boolean
  /** d, one per row; 1 everywhere where the lattice has no detailed balance. */
  readonly weights: Float64Array
  /** E(s) for a fixed b. */
  of(s: Float32Array, field: Float64Array): number
}

/** Greatest L at which a projected step of length 1 cannot climb; the rest is for the rounding of L itself. */
const MAX_CURVATURE = 2 - 1e-9

/** @param scales - `rowScales(w, params)` of a stable rule, when the caller keeps them */
export function energyForm(w: LatticeMatrices, rule: ProgramRule, scales?: RowScales): EnergyForm {
  const rows = operatorScales(w, rule, scales)
  const leak = rule.profile === 'stable' ? rule.params.lambda : 0
  const balance = detailedBalance(w, rows)
  const weights = balance ?? new Float64Array(w.tau.rows).fill(1)
  return {
    falls: balance !== undefined && leak + greatestRow(w, rows) <= MAX_CURVATURE,
    weights,
    of(s, field) {
      let energy = 0
      for (let row = 0; row < s.length; row++) {
        if (s[row] === 0) continue
        const pull = rowSum(w.tau, row, s) * rows.tau[row]! - rowSum(w.rho, row, s) * rows.rho[row]!
        energy += weights[row]! * s[row]! * (0.5 * (leak * s[row]! - pull) - field[row]!)
      }
      return energy
    },
  }
}

/** b of a step: what the teacher adds to every row. */
export function fieldOf(w: LatticeMatrices, rule: ProgramRule, teacher: Float32Array | undefined): Float64Array {
  const { gamma } = rule.params
  return Float64Array.from({ length: w.tau.rows }, (_, row) => {
    if (teacher === undefined) return 0
    return gamma * (rule.profile === 'published' && rule.params.teacher === 'lattice' ? rowSum(w.tau, row, teacher) : teacher[row]!)
  })
}

/** What the rows of Wτ and Wρ are multiplied by in A. */
function operatorScales(w: LatticeMatrices, rule: ProgramRule, scales: RowScales | undefined): RowScales {
  if (rule.profile === 'stable') return scales ?? rowScales(w, rule.params)
  const { alpha, beta } = rule.params
  return { tau: new Float64Array(w.tau.rows).fill(alpha), rho: new Float64Array(w.rho.rows).fill(beta) }
}

/** ‖A‖∞, or a little more: edges that both matrices have are not set off against each other. */
function greatestRow({ tau, rho }: LatticeMatrices, scales: RowScales): number {
  let greatest = 0
  for (let row = 0; row < tau.rows; row++) greatest = Math.max(greatest, mass(tau, row) * scales.tau[row]! + mass(rho, row) * scales.rho[row]!)
  return greatest
}

function mass(matrix: Csr, row: number): number {
  let sum = 0
  for (let at = matrix.ptr[row]!; at < matrix.ptr[row + 1]!; at++) sum += matrix.vals[at]!
  return sum
}
