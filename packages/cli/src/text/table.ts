import { displayWidth, pad, truncate } from './display-width.ts'

export interface Column<Row> {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** The cell without any styling. */
  text(row: Row): string
  /** Styles a cell that is already cut and padded; the width must not change. */
  paint?(text: string, row: Row): string
  /** May be cut with `…` down to this many columns when the line is too long; default: never cut. */
  readonly min?: number
  /** Columns with the highest number are left out first when cutting does not suffice; 0 or none: never. */
  readonly dropOrder?: number
}

/** Spaces between two columns. */
const GAP = 2

/**
 * Lays out rows under a heading, each line at most `width` columns: long cells are cut first, then columns are dropped by `dropOrder`.
 * A table whose undroppable, uncut columns are wider than `width` overflows rather than losing them.
 * @returns lines without a final break; no trailing spaces
 */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  heading: (text: string) => string = (text) => text,
): string[] {
  let kept = [...columns]
  let widths = fit(kept, rows, width)
  while (total(widths) > width) {
    const worst = kept.reduce((found, column) => Math.max(found, column.dropOrder ?? 0), 0)
    if (worst === 0) break
    kept = kept.filter((column) => column.dropOrder !== worst)
    widths = fit(kept, rows, width)
  }
  const line = (cells: readonly string[]): string => cells.join(' '.repeat(GAP)).trimEnd()
  const head = line(kept.map((column, index) => pad(column.title, widths[index]!, column.align)))
  const body = rows.map((row) =>
    line(
      kept.map((column, index) => {
        const cell = pad(truncate(column.text(row), widths[index]!), widths[index]!, column.align)
        return column.paint === undefined ? cell : column.paint(cell, row)
      }),
    ),
  )
  return [heading(head), ...body]
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, widths.length - 1)
}

/** Natural widths, then the widest of the columns that may be cut gives way, one column at a time. */
function fit<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): number[] {
  const widths = columns.map((column) => Math.max(displayWidth(column.title), ...rows.map((row) => displayWidth(column.text(row)))))
  while (total(widths) > width) {
    let widest = -1
    for (const [index, column] of columns.entries()) {
      const least = Math.max(column.min ?? Infinity, displayWidth(column.title))
      if (widths[index]! > least && (widest < 0 || widths[index]! > widths[widest]!)) widest = index
    }
    if (widest < 0) break
    widths[widest]! -= 1
  }
  return widths
}
