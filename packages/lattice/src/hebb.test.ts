import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Csr, LatticeMatrices } from './csr.ts'
import { BASELINE_RATE, HEBB, type HebbParams, hebb, reward } from './hebb.ts'
import { type LearnedRow, type LearnedRows, rowAt, withRows } from './learned-rows.ts'

const ORDER = 12
const unit = fc.float({ min: 0, max: 1, noNaN: true })
const states = fc.array(fc.oneof(unit, fc.constant(0)), { minLength: ORDER, maxLength: ORDER }).map((values) => Float32Array.from(values))
const matrices = fc
  .array(fc.uniqueArray(fc.record({ col: fc.nat({ max: ORDER - 1 }), val: unit }), { selector: (edge) => edge.col, maxLength: 5 }), {
    minLength: ORDER,
    maxLength: ORDER,
  })
  .map((rows) => matrixOf(rows))
const lattices: fc.Arbitrary<LatticeMatrices> = fc.record({ tau: matrices, rho: matrices })
const rewards = fc.double({ min: -1, max: 1, noNaN: true })
const PARAMS: HebbParams = { ...HEBB, support: 5, perRow: 4 }
const everyRow = (): boolean => true

describe('the Hebb rule', () => {
  test('touches owned rows of the support and no others', () => {
    fc.assert(
      fc.property(lattices, states, rewards, fc.uniqueArray(fc.nat({ max: ORDER - 1 })), (w, s, reward, owned) => {
        const learned: LearnedRows = new Map()
        const touched = hebb(w, learned, s, reward, (row) => owned.includes(row), PARAMS)
        expect([...learned.keys()].toSorted((a, b) => a - b)).toEqual(touched)
        const support = [...s.keys()].filter((row) => s[row]! > 0).sort((a, b) => s[b]! - s[a]! || a - b)
        expect(touched).toEqual(
          support
            .slice(0, PARAMS.support)
            .filter((row) => owned.includes(row))
            .toSorted((a, b) => a - b),
        )
      }),
    )
  })

  test('keeps weights in [0, 1], columns ascending, rows of Wτ within their bound and the edges of Wρ', () => {
    fc.assert(
      fc.property(lattices, states, fc.array(rewards, { minLength: 1, maxLength: 6 }), (w, s, rewards) => {
        const learned: LearnedRows = new Map()
        for (const reward of rewards) hebb(w, learned, s, reward, everyRow, { ...PARAMS, eta: 3 })
        for (const [row, { tauCols, tauVals, rhoCols, rhoVals }] of learned) {
          for (const weight of [...tauVals, ...rhoVals]) expect(weight >= 0 && weight <= 1).toBe(true)
          expect([...tauCols]).toEqual([...new Set(tauCols)].toSorted((a, b) => a - b))
          expect(tauCols.length).toBeLessThanOrEqual(Math.max(PARAMS.perRow, 0))
          expect(tauCols).toHaveLength(tauVals.length)
          expect(rhoCols).toEqual(rowAt(w, row).rhoCols)
        }
      }),
    )
  })

  test('is a function of its arguments: it leaves the matrices and earlier rows alone', () => {
    fc.assert(
      fc.property(lattices, states, rewards, (w, s, reward) => {
        const before = structuredClone(w)
        const once: LearnedRows = new Map()
        hebb(w, once, s, reward, everyRow, PARAMS)
        const kept = structuredClone(once)
        const twice: LearnedRows = new Map(once)
        hebb(w, twice, s, reward, everyRow, PARAMS)
        expect(w).toEqual(before)
        expect(once).toEqual(kept)
      }),
    )
  })

  test('adds η·R·s[u]·s[v] to Wτ and 0.3·η·R·s[u]·(1 − s[v]) to the edges of Wρ, after the decay', () => {
    const w: LatticeMatrices = {
      tau: matrixOf([[{ col: 1, val: 0.5 }], [], []]),
      rho: matrixOf([
        [
          { col: 1, val: 0.25 },
          { col: 2, val: 0.5 },
        ],
        [],
        [],
      ]),
    }
    const s = Float32Array.of(0.5, 0.25, 0)
    const learned: LearnedRows = new Map()
    expect(hebb(w, learned, s, 0.8, (row) => row === 0, { ...HEBB, decay: 0.5 })).toEqual([0])
    const row = learned.get(0)!
    expect([...row.tauCols]).toEqual([1])
    expect(row.tauVals[0]).toBeCloseTo(0.25 + 0.1 * 0.8 * 0.5 * 0.25, 7)
    expect(row.rhoVals[0]).toBeCloseTo(0.125 + 0.03 * 0.8 * 0.5 * 0.75, 7)
    expect(row.rhoVals[1]).toBeCloseTo(0.25 + 0.03 * 0.8 * 0.5 * 1, 7)
  })

  test('makes an edge between characters that were active together for a reward, none for a loss', () => {
    const empty: LatticeMatrices = { tau: matrixOf([[], []]), rho: matrixOf([[], []]) }
    const s = Float32Array.of(1, 1)
    const gained: LearnedRows = new Map()
    hebb(empty, gained, s, 0.5, everyRow)
    expect([...gained.get(0)!.tauCols]).toEqual([1])
    expect(gained.get(0)!.tauVals[0]).toBe(Math.fround(0.1 * 0.5))
    const lost: LearnedRows = new Map()
    hebb(empty, lost, s, -0.5, everyRow)
    expect(lost.get(0)!.tauCols).toHaveLength(0)
  })

  test('gives the place of the weakest edge to a stronger new one, and only to a stronger one', () => {
    const full = (weight: number): LatticeMatrices => ({
      tau: matrixOf([
        [
          { col: 1, val: 0.9 },
          { col: 2, val: weight },
        ],
        [],
        [],
        [],
      ]),
      rho: matrixOf([[], [], [], []]),
    })
    const s = Float32Array.of(1, 0, 0, 1)
    const params = { ...HEBB, decay: 0, perRow: 2 }
    const columns = (weight: number): number[] => {
      const learned: LearnedRows = new Map()
      hebb(full(weight), learned, s, 1, everyRow, params)
      return [...learned.get(0)!.tauCols]
    }
    expect(columns(0.05)).toEqual([1, 3])
    expect(columns(0.2)).toEqual([1, 2])
  })
})

describe('the reward', () => {
  test('is the gain over a running mean, which the first score starts', () => {
    expect(reward(undefined, 0.4)).toEqual({ reward: 0, baseline: 0.4 })
    expect(reward(0.4, 0.5).reward).toBeCloseTo(0.1, 12)
    expect(reward(0.4, 0.5).baseline).toBeCloseTo(0.4 + 0.1 * BASELINE_RATE, 12)
  })

  test('of a constant score is 0 in the long run', () => {
    let baseline = 0
    for (let i = 0; i < 1_000; i++) baseline = reward(baseline, 0.7).baseline
    expect(reward(baseline, 0.7).reward).toBeCloseTo(0, 9)
  })
})

test('replaced rows stand in the matrices, all others as they were', () => {
  fc.assert(
    fc.property(lattices, lattices, fc.uniqueArray(fc.nat({ max: ORDER + 2 })), (w, other, rows) => {
      const learned = new Map<number, LearnedRow>(rows.map((row) => [row, rowAt(other, row % ORDER)]))
      const result = withRows(w, learned)
      for (let row = 0; row < ORDER; row++) expect(rowAt(result, row)).toEqual(learned.get(row) ?? rowAt(w, row))
      expect(result.tau.ptr).toHaveLength(ORDER + 1)
    }),
  )
})

function matrixOf(rows: readonly (readonly { col: number; val: number }[])[]): Csr {
  const sorted = rows.map((row) => row.toSorted((a, b) => a.col - b.col))
  const ptr = new Uint32Array(rows.length + 1)
  for (const [row, edges] of sorted.entries()) ptr[row + 1] = ptr[row]! + edges.length
  return {
    rows: rows.length,
    ptr,
    cols: Uint32Array.from(sorted.flat(), (edge) => edge.col),
    vals: Float32Array.from(sorted.flat(), (edge) => edge.val),
  }
}
