import type { LatticeMatrices } from './csr.ts'
import { type LearnedRow, type LearnedRows, rowAt } from './learned-rows.ts'
import { nearest } from './top.ts'

export interface HebbParams {
  /** Learning rate η. */
  readonly eta: number
  /** Share of the learning rate with which Wρ learns. */
  readonly rhoRatio: number
  /** Share of its weight that every edge of a touched row loses first. */
  readonly decay: number
  /** Size k of the support: the greatest entries of the state. */
  readonly support: number
  /** Most edges of a learned row of Wτ. */
  readonly perRow: number
}

export const HEBB: HebbParams = { eta: 0.1, rhoRatio: 0.3, decay: 1e-3, support: 32, perRow: 64 }

/** Weight of a new score in the running baseline: it forgets over about 32 lines. */
export const BASELINE_RATE: number = 1 / 32

/** Running mean of scores; undefined before the first. */
export type Baseline = number | undefined

/** R = score − running baseline, and the baseline to go on with. The first score is its own baseline: R = 0. */
export function reward(baseline: Baseline, score: number): { readonly reward: number; readonly baseline: number } {
  const before = baseline ?? score
  return { reward: score - before, baseline: before + BASELINE_RATE * (score - before) }
}

/**
 * The published Hebb rule on the support of a state, the k greatest positive entries. For each row u of the support that `owns` admits:
 *
 *     every weight of the row decays by the factor 1 − δ, then
 *     Wτ[u][v] += η·R·s[u]·s[v]              for v ≠ u in the support; a missing edge is created when R > 0
 *     Wρ[u][v] += 0.3·η·R·s[u]·(1 − s[v])    for every edge that row u of Wρ has
 *
 * clamped to [0, 1], in binary32. Of a row of Wτ that outgrows `perRow` the greatest weights stay, equal ones by column: a new edge displaces only a weaker one.
 * Rows are seeded from `current` at their first touch.
 *
 * @param current - the matrices that the state was computed with
 * @param learned - changed in place: touched rows are replaced
 * @returns the touched rows, ascending
 */
export function hebb(
  current: LatticeMatrices,
  learned: LearnedRows,
  s: Float32Array,
  reward: number,
  owns: (row: number) => boolean,
  params: HebbParams = HEBB,
): number[] {
  const support = nearest(s, [], params.support).map((entry) => entry.row)
  const touched = support.filter((row) => owns(row)).sort((a, b) => a - b)
  for (const row of touched) {
    const before = learned.get(row) ?? rowAt(current, row)
    learned.set(row, { ...learnTau(before, row, s, reward, support, params), ...learnRho(before, row, s, reward, params) })
  }
  return touched
}

function learnTau(
  before: LearnedRow,
  row: number,
  s: Float32Array,
  reward: number,
  support: readonly number[],
  params: HebbParams,
): Pick<LearnedRow, 'tauCols' | 'tauVals'> {
  const keep = Math.fround(1 - params.decay)
  const rate = Math.fround(params.eta * reward)
  const weights = new Map<number, number>()
  before.tauCols.forEach((col, at) => weights.set(col, Math.fround(before.tauVals[at]! * keep)))
  for (const col of support) {
    const old = weights.get(col)
    if (col === row || (old === undefined && rate <= 0)) continue
    weights.set(col, clamp(Math.fround((old ?? 0) + Math.fround(rate * Math.fround(s[row]! * s[col]!)))))
  }
  let edges = [...weights]
  if (edges.length > params.perRow) edges = edges.sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, params.perRow)
  edges.sort((a, b) => a[0] - b[0])
  return { tauCols: Uint32Array.from(edges, (edge) => edge[0]), tauVals: Float32Array.from(edges, (edge) => edge[1]) }
}

function learnRho(before: LearnedRow, row: number, s: Float32Array, reward: number, params: HebbParams): Pick<LearnedRow, 'rhoCols' | 'rhoVals'> {
  const keep = Math.fround(1 - params.decay)
  const rate = Math.fround(params.rhoRatio * params.eta * reward)
  const rhoVals = before.rhoVals.map((weight, at) => {
    const apart = Math.fround(1 - s[before.rhoCols[at]!]!)
    return clamp(Math.fround(Math.fround(weight * keep) + Math.fround(rate * Math.fround(s[row]! * apart))))
  })
  return { rhoCols: before.rhoCols.slice(), rhoVals }
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value
}
