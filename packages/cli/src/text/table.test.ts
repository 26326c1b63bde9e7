import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { displayWidth } from './display-width.ts'
import { fitLine } from './line.ts'
import { type Column, table } from './table.ts'

interface Row {
  readonly name: string
  readonly note: string
  readonly size: string
}

const columns: Column<Row>[] = [
  { title: 'NAME', text: ({ name }) => name, min: 4 },
  { title: 'NOTE', text: ({ note }) => note, dropOrder: 1 },
  { title: 'SIZE', text: ({ size }) => size, align: 'right' },
]

describe('table', () => {
  test('columns stand below one another, wide characters and all', () => {
    expect(
      table(
        columns,
        [
          { name: '人工', note: 'two', size: '5' },
          { name: 'abcdef', note: '', size: '12345' },
        ],
        80,
      ),
    ).toEqual(['NAME    NOTE   SIZE', '人工    two       5', 'abcdef        12345'])
  })

  test('long cells are cut before columns are dropped', () => {
    const rows = [{ name: 'a-very-long-name', note: 'a note', size: '1' }]
    expect(table(columns, rows, 24)[1]).toBe('a-very-lo…  a note     1')
    expect(table(columns, rows, 13)).toEqual(['NAME     SIZE', 'a-very…     1'])
  })

  test('fits every width down to what cannot be given up', () => {
    const row = fc.record({
      name: fc.string({ unit: 'grapheme-ascii', maxLength: 30 }),
      note: fc.string({ unit: fc.constantFrom('人', 'x'), maxLength: 30 }),
      size: fc.string({ unit: 'grapheme-ascii', maxLength: 6 }),
    })
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), fc.integer({ min: 12, max: 100 }), (rows, width) => {
        for (const line of table(columns, rows, width)) expect(displayWidth(line)).toBeLessThanOrEqual(width)
      }),
    )
  })

  test('paint may style but sees a cell of the right width', () => {
    const painted = table(
      [{ title: 'X', text: () => 'ab', paint: (text) => `<${text}>` }, ...columns.slice(2)],
      [{ name: '', note: '', size: '1' }],
      40,
    )
    expect(painted[1]).toBe('<ab>     1')
  })
})

describe('line', () => {
  test('the least important pieces go first', () => {
    const pieces = ['must', { text: 'nice', dropOrder: 2 }, { text: 'good', dropOrder: 1 }, '']
    expect(fitLine(pieces, 40)).toBe('must  nice  good')
    expect(fitLine(pieces, 12)).toBe('must  good')
    expect(fitLine(pieces, 3)).toBe('must')
  })
})
