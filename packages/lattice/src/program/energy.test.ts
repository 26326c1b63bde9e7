import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { converge } from '../converge.ts'
import type { Csr, LatticeMatrices } from '../csr.ts'
import { type PublishedParams, STABLE, type StableParams } from '../step.ts'
import { energyForm, fieldOf } from './energy.ts'
import type { ProgramRule } from './program.ts'
import { trace } from './trace.ts'

const ORDER = 8
const EMPTY = Array.from({ length: ORDER }, () => Array.from({ length: ORDER }, () => 0))
const unit = fc.float({ min: 0, max: 1, noNaN: true })
const states = fc.array(unit, { minLength: ORDER, maxLength: ORDER }).map((values) => Float32Array.from(values))
/** Weights that are no rounding noise, or none. */
const weight = fc.oneof(fc.constant(0), fc.float({ min: Math.fround(0.01), max: 1, noNaN: true }))
const grids = fc.array(fc.array(weight, { minLength: ORDER, maxLength: ORDER }), { minLength: ORDER, maxLength: ORDER })
const symmetric = grids.map((grid) => grid.map((row, u) => row.map((_, v) => grid[Math.min(u, v)]![Math.max(u, v)]!)))
const factor = (max: number): fc.Arbitrary<number> => fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max, noNaN: true }))
/** α + β < λ ≤ 1 */
const stable: fc.Arbitrary<ProgramRule> = fc
  .tuple(factor(0.45), factor(0.45), fc.double({ min: 0.02, max: 0.1, noNaN: true }), unit)
  .map(([alpha, beta, margin, gamma]) => ({
    profile: 'stable',
    params: { alpha, beta, gamma, lambda: alpha + beta + margin } satisfies StableParams,
  }))
/** α·τ + β·ρ ≤ 2 for rows of up to 8 edges. */
const published: fc.Arbitrary<ProgramRule> = fc
  .record({
    alpha: factor(0.12),
    beta: factor(0.12),
    gamma: unit,
    teacher: fc.constantFrom('raw', 'lattice'),
  })
  .map((params) => ({ profile: 'published', params: params as PublishedParams }))

/** Symmetric, with row sums that are multiples of those of the first: what is lacking stands on the diagonal. */
const balanced: fc.Arbitrary<LatticeMatrices> = fc
  .tuple(symmetric, symmetric, fc.double({ min: 0.25, max: 4, noNaN: true }))
  .map(([tau, rho, factor]) => {
    const sums = tau.map((row) => row.reduce((a, b) => a + b, 0))
    const shrink = Math.min(1, ...rho.map((row, u) => (factor * sums[u]!) / (row.reduce((a, b) => a + b, 0) || 1)))
    const scaled = rho.map((row) => row.map((value) => Math.fround(value * shrink * 0.5)))
    const filled = scaled.map((row, u) => row.map((value, v) => (u === v ? factor * sums[u]! - row.reduce((a, b) => a + b, 0) + value : value)))
    return { tau: sparse(tau), rho: sparse(filled) }
  })

const lattices: fc.Arbitrary<LatticeMatrices> = fc.oneof(
  symmetric.map((tau) => ({ tau: sparse(tau), rho: sparse(EMPTY) })),
  symmetric.map((rho) => ({ tau: sparse(EMPTY), rho: sparse(rho) })),
)

describe('the energy of the stable profile', () => {
  test('never rises where Wτ is symmetric, or Wρ', () => {
    fc.assert(fc.property(lattices, states, fc.option(states, { nil: undefined }), stable, neverRises), { numRuns: 300 })
  })

  test("never rises where both are, with row sums of one that are a multiple of the other's", () => {
    // f32 weights keep the row sums to 10⁻⁷ only, so the form is asked with the weights that the exact matrices have
    fc.assert(
      fc.property(balanced, states, states, stable, (w, s0, teacher, rule) => {
        const sums = Float64Array.from({ length: ORDER }, (_, row) => sumOf(w.tau, row))
        const greatest = Math.max(...sums)
        const energies = energiesWith(
          w,
          rule,
          s0,
          teacher,
          sums.map((sum) => (sum === 0 ? 1 : sum / greatest)),
        )
        for (let i = 1; i < energies.length; i++) expect(energies[i]!).toBeLessThanOrEqual(energies[i - 1]! + 4e-6 * ORDER)
      }),
      { numRuns: 300 },
    )
  })

  test('is found for two symmetric matrices with equal row sums', () => {
    const w = {
      tau: sparse([
        [0, 1],
        [1, 0],
      ]),
      rho: sparse([
        [0.5, 0.5],
        [0.5, 0.5],
      ]),
    }
    const form = energyForm(w, { profile: 'stable', params: STABLE })
    expect(form.falls).toBe(true)
    expect(form.weights).toEqual(Float64Array.of(1, 1))
  })

  test('falls by at least (1 − L/2)·Σd·(s′ − s)² in a step', () => {
    fc.assert(
      fc.property(lattices, states, states, stable, (w, s0, teacher, rule) => {
        const form = energyForm(w, rule)
        const field = fieldOf(w, rule, teacher)
        const { s } = converge(w, s0, { rule: rule as { profile: 'stable'; params: StableParams }, teacher, maxSteps: 1 })
        const { alpha, beta, lambda } = rule.params as StableParams
        const moved = s.reduce((sum, value, row) => sum + form.weights[row]! * (value - s0[row]!) ** 2, 0)
        expect(form.of(s, field)).toBeLessThanOrEqual(form.of(s0, field) - (1 - (lambda + alpha + beta) / 2) * moved + ROUNDING)
      }),
    )
  })

  test('is least where the swarm comes to rest', () => {
    fc.assert(
      fc.property(lattices, states, states, stable, (w, s0, teacher, rule) => {
        const form = energyForm(w, rule)
        const field = fieldOf(w, rule, teacher)
        const rest = converge(w, s0, { rule: rule as { profile: 'stable'; params: StableParams }, teacher, maxSteps: 2_000, tolerance: 1e-7 }).s
        expect(form.of(rest, field)).toBeLessThanOrEqual(form.of(s0, field) + ROUNDING)
        expect(form.of(rest, field)).toBeLessThanOrEqual(form.of(teacher, field) + ROUNDING)
      }),
    )
  })

  test('of a symmetric Wτ with equal row sums is the Hopfield energy with leak and field', () => {
    const w = {
      tau: sparse([
        [0, 1, 0.5],
        [1, 0, 0.5],
        [0.5, 0.5, 0.5],
      ]),
      rho: sparse([[0], [0], [0]]),
    }
    const s = Float32Array.of(1, 0.5, 0.25)
    const { alpha, gamma, lambda } = STABLE
    const hopfield = (-alpha * (1 * 0.5 * 1 + 1 * 0.25 * 0.5 + 0.5 * 0.25 * 0.5 + 0.5 * 0.25 * 0.25 * 0.5)) / 1.5
    const leak = 0.5 * lambda * (1 + 0.25 + 0.0625)
    const rule: ProgramRule = { profile: 'stable', params: STABLE }
    expect(energyForm(w, rule).of(s, fieldOf(w, rule, Float32Array.of(1, 0, 0)))).toBeCloseTo(hopfield + leak - gamma * 1, 12)
  })

  test('knows when it may rise, and then it does: a lattice in which one follows the other', () => {
    const w = {
      tau: sparse([
        [0, 1],
        [0, 0],
      ]),
      rho: sparse([
        [0, 0],
        [1, 0],
      ]),
    }
    const rule: ProgramRule = { profile: 'stable', params: { alpha: 0.45, beta: 0.45, gamma: 0.2, lambda: 0.91 } }
    expect(energyForm(w, rule).falls).toBe(false)
    expect(greatestRise(w, rule)).toBeGreaterThan(1e-3)
  })

  test('two symmetric matrices with row sums of their own have none either', () => {
    const w = {
      tau: sparse([
        [0, 1, 0],
        [1, 0, 0.05],
        [0, 0.05, 0],
      ]),
      rho: sparse([
        [0, 0.05, 0],
        [0.05, 0, 1],
        [0, 1, 0],
      ]),
    }
    const rule: ProgramRule = { profile: 'stable', params: { alpha: 0.45, beta: 0.45, gamma: 0.2, lambda: 0.91 } }
    expect(energyForm(w, rule).falls).toBe(false)
    expect(greatestRise(w, rule)).toBeGreaterThan(1e-5)
  })
})

describe('the energy of the published profile', () => {
  test('never rises where W is symmetric and a row of αWτ + βWρ sums to 2 at most', () => {
    const both = fc.tuple(symmetric, symmetric).map(([tau, rho]) => ({ tau: sparse(tau), rho: sparse(rho) }))
    fc.assert(fc.property(both, states, fc.option(states, { nil: undefined }), published, neverRises), { numRuns: 300 })
  })

  test('is not said to fall where a row sums to more, and there it rises', () => {
    const w = { tau: sparse([[0]]), rho: sparse([[1]]) }
    const rule: ProgramRule = { profile: 'published', params: { alpha: 0, beta: 3, gamma: 1, teacher: 'raw' } }
    expect(energyForm(w, rule).falls).toBe(false)
    const values = [
      ...trace(w, Float32Array.of(0.3), { rule, teacher: Float32Array.of(1), maxSteps: 4, tolerance: 0, energy: energyForm(w, rule) }),
    ].map(({ energy }) => energy!)
    expect(Math.max(...values.slice(1).map((value, i) => value - values[i]!))).toBeGreaterThan(0.01)
  })
})

describe('a trace', () => {
  test('goes where converge goes, to the bit', () => {
    fc.assert(
      fc.property(fc.tuple(grids, grids), states, fc.option(states, { nil: undefined }), fc.oneof(stable, published), (w, s0, teacher, rule) => {
        const matrices = { tau: sparse(w[0]), rho: sparse(w[1]) }
        const walk = trace(matrices, s0, { rule, teacher, maxSteps: 30, tolerance: 1e-3 })
        let step = walk.next()
        while (step.done !== true) step = walk.next()
        expect(step.value).toEqual(converge(matrices, s0, { rule, maxSteps: 30, tolerance: 1e-3, ...(teacher === undefined ? {} : { teacher }) }))
      }),
    )
  })

  test('in the stable profile the greatest move falls by 1 − λ + α + β or better, whatever the lattice', () => {
    fc.assert(
      fc.property(fc.tuple(grids, grids), states, states, stable, (w, s0, teacher, rule) => {
        const { alpha, beta, lambda } = rule.params as StableParams
        const steps = [...trace({ tau: sparse(w[0]), rho: sparse(w[1]) }, s0, { rule, teacher, maxSteps: 40, tolerance: 0 })]
        for (let i = 2; i < steps.length; i++) {
          expect(steps[i]!.greatestMove).toBeLessThanOrEqual((1 - lambda + alpha + beta) * steps[i - 1]!.greatestMove + 2 ** -22)
        }
      }),
    )
  })
})

/** Rounding of the states to binary32, a unit of 6·10⁻⁸ an entry, weighed by at most 1, times a gradient of at most 2.5. */
const ROUNDING = 4e-7 * ORDER

function neverRises(w: LatticeMatrices, s0: Float32Array, teacher: Float32Array | undefined, rule: ProgramRule): void {
  const form = energyForm(w, rule)
  expect(form.falls).toBe(true)
  const energies = [...trace(w, s0, { rule, teacher, maxSteps: 40, tolerance: 0, energy: form })].map(({ energy }) => energy!)
  for (let i = 1; i < energies.length; i++) expect(energies[i]!).toBeLessThanOrEqual(energies[i - 1]! + ROUNDING)
}

/** Energies along a trajectory for given weights, from the definition. */
function energiesWith(w: LatticeMatrices, rule: ProgramRule, s0: Float32Array, teacher: Float32Array, weights: Float64Array): number[] {
  const { alpha, beta, lambda } = rule.params as StableParams
  const field = fieldOf(w, rule, teacher)
  const energies: number[] = []
  let s = s0
  for (let step = 0; step < 40; step++) {
    energies.push(
      weights.reduce((sum, d, u) => {
        const pull = mean(w.tau, u, s) * alpha - mean(w.rho, u, s) * beta
        return sum + d * s[u]! * (0.5 * (lambda * s[u]! - pull) - field[u]!)
      }, 0),
    )
    s = converge(w, s, { rule: rule as { profile: 'stable'; params: StableParams }, teacher, maxSteps: 1 }).s
  }
  return energies
}

/** Greatest rise in a step from any of a grid of states, under any of some teachers. */
function greatestRise(w: LatticeMatrices, rule: ProgramRule): number {
  const form = energyForm(w, rule)
  const order = w.tau.rows
  const corners = Array.from({ length: 3 ** order }, (_, code) =>
    Float32Array.from({ length: order }, (_, row) => (Math.floor(code / 3 ** row) % 3) / 2),
  )
  let greatest = 0
  for (const teacher of corners) {
    for (const s0 of corners) {
      const energies = [...trace(w, s0, { rule, teacher, maxSteps: 20, tolerance: 0, energy: form })].map(({ energy }) => energy!)
      for (let i = 1; i < energies.length; i++) greatest = Math.max(greatest, energies[i]! - energies[i - 1]!)
    }
  }
  return greatest
}

function sumOf(matrix: Csr, row: number): number {
  return matrix.vals.subarray(matrix.ptr[row], matrix.ptr[row + 1]).reduce((a, b) => a + b, 0)
}

/** Row of the normalised matrix times s. */
function mean(matrix: Csr, row: number, s: Float32Array): number {
  let sum = 0
  for (let at = matrix.ptr[row]!; at < matrix.ptr[row + 1]!; at++) sum += matrix.vals[at]! * s[matrix.cols[at]!]!
  return sum === 0 ? 0 : sum / sumOf(matrix, row)
}

function sparse(rows: readonly (readonly number[])[]): Csr {
  const ptr = new Uint32Array(rows.length + 1)
  const cols: number[] = []
  const vals: number[] = []
  for (const [row, values] of rows.entries()) {
    for (const [col, value] of values.entries()) {
      if (value === 0) continue
      cols.push(col)
      vals.push(value)
    }
    ptr[row + 1] = cols.length
  }
  return { rows: rows.length, ptr, cols: Uint32Array.from(cols), vals: Float32Array.from(vals) }
}
