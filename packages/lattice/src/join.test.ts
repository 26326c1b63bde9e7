import { readFileSync } from 'node:fs'
import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Csr, LatticeMatrices } from './csr.ts'
import { GATES, type Gate } from './gate.ts'
import type { HanziKernel } from './hanzi-kernel.ts'
import { buildLattice, joinSets, type TokenSets } from './join.ts'
import { parseHanziTable } from './parse-table.ts'

const sets = fc.array(fc.uniqueArray(fc.nat({ max: 11 }), { minLength: 1, maxLength: 6 }), { maxLength: 14 })
const gates: fc.Arbitrary<Gate> = fc.record({
  tau: fc.constantFrom(0, 0.2, 1 / 3, 0.35, 0.5, 1),
  rho: fc.constantFrom(0, 0.15, 1 / 3, 0.5, 1, 3),
  perRow: fc.nat({ max: 6 }),
})

describe('the join', () => {
  test('gives the edges that comparing all pairs gives', () => {
    fc.assert(
      fc.property(sets, gates, (sets, gate) => {
        const joined = joinSets(compressed(sets), gate)
        sets.forEach((_, row) => {
          const expected = edgesOf(sets, row, gate)
          expect(rowOf(joined.tau, row)).toEqual(expected.map(({ col, tau }) => [col, Math.fround(tau)]))
          expect(rowOf(joined.rho, row)).toEqual(expected.map(({ col, rho }) => [col, Math.fround(Math.min(1, rho))]))
        })
      }),
      { numRuns: 300 },
    )
  })

  test('does not depend on how tokens are numbered', () => {
    fc.assert(
      fc.property(sets, gates, (sets, gate) => {
        const renumbered = sets.map((set) => set.map((token) => 11 - token))
        expect(joinSets(compressed(renumbered), gate)).toEqual(joinSets(compressed(sets), gate))
      }),
    )
  })

  test('of no sets is empty', () => {
    expect(joinSets(compressed([]), GATES.default).tau.ptr).toHaveLength(1)
  })
})

describe('the lattice of the shipped table', () => {
  let kernel: HanziKernel
  let lattice: LatticeMatrices

  beforeAll(() => {
    kernel = parseHanziTable(zstdDecompressSync(readFileSync(new URL('../data/hanzi.bin.zst', import.meta.url)))) as HanziKernel
    lattice = buildLattice(kernel)
  })

  test('has one row per defined character, the same edges in both matrices, and weights that pass the gate', () => {
    const { tau, rho } = lattice
    expect(tau.rows).toBe(kernel.definedCount)
    expect(rho.ptr).toEqual(tau.ptr)
    expect(rho.cols).toEqual(tau.cols)
    expect(tau.cols).toHaveLength(231_251)
    expect(tau.vals.every((weight) => weight >= Math.fround(GATES.default.tau) && weight <= 1)).toBe(true)
    expect(rho.vals.every((weight) => weight >= 0 && weight <= GATES.default.rho)).toBe(true)
    for (let row = 0; row < tau.rows; row++) {
      const cols = tau.cols.subarray(tau.ptr[row], tau.ptr[row + 1])
      if (cols.length > GATES.default.perRow || cols.some((col, at) => col === row || col <= (cols[at - 1] ?? -1))) expect.fail(`row ${row}`)
    }
  })

  test('links the two forms of a character', () => {
    const [simplified, traditional] = [kernel.rowOf('学')!, kernel.rowOf('學')!]
    const linked = rowOf(lattice.tau, simplified).find(([col]) => col === traditional)
    // 學 has five tokens, four of them also those of 学: knowledge, learning, school, rad:39
    expect(linked?.[1]).toBe(Math.fround(4 / 5))
  })
})

function compressed(sets: readonly (readonly number[])[]): TokenSets {
  const ptr = new Uint32Array(sets.length + 1)
  for (const [row, set] of sets.entries()) ptr[row + 1] = ptr[row]! + set.length
  return { tokens: 12, ptr, ids: Uint32Array.from(sets.flat()) }
}

function edgesOf(sets: readonly (readonly number[])[], row: number, gate: Gate): { col: number; tau: number; rho: number }[] {
  const a = sets[row]!
  return sets
    .flatMap((b, col) => {
      const both = a.filter((token) => b.includes(token)).length
      const [tau, rho] = [both / b.length, (a.length - both) / b.length]
      return col !== row && both > 0 && tau >= gate.tau && rho <= gate.rho ? [{ col, tau, rho }] : []
    })
    .sort((x, y) => y.tau - x.tau || x.rho - y.rho || x.col - y.col)
    .slice(0, gate.perRow)
    .sort((x, y) => x.col - y.col)
}

function rowOf(matrix: Csr, row: number): [number, number][] {
  const entries: [number, number][] = []
  for (let at = matrix.ptr[row]!; at < matrix.ptr[row + 1]!; at++) entries.push([matrix.cols[at]!, matrix.vals[at]!])
  return entries
}
