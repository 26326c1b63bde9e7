import type { StableParams } from '@sgsd/lattice'
import { OnnxGraph, type Value } from '../../onnx/onnx-graph.ts'
import type { StackedEll } from './stacked-ell.ts'

/** Steps in one run of the graph: enough to amortise the call, few enough that little is computed past convergence. */
export const UNROLLED_STEPS = 5

/** What one chain of halvings starts from: values of [width, height] each. */
interface Rectangle {
  readonly width: number
  readonly value: Value
}

/**
 * `UNROLLED_STEPS` steps of the stable profile, s' = clamp01((1 − λ)s + Ŵτs − Ŵρs + γt), as an ONNX model that holds the lattice, so that
 * it stays on the device.
 *
 * Inputs: `s`, `t` [rows]; `places` and `scales` [2 · rows], the number of each row's sum and what it is multiplied by (which normalises the
 * row and holds α, or −β); where there is room for learned rows, `columns` and `weights` [64, room].
 * Outputs: `s1` … `s5` [rows] and `d1` … `d5` [1], the squared change of each step, so that the host picks the first that settled.
 *
 * A row is summed by Adds of halves in a fixed order, elementwise, so that every provider that rounds as IEEE 754 says gives the same bits.
 * Only operators that the CUDA, CoreML (as MLProgram), DirectML and WebGPU providers all have, of constant shapes.
 */
export function latticeGraph(table: StackedEll, params: StableParams): Uint8Array<ArrayBuffer> {
  const { rows, learned } = table
  const graph = new OnnxGraph('lattice')
  const start = graph.input('s', 'float32', [rows])
  const teacher = graph.input('t', 'float32', [rows])
  const places = graph.input('places', 'int32', [2 * rows])
  const scales = graph.input('scales', 'float32', [2 * rows])
  const matrices = table.buckets.map(({ width, height, columns, weights }) => ({
    width,
    columns: graph.tensor(columns, [width, height]),
    weights: graph.tensor(weights, [width, height]),
  }))
  if (learned.height > 0) {
    const dims = [learned.width, learned.height]
    const inputs = { columns: graph.input('columns', 'int32', dims), weights: graph.input('weights', 'float32', dims) }
    matrices.unshift({ width: learned.width, ...inputs })
  }
  const joins = table.joins.map(({ width, height, segments }) => ({ width, segments: graph.tensor(segments, [width, height]) }))
  const bias = graph.node('Mul', [teacher, graph.float([params.gamma])])
  const keep = graph.float([1 - params.lambda])
  const none = graph.float([0], [1])
  const zero = graph.float([0])
  const one = graph.float([1])
  const alongAll = graph.ints(0)

  const gather = (from: Value, indices: Value): Value => graph.node('Gather', [from, indices], { axis: 0 })
  const concat = (values: readonly Value[], axis: number): Value => (values.length === 1 ? values[0]! : graph.node('Concat', values, { axis }))

  /** Sums of all columns of the rectangles, the widest first, in one vector. */
  const columnSums = (rectangles: readonly Rectangle[]): Value => {
    let sums: Value | undefined
    for (let width = rectangles[0]!.width; width >= 1; width /= 2) {
      if (sums !== undefined) sums = graph.node('Add', graph.halves(sums))
      const begin = rectangles.filter((each) => each.width === width).map(({ value }) => value)
      sums = concat([...(sums === undefined ? [] : [sums]), ...begin], 1)
    }
    return graph.node('Reshape', [sums!, graph.ints(-1)])
  }

  /** Scaled row sums of both matrices times a state: αŴτs and −βŴρs. */
  const products = (state: Value): readonly [Value, Value] => {
    const terms = matrices.map(({ width, columns, weights }) => ({ width, value: graph.node('Mul', [gather(state, columns), weights]) }))
    const segments = concat([...(terms.length === 0 ? [] : [columnSums(terms)]), none], 0)
    const long = joins.map(({ width, segments: indices }) => ({ width, value: gather(segments, indices) }))
    const sums = concat([segments, ...(long.length === 0 ? [] : [columnSums(long)])], 0)
    return graph.halves(graph.node('Mul', [gather(sums, places), scales]))
  }

  let state = start
  for (let step = 1; step <= UNROLLED_STEPS; step++) {
    const [up, down] = products(state)
    const moved = graph.node('Add', [graph.node('Add', [graph.node('Add', [graph.node('Mul', [state, keep]), up]), down]), bias])
    const next = graph.node('Clip', [moved, zero, one], {}, `s${step}`)
    const gap = graph.node('Sub', [next, state])
    graph.node('ReduceSum', [graph.node('Mul', [gap, gap]), alongAll], { keepdims: 1 }, `d${step}`)
    graph.output(`s${step}`, 'float32', [rows])
    graph.output(`d${step}`, 'float32', [1])
    state = next
  }
  return graph.model()
}
