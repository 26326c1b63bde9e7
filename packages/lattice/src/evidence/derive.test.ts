import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rowAt } from '../learned-rows.ts'
import { countLines } from './count-lines.ts'
import { EvidenceCounts, type EvidenceCsr } from './counts.ts'
import { derive, type Derived, EVIDENCE } from './derive.ts'
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

  test('is the formula, computed another way', () => {
    fc.assert(
      fc.property(derived, ({ counts, lattice }) => {
        const { prune, smoothing, shrink, gainFloor, background, chance, nats, statePerNat, occurrence } = EVIDENCE
        const dense = denseOf(counts)
        const mass = dense.map((row, v) => row.map((count, u) => (count + dense[u]![v]! / 2) / 256))
        const r = mass.map((_, u) => sum(mass.map((row) => row[u]!)))
        const c = mass.map((row) => sum(row))
        const total = sum(c)
        const gain = r.map((each) => ((each * r.filter((other) => other > 0).length) / total + gainFloor) ** -0.125)
        const z = sum(gain.map((each, u) => (each * r[u]!) / total))
        for (let v = 0; v < N; v++) {
          if (c[v] === 0) continue
          expect(lattice.state[v]).toBeCloseTo(statePerNat * (1 + Math.log(1 + c[v]! / occurrence)), 6)
          for (let u = 0; u < N; u++) {
            const m = mass[v]![u]!
            const expected = (r[u]! * c[v]!) / total
            const pmi = (((Math.log((m + smoothing) / (expected + smoothing)) * m) / (m + shrink)) * gain[u]!) / z
            const model = Math.log(1 + m / ((background * c[v]!) / total + chance * expected))
            const w = Math.max(dense[v]![u]!, dense[u]![v]!) > prune ? (pmi + model) / 2 / nats : 0
            expect(weightOf(lattice, 'tau', v, u)).toBeCloseTo(Math.min(1, Math.max(0, w)), 6)
            expect(weightOf(lattice, 'rho', v, u)).toBeCloseTo(Math.min(1, Math.max(0, -w)), 6)
          }
        }
      }),
    )
  })

  test('has an edge for a pair of more than a quarter observation, whichever way it was counted', () => {
    const of = (count: number): Derived => {
      const counts = new EvidenceCounts(N)
      counts.add(1, 0, count)
      return derive(counts.snapshot(), base)
    }
    expect([weightOf(of(64), 'tau', 1, 0), weightOf(of(64), 'tau', 0, 1)]).toEqual([0, 0])
    expect(weightOf(of(65), 'tau', 1, 0)).toBeGreaterThan(0)
    expect(weightOf(of(65), 'tau', 0, 1)).toBeGreaterThan(0)
    expect(of(64).state[1]).toBeGreaterThan(0)
  })

  test('leaves rows without mass a 64th of the base, with state 0; of no counts at all it is the base', () => {
    const { matrices, state } = derive(countsOf([['ab', 'cd']]), base)
    for (const row of [4, 5, 6, 7]) {
      const { tauCols, tauVals, rhoCols, rhoVals } = rowAt(base, row)
      expect(rowAt(matrices, row)).toEqual({ tauCols, tauVals: tauVals.map((w) => w / 64), rhoCols, rhoVals: rhoVals.map((w) => w / 64) })
      expect(state[row]).toBe(0)
    }
    expect(derive(countsOf([]), base)).toEqual({ matrices: base, state: new Float32Array(N) })
  })

  test('what nobody has seen is guessed after what somebody has', () => {
    fc.assert(
      fc.property(derived, fc.nat(N - 1), ({ poems, lattice }, row) => {
        const s = predict(lattice, Uint32Array.of(row))
        const seen = [...s].filter((_, v) => lattice.state[v]! > 0)
        const unseen = [...s].filter((_, v) => lattice.state[v] === 0)
        if (poems.length > 0 && seen.length > 0) expect(Math.max(0, ...unseen)).toBeLessThan(Math.min(...seen))
      }),
    )
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
    expect([...predict(derive(countsOf([]), base), Uint32Array.of(3))]).toEqual([0, 0, 0.25 * EVIDENCE.alpha, 0, 0, 0, 0, 0])
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
    expect(new Readout(lattice).nearest(Uint32Array.of(4, 5), [], 2).map(({ row }) => row)).toEqual([6, 7])
  })
})

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}

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
