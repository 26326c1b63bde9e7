import { HeaviestEdges } from './fold-heaviest.ts'
import { type FoldStatistic, type FoldTask, type RowSide, toleratedOf, trimOf } from './fold-kernel.ts'

export type OrderStatistic = Exclude<FoldStatistic, 'mean' | 'max'>

/**
 * `median`: the middle value, or half the sum of the two in the middle. `trimmed`: the mean of what is left without the lowest and the highest third,
 * each rounded down, summed in ascending order.
 * @param values - ascending, in [0, 1]
 * @param zeros - how many zeros stand before them
 */
export function orderStatistic(statistic: OrderStatistic, values: Float32Array, zeros: number): number {
  const k = zeros + values.length
  // 0 + makes a 0 of −0
  const at = (place: number): number => 0 + (place < zeros ? 0 : values[place - zeros]!)
  if (statistic === 'median') return k % 2 === 1 ? at((k - 1) / 2) : Math.fround((at(k / 2 - 1) + at(k / 2)) / 2)
  const trim = trimOf(k)
  let sum = 0
  for (let place = trim; place < k - trim; place++) sum += at(place)
  return Math.fround(sum / (k - 2 * trim))
}

/** Folds single rows by an order statistic. Keeps scratch memory. */
export class OrderedRow {
  /** Of each column: how many owners hold it; then where its values end in `#values`. All 0 between calls. */
  readonly #counts: Uint32Array
  readonly #row: { readonly cols: Uint32Array; readonly vals: Float32Array }
  readonly #heaviest: HeaviestEdges

  /** @param columns - columns of the matrix */
  constructor(columns: number) {
    this.#counts = new Uint32Array(columns)
    this.#row = { cols: new Uint32Array(columns), vals: new Float32Array(columns) }
    this.#heaviest = new HeaviestEdges(columns)
  }

  /** Folds the i-th row of a task. @returns the offset behind the last edge written */
  fold(statistic: OrderStatistic, task: FoldTask, i: number, sides: readonly RowSide[], into: RowSide, at: number): number {
    const counts = this.#counts
    const from = task.ptr[i]!
    const to = task.ptr[i + 1]!
    const tolerated = toleratedOf(statistic, to - from)
    const wanted: number[] = []
    eachEdge(task, from, to, sides, (column) => {
      if (counts[column]!++ === tolerated) wanted.push(column)
    })
    wanted.sort((a, b) => a - b)
    const values = wanted.map((column) => new Float32Array(counts[column]!))
    eachEdge(task, from, to, sides, (column) => (counts[column] = 0))
    // from here on, one more than the place among the wanted, and 0 for the others
    for (const [place, column] of wanted.entries()) counts[column] = place + 1
    const ends = new Uint32Array(wanted.length)
    eachEdge(task, from, to, sides, (column, value) => {
      const place = counts[column]! - 1
      if (place >= 0) values[place]![ends[place]!++] = value
    })
    let count = 0
    for (const [place, column] of wanted.entries()) {
      counts[column] = 0
      const held = values[place]!.sort()
      this.#row.cols[count] = column
      this.#row.vals[count] = orderStatistic(statistic, held, to - from - held.length)
      if (this.#row.vals[count]! > 0) count++
    }
    return this.#heaviest.write(this.#row, count, into.cols, into.vals, at)
  }
}

function eachEdge(
  { member, at }: FoldTask,
  from: number,
  to: number,
  sides: readonly RowSide[],
  visit: (column: number, value: number) => void,
): void {
  for (let o = from; o < to; o++) {
    const { ptr, cols, vals } = sides[member[o]!]!
    for (let e = ptr[at[o]!]!; e < ptr[at[o]! + 1]!; e++) visit(cols[e]!, vals[e]!)
  }
}
