import type { FoldKernel, FoldStatistic, FoldTask, RowSide } from './fold-kernel.ts'
import { OrderedRow, orderStatistic } from './fold-order.ts'
import { RowAccumulator } from './row-accumulator.ts'

/** The folds as defined, in JavaScript: what the other kernels are held to. docs/protocol.md §9.3 */
export const REFERENCE_FOLD_KERNEL: FoldKernel = {
  name: 'reference',
  about: 'JavaScript',

  rows(statistic, columns, task, sides, weights, into): void {
    const rows = task.ptr.length - 1
    const fold = rowFolder(statistic, columns)
    let end = 0
    into.ptr[0] = 0
    for (let i = 0; i < rows; i++) into.ptr[i + 1] = end = fold(task, i, sides, weights, into, end)
  },

  states(statistic, states, weights, into): void {
    if (statistic === 'mean') return meanStates(states, weights, into)
    const values = new Float32Array(states.length)
    for (let i = 0; i < into.length; i++) {
      for (const [m, state] of states.entries()) values[m] = state[i]!
      values.sort()
      into[i] = orderStatistic(statistic, values, 0)
    }
  },
}

type RowFolder = (task: FoldTask, i: number, sides: readonly RowSide[], weights: Float64Array, into: RowSide, at: number) => number

function rowFolder(statistic: FoldStatistic, columns: number): RowFolder {
  if (statistic !== 'mean' && statistic !== 'max') {
    const row = new OrderedRow(columns)
    return (task, i, sides, _weights, into, at) => row.fold(statistic, task, i, sides, into, at)
  }
  const row = new RowAccumulator(columns)
  return (task, i, sides, weights, into, at) => {
    const from = task.ptr[i]!
    const to = task.ptr[i + 1]!
    let total = 0
    for (let o = from; o < to; o++) total += weights[task.member[o]!]!
    for (let o = from; o < to; o++) {
      const { ptr, cols, vals } = sides[task.member[o]!]!
      const r = task.at[o]!
      if (statistic === 'max') row.max(cols, vals, ptr[r]!, ptr[r + 1]!)
      else row.add(cols, vals, ptr[r]!, ptr[r + 1]!, total > 0 ? weights[task.member[o]!]! : 1)
    }
    return row.flush(statistic === 'max' ? 1 : total > 0 ? total : to - from, into.cols, into.vals, at)
  }
}

function meanStates(states: readonly Float32Array[], weights: Float64Array, into: Float32Array): void {
  const total = weights.reduce((a, b) => a + b, 0)
  const sums = new Float64Array(into.length)
  for (const [m, state] of states.entries()) {
    const weight = total > 0 ? weights[m]! : 1
    for (let i = 0; i < sums.length; i++) sums[i]! += weight * state[i]!
  }
  const divisor = total > 0 ? total : states.length
  for (let i = 0; i < into.length; i++) into[i] = sums[i]! / divisor
}
