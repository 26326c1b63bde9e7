import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkRows } from './check-rows.ts'
import { blockOf, rowsArbitrary } from './fold.fixture.ts'
import type { RowBlock } from './row-block.ts'

/** Rows 0 to 4 are radical 7's, the others radical 8's. */
const radicals = Uint8Array.from({ length: 10 }, (_, row) => (row < 5 ? 7 : 8))
const good = blockOf(
  7,
  new Map([
    [
      1,
      new Map([
        [0, 0.5],
        [9, 1],
      ]),
    ],
    [3, new Map([[2, 0]])],
  ]),
  new Map([[3, new Map([[4, 1]])]]),
)
const values = (...list: number[]): Float32Array => Float32Array.from(list)
const ids = (...list: number[]): Uint32Array => Uint32Array.from(list)

describe('checkRows (docs/protocol.md §9.2)', () => {
  test('takes rows of the radical', () => {
    expect(checkRows(radicals, good)).toBeUndefined()
    expect(checkRows(radicals, blockOf(7, new Map(), new Map()))).toBeUndefined()
  })

  test('takes any rows that are well-formed', () => {
    fc.assert(
      fc.property(rowsArbitrary(10), rowsArbitrary(10), (tau, rho) => {
        expect(checkRows(new Uint8Array(10).fill(7), blockOf(7, tau, rho))).toBeUndefined()
      }),
    )
  })

  test.each<[string, Partial<RowBlock>]>([
    ['row 1 belongs to radical 7, not to 8', { radical: 8 }],
    ['row 10 lies outside the lattice of 10 rows', { rowIds: ids(1, 10) }],
    ['row 1 is out of order', { rowIds: ids(3, 1) }],
    ['row 3 is out of order', { rowIds: ids(3, 3) }],
    ['the offsets of Wτ do not fit its edges', { tauPtr: ids(0, 2) }],
    ['the offsets of Wτ do not fit its edges', { tauPtr: ids(0, 2, 4) }],
    ['the offsets of Wτ do not fit its edges', { tauPtr: ids(1, 2, 3) }],
    ['the offsets of Wρ do not fit its edges', { rhoVals: values() }],
    ['the offsets of Wτ do not ascend at row 1', { tauPtr: ids(0, 9, 3) }],
    ['row 1 of Wτ has an edge to 10, outside the lattice', { tauCols: ids(0, 10, 2) }],
    ['the columns of row 1 of Wτ do not ascend', { tauCols: ids(9, 9, 2) }],
    ['row 1 of Wτ has an edge of weight NaN', { tauVals: values(Number.NaN, 1, 0) }],
    ['row 1 of Wτ has an edge of weight Infinity', { tauVals: values(0, Infinity, 0) }],
    ['row 3 of Wρ has an edge of weight 1.5', { rhoVals: values(1.5) }],
    ['row 3 of Wρ has an edge of weight -0.5', { rhoVals: values(-0.5) }],
  ])('%s', (reason, change) => {
    expect(checkRows(radicals, { ...good, ...change })).toBe(reason)
  })

  test('65 edges in a row are one too many', () => {
    const row = (edges: number): RowBlock => blockOf(7, new Map([[0, new Map(Array.from({ length: edges }, (_, i) => [i, 1]))]]), new Map())
    expect(checkRows(new Uint8Array(100).fill(7), row(64))).toBeUndefined()
    expect(checkRows(new Uint8Array(100).fill(7), row(65))).toBe('row 0 of Wτ has 65 edges; 64 are allowed')
  })
})
