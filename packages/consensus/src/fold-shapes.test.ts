import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csrOf, rowsArbitrary } from './fold.fixture.ts'
import { ColumnShapes } from './fold-shapes.ts'

const N = 5

test('equal numbers stand for equal columns of one row', () => {
  fc.assert(
    fc.property(fc.array(rowsArbitrary(N, 2), { maxLength: 8 }), (shown) => {
      const shapes = new ColumnShapes(N)
      const columns = new Map<number, string>()
      for (const rows of shown) {
        const rowIds = Uint32Array.from(rows.keys()).sort()
        const { ptr, cols } = csrOf(rowIds.length, new Map([...rowIds].map((row, i) => [i, rows.get(row)!])))
        for (const [i, number] of shapes.numbersOf(rowIds, { ptr, cols }).entries()) {
          const held = `${rowIds[i]}: ${[...cols.subarray(ptr[i], ptr[i + 1])].join()}`
          expect(number).toBeGreaterThan(0)
          expect(columns.get(number) ?? held).toBe(held)
          columns.set(number, held)
        }
      }
    }),
  )
})

test('members with the same columns get the same number, after others came between too, if those came last', () => {
  const shapes = new ColumnShapes(N)
  const number = (...cols: number[]): number | undefined =>
    shapes.numbersOf(Uint32Array.of(3), { ptr: Uint32Array.of(0, cols.length), cols: Uint32Array.from(cols) })[0]
  expect([number(1, 2), number(1, 2), number(1, 4), number(1, 4), number(1, 2), number(), number()]).toEqual([1, 1, 2, 2, 3, 4, 4])
})
