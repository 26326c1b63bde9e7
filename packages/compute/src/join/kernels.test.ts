import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { idSetsOf } from './id-sets.ts'
import { joinOn } from './join-run.ts'
import type { JoinKernel } from './kernel.ts'
import { joinPaths, loadNativeKernel } from './native-kernel.ts'
import { planJoin } from './plan.ts'
import type { IdSets, PairGate } from './port.ts'
import { loadReferenceKernel } from './reference-kernel.ts'
import { syntheticSets } from './synthetic.fixture.ts'
import { loadWasmKernel } from './wasm-kernel.ts'

/** The addon is missing where there is no C compiler; a test of native-kernel says so. */
function nativeKernels(): JoinKernel[] {
  try {
    return joinPaths().map((_, path) => loadNativeKernel(path))
  } catch {
    return []
  }
}

const rows = fc.array(fc.array(fc.nat({ max: 11 }), { maxLength: 8 }), { maxLength: 40 })
const gates: fc.Arbitrary<PairGate> = fc.record({
  tau: fc.constantFrom(0, 0.2, 1 / 3, 0.35, 0.5, 1),
  rho: fc.constantFrom(0, 0.15, 1 / 3, 0.5, 1, 3),
  top: fc.constantFrom(1, 2, 3, 7, 1_000),
})

describe.each([...nativeKernels(), loadWasmKernel(), loadReferenceKernel()])('$name, $about,', (kernel) => {
  test('finds the pairs that comparing all pairs finds', () => {
    fc.assert(
      fc.property(rows, gates, (rows, gate) => {
        const { ptr, cols, shared, sizes } = joinOn(kernel, idSetsOf(rows), gate)
        expect([...sizes]).toEqual(rows.map((row) => new Set(row).size))
        rows.forEach((_, row) => {
          const expected = comparingAll(rows, row, gate)
          expect([...cols.subarray(ptr[row], ptr[row + 1])]).toEqual(expected.map(({ col }) => col))
          expect([...shared.subarray(ptr[row], ptr[row + 1])]).toEqual(expected.map(({ both }) => both))
        })
      }),
      { numRuns: 300 },
    )
  })

  test('does not depend on what the ids are, nor on the order within a set', () => {
    fc.assert(
      fc.property(rows, gates, (rows, gate) => {
        const others = rows.map((row) => row.toReversed().map((id) => Math.imul(id + 1, 0x9e3779b1) >>> 0))
        expect(joinOn(kernel, idSetsOf(others), gate)).toEqual(joinOn(kernel, idSetsOf(rows), gate))
      }),
      { numRuns: 60 },
    )
  })

  test.each([
    ['short, few ids', { sets: 1_500, vocabulary: 60, exponent: 0.5, sizes: [1, 12], kin: 0.1, seed: 11 }, { tau: 0.35, rho: 0.5, top: 5 }],
    ['Zipf', { sets: 1_500, vocabulary: 5_000, exponent: 1, sizes: [20, 40], kin: 0.2, seed: 12 }, { tau: 0.35, rho: 0.5, top: 1_500 }],
    ['long and short', { sets: 300, vocabulary: 900, exponent: 0.7, sizes: [1, 600], kin: 0.5, seed: 13 }, { tau: 0.6, rho: 0.4, top: 4 }],
    ['loose', { sets: 400, vocabulary: 300, exponent: 1, sizes: [5, 15], kin: 0.2, seed: 14 }, { tau: 0.1, rho: 2, top: 20 }],
  ] as const)('gives what the whole index gives: %s', (_, synthetic, gate) => {
    const sets = syntheticSets(synthetic)
    const known = joinOn(loadReferenceKernel(), sets, gate)
    expect(known.cols.length).toBeGreaterThan(100)
    expect(joinOn(kernel, sets, gate)).toEqual(known)
  })

  test('counts past what 8 bits hold', () => {
    const long = Array.from({ length: 65_535 }, (_, id) => id)
    const { cols, shared } = joinOn(kernel, idSetsOf([long, long.toReversed(), [7]]), { tau: 1, rho: 70_000, top: 9 })
    expect([...cols]).toEqual([1, 2, 0, 2])
    expect([...shared]).toEqual([65_535, 1, 65_535, 1])
  })

  test('of many equal sets keeps the first ones', () => {
    const { ptr, cols } = joinOn(kernel, idSetsOf(Array.from({ length: 500 }, () => [3, 1, 4])), { tau: 0.35, rho: 0.5, top: 2 })
    expect([...cols.subarray(0, 2)]).toEqual([1, 2])
    expect([...cols.subarray(ptr[400], ptr[401])]).toEqual([0, 1])
  })

  test('of no sets and of empty ones finds nothing', () => {
    expect(joinOn(kernel, idSetsOf([]), { tau: 0, rho: 1, top: 1 }).ptr).toEqual(new Uint32Array(1))
    expect(joinOn(kernel, idSetsOf([[], []]), { tau: 0, rho: 1, top: 1 }).cols).toHaveLength(0)
  })

  test('works in pieces when its buffers hold fewer pairs than there are', () => {
    // 300 equal sets have 89,700 pairs, the buffers 65,536
    const { cols } = joinOn(kernel, idSetsOf(Array.from({ length: 300 }, () => [1, 2])), { tau: 0.35, rho: 0.5, top: 300 })
    expect(cols).toHaveLength(300 * 299)
  })

  test('leaves its counters clean: a second pass over the rows gives the same', () => {
    const sets: IdSets = syntheticSets({ sets: 200, vocabulary: 40, exponent: 1, sizes: [6, 6], kin: 0, seed: 15 })
    const plan = planJoin(sets, { tau: 0.5, rho: 0.5, top: 10 })
    const loaded = kernel.load(plan, 10)
    const once = structuredClone(loaded.rows(0, 200, Uint32Array.of(3)))
    expect(structuredClone(loaded.rows(0, 200, Uint32Array.of(3)))).toEqual(once)
    expect(once.positions.length).toBeGreaterThan(100)
  })
})

function comparingAll(rows: readonly (readonly number[])[], row: number, { tau, rho, top }: PairGate): { col: number; both: number }[] {
  const a = new Set(rows[row])
  return rows
    .flatMap((other, col) => {
      const b = new Set(other)
      const both = [...b].filter((id) => a.has(id)).length
      const pair = { col, both, tau: both / b.size, rho: (a.size - both) / b.size }
      return col !== row && both > 0 && pair.tau >= tau && pair.rho <= rho ? [pair] : []
    })
    .sort((x, y) => y.tau - x.tau || x.rho - y.rho || x.col - y.col)
    .slice(0, top)
    .map(({ col, both }) => ({ col, both }))
}
