import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rowAt } from '../learned-rows.ts'
import { countLines } from './adjacent-lines.ts'
import { EvidenceCounts, type EvidenceCsr } from './counts.ts'
import { derive, type Derived, EVIDENCE, type EvidenceParams } from './derive.ts'
import { documents, letterKernel, ringLattice, textOf } from './evidence.fixture.ts'
import { predict, Readout } from './predict.ts'
import { nearest } from '../top.ts'

const N = 8
const kernel = letterKernel(N)
const base = ringLattice(N)

function countsOf(poems: readonly (readonly string[])[]): EvidenceCsr {
  const counts = new EvidenceCounts(N)
  countLines(counts, kernel, textOf(poems))
  return counts.snapshot()
}

/** Every text with its derived lattice. */
const derived = documents(N).map((poems) => ({ poems, counts: countsOf(poems), lattice: derive(countsOf(poems), base) }))

describe('derivation', () => {
  test('gives canonical matrices with weights in (0, 1], and a state in [0, 1)', () => {
    fc.assert(
      fc.property(derived, ({ lattice: { matrices, state } }) => {
        for (const { rows, ptr, cols, vals } of [matrices.tau, matrices.rho]) {
          expect([rows, ptr.length, ptr[0], ptr.at(-1), vals.length]).toEqual([N, N + 1, 0, cols.length, cols.length])
          for (let row = 0; row < N; row++) {
            for (let e = ptr[row]!; e < ptr[row + 1]!; e++) {
              expect(vals[e]! > 0 && vals[e]! <= 1).toBe(true)
              if (e > ptr[row]!) expect(cols[e]).toBeGreaterThan(cols[e - 1]!)
            }
          }
        }
        for (const value of state) expect(value >= 0 && value < 1).toBe(true)
      }),
    )
  })

  test('is the formula: shrunk pointwise mutual information, split by sign', () => {
    fc.assert(
      fc.property(derived, ({ counts, lattice }) => {
        const dense = denseOf(counts)
        const rowSums = dense.map((row) => row.reduce((a, b) => a + b, 0))
        const columnSums = dense.map((_, u) => dense.reduce((sum, row) => sum + row[u]!, 0))
        const share = (sums: readonly number[], quarters: number, at: number): number =>
          sums[at]! ** (quarters / 4) / sums.reduce((sum, each) => sum + each ** (quarters / 4), 0)
        const total = rowSums.reduce((a, b) => a + b, 0)
        for (let v = 0; v < N; v++) {
          if (rowSums[v] === 0) continue
          for (let u = 0; u < N; u++) {
            const count = dense[v]![u]!
            const chance = share(rowSums, EVIDENCE.rowQuarters, v) * share(columnSums, EVIDENCE.columnQuarters, u)
            const seen = count / 256
            const x = count === 0 ? 0 : (Math.log(count / total / chance) * (seen / (seen + EVIDENCE.shrink))) / EVIDENCE.pmiScale
            expect(weightOf(lattice, 'tau', v, u)).toBeCloseTo(Math.min(1, Math.max(0, x)), 6)
            expect(weightOf(lattice, 'rho', v, u)).toBeCloseTo(Math.min(1, Math.max(0, -x)), 6)
          }
        }
      }),
    )
  })

  test('leaves rows that nobody has counted as they are, with state 0; of no counts at all it is the base', () => {
    const { matrices, state } = derive(countsOf([['ab', 'cd']]), base)
    for (const row of [0, 1, 4, 5, 6, 7]) {
      expect(rowAt(matrices, row)).toEqual(rowAt(base, row))
      expect(state[row]).toBe(0)
    }
    expect(state[2]).toBe(EVIDENCE.priorTop)
    expect(derive(countsOf([]), base)).toEqual({ matrices: base, state: new Float32Array(N) })
  })

  test('every exponent in quarters is the power it stands for', () => {
    for (const rowQuarters of [1, 2, 3, 4] as const) {
      const params: EvidenceParams = { ...EVIDENCE, rowQuarters, shrink: 0, pmiScale: 100 }
      const lattice = derive(countsOf([['a', 'b', 'a', 'b', 'c']]), base, params)
      // C[b][a] = 2, C[a][b] = 1, C[c][b] = 1: rows 1, 2, 1 and columns 2, 2 of 4 pairs
      const p = 2 ** (rowQuarters / 4) / (2 + 2 ** (rowQuarters / 4))
      expect(weightOf(lattice, 'tau', 1, 0)).toBeCloseTo(Math.log(0.5 / (p * 0.5)) / 100, 7)
    }
  })
})

describe('the readout', () => {
  const line = fc.uniqueArray(fc.nat(N - 1), { minLength: 1 }).map((rows) => Uint32Array.from(rows))

  test('equals the dense step, entry by entry and in its best', () => {
    fc.assert(
      fc.property(derived, line, fc.uniqueArray(fc.nat(N - 1)), fc.nat(N + 2), ({ lattice }, rows, exclude, k) => {
        const readout = new Readout(lattice)
        const whole = predict(lattice, rows)
        expect(readout.state(rows)).toEqual(whole)
        // the second answer of one readout: nothing is left of the first
        expect(readout.nearest(rows, exclude, k)).toEqual(nearest(whole, exclude, k))
        expect(readout.nearest(rows.toReversed(), exclude, k)).toEqual(nearest(whole, exclude, k))
      }),
    )
  })

  test('stays in [0, 1], and without evidence is the base lattice’s', () => {
    fc.assert(
      fc.property(derived, line, ({ lattice }, rows) => {
        for (const value of predict(lattice, rows, { ...EVIDENCE, alpha: 9, beta: 9 })) expect(value >= 0 && value <= 1).toBe(true)
      }),
    )
    expect([...predict(derive(countsOf([]), base), Uint32Array.of(3))]).toEqual([0, 0, 0.25, 0, 0, 0, 0, 0])
  })

  test('foretells what followed', () => {
    const lattice = derive(
      countsOf([
        ['ab', 'cd'],
        ['ab', 'cd'],
        ['ef', 'gh'],
        ['ef', 'gh'],
      ]),
      base,
    )
    const best = new Readout(lattice).nearest(Uint32Array.of(0, 1), [], 2)
    expect(best.map(({ row }) => row)).toEqual([2, 3])
  })
})

function denseOf({ rows, ptr, cols, counts }: EvidenceCsr): number[][] {
  return Array.from({ length: rows }, (_, row) => {
    const dense = Array.from({ length: rows }, () => 0)
    for (let e = ptr[row]!; e < ptr[row + 1]!; e++) dense[cols[e]!] = counts[e]!
    return dense
  })
}

function weightOf({ matrices }: Derived, matrix: 'tau' | 'rho', row: number, column: number): number {
  const { ptr, cols, vals } = matrices[matrix]
  const at = cols.subarray(ptr[row], ptr[row + 1]).indexOf(column)
  return at === -1 ? 0 : vals[ptr[row]! + at]!
}
