import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { converge, DEFAULT_MAX_STEPS } from './converge.ts'
import type { Csr, LatticeMatrices } from './csr.ts'
import { rowScales, rowSum, STABLE, type StableParams, squaredDistance, stepPublished, stepStable } from './step.ts'

const ORDER = 9
const unit = fc.float({ min: 0, max: 1, noNaN: true })
const states = fc.array(unit, { minLength: ORDER, maxLength: ORDER }).map((values) => Float32Array.from(values))
const matrices = fc
  .array(fc.array(fc.option(unit, { freq: 2 }), { minLength: ORDER, maxLength: ORDER }), { minLength: ORDER, maxLength: ORDER })
  .map((rows) => sparse(rows))
const lattices: fc.Arbitrary<LatticeMatrices> = fc.record({ tau: matrices, rho: matrices })
/** α + β < λ ≤ 1 */
const params: fc.Arbitrary<StableParams> = fc
  .tuple(
    fc.double({ min: 0, max: 0.45, noNaN: true }),
    fc.double({ min: 0, max: 0.45, noNaN: true }),
    fc.double({ min: 0.02, max: 0.1, noNaN: true }),
    unit,
  )
  .map(([alpha, beta, margin, gamma]) => ({ alpha, beta, gamma, lambda: alpha + beta + margin }))

describe('the stable step', () => {
  test('keeps every entry in [0, 1]', () => {
    fc.assert(
      fc.property(lattices, states, fc.option(states, { nil: undefined }), params, (w, s, teacher, params) => {
        for (const value of stable(w, s, teacher, params)) {
          expect(value).toBeGreaterThanOrEqual(0)
          expect(value).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  test('brings two states nearer in the greatest norm, by at least 1 − λ + α + β', () => {
    fc.assert(
      fc.property(lattices, states, states, states, params, (w, s, t, teacher, params) => {
        const factor = 1 - params.lambda + params.alpha + params.beta
        const rounding = 2 ** -22
        expect(greatestGap(stable(w, s, teacher, params), stable(w, t, teacher, params))).toBeLessThanOrEqual(factor * greatestGap(s, t) + rounding)
      }),
    )
  })

  test('does not contract when the leak is too small', () => {
    const lonely: LatticeMatrices = { tau: sparse([[1]]), rho: sparse([[null]]) }
    const params = { alpha: 0.5, beta: 0, gamma: 0, lambda: 0.1 }
    const [s, t] = [Float32Array.of(0.1), Float32Array.of(0.2)]
    expect(greatestGap(stable(lonely, s, undefined, params), stable(lonely, t, undefined, params))).toBeGreaterThan(greatestGap(s, t))
  })

  test('comes to rest at one state from everywhere, with the default parameters and a teacher', () => {
    fc.assert(
      fc.property(lattices, states, states, states, (w, s, t, teacher) => {
        const [a, b] = [s, t].map((start) => converge(w, start, { teacher })) as [ReturnType<typeof converge>, ReturnType<typeof converge>]
        expect(a.converged && b.converged).toBe(true)
        expect(a.steps).toBeLessThanOrEqual(DEFAULT_MAX_STEPS)
        // a last move below 10⁻³ leaves at most 10⁻³ / (1 − 0.75) to go, from both sides
        expect(greatestGap(a.s, b.s)).toBeLessThan(8e-3)
      }),
    )
  })

  test('decays to nothing without a teacher', () => {
    fc.assert(
      fc.property(lattices, states, (w, s) => {
        const result = converge(w, s, { tolerance: 1e-6, maxSteps: 200 })
        expect(result.converged).toBe(true)
        expect(Math.max(...result.s)).toBeLessThan(1e-5)
      }),
    )
  })

  test('with its default parameters stays in [0, 1] without the clamp: λ ≥ α + γ', () => {
    expect(STABLE.alpha + STABLE.gamma).toBeLessThanOrEqual(STABLE.lambda + 1e-12)
    expect(STABLE.alpha + STABLE.beta).toBeLessThan(STABLE.lambda)
  })
})

describe('the arithmetic', () => {
  test('does not see edges of weight 0: both matrices may be walked over the union of their edges', () => {
    fc.assert(
      fc.property(lattices, states, states, (w, s, teacher) => {
        const padded = { tau: withZeros(w.tau), rho: withZeros(w.rho) }
        expect(stable(padded, s, teacher, STABLE)).toEqual(stable(w, s, teacher, STABLE))
      }),
    )
  })

  test('sums a row in the order of its columns', () => {
    // 1 + 2⁻⁵³ rounds to 1, twice; in the other order the small ones add up to 2⁻⁵² first
    const tiny = 2 ** -30
    const matrix: Csr = { rows: 1, ptr: Uint32Array.of(0, 3), cols: Uint32Array.of(0, 1, 2), vals: Float32Array.of(1, tiny, tiny) }
    const x = Float32Array.of(1, 2 ** -23, 2 ** -23)
    expect(rowSum(matrix, 0, x)).toBe(1)
    expect(rowSum({ ...matrix, vals: matrix.vals.toReversed() }, 0, x.toReversed())).toBe(1 + 2 ** -52)
  })

  test('a row without weight has scale 0, not infinity', () => {
    const w = { tau: sparse([[1e-8]]), rho: sparse([[null]]) }
    expect(rowScales(w)).toEqual({ tau: Float64Array.of(0), rho: Float64Array.of(0) })
  })

  test('a distance is the sum of squares', () => {
    expect(squaredDistance(Float32Array.of(0, 1, 0.5), Float32Array.of(1, 1, 0))).toBe(1.25)
  })
})

test('the published step keeps every entry in [0, 1], with either kind of teacher', () => {
  fc.assert(
    fc.property(lattices, states, states, fc.constantFrom('raw' as const, 'lattice' as const), (w, s, target, teacher) => {
      const out = new Float32Array(ORDER)
      stepPublished(w, s, target, { alpha: 2, beta: 2, gamma: 2, teacher }, out)
      expect(out.every((value) => value >= 0 && value <= 1)).toBe(true)
    }),
  )
})

test('a trajectory leaves its start alone and says when it ran out of steps', () => {
  const w: LatticeMatrices = { tau: sparse([[null]]), rho: sparse([[null]]) }
  const s0 = Float32Array.of(1)
  expect(converge(w, s0, { maxSteps: 2 })).toMatchObject({ steps: 2, converged: false })
  expect(s0[0]).toBe(1)
})

function stable(w: LatticeMatrices, s: Float32Array, teacher: Float32Array | undefined, params: StableParams): Float32Array {
  const out = new Float32Array(s.length)
  stepStable(w, rowScales(w, params), s, teacher, params, out)
  return out
}

function greatestGap(a: Float32Array, b: Float32Array): number {
  return Math.max(...a.map((value, row) => Math.abs(value - b[row]!)))
}

function sparse(rows: readonly (readonly (number | null)[])[]): Csr {
  const ptr = new Uint32Array(rows.length + 1)
  const cols: number[] = []
  const vals: number[] = []
  for (const [row, values] of rows.entries()) {
    for (const [col, value] of values.entries()) {
      if (value !== null) {
        cols.push(col)
        vals.push(value)
      }
    }
    ptr[row + 1] = cols.length
  }
  return { rows: rows.length, ptr, cols: Uint32Array.from(cols), vals: Float32Array.from(vals) }
}

/** The same matrix with an explicit edge of weight 0 wherever there was none. */
function withZeros(matrix: Csr): Csr {
  const full = Array.from({ length: matrix.rows }, () => Array.from({ length: matrix.rows }, () => 0))
  for (let row = 0; row < matrix.rows; row++) {
    for (let at = matrix.ptr[row]!; at < matrix.ptr[row + 1]!; at++) full[row]![matrix.cols[at]!] = matrix.vals[at]!
  }
  return sparse(full)
}
