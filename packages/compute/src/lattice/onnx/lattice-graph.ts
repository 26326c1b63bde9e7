import type { StableParams } from '@sgsd/lattice'
import type { EllTable } from './ell-buckets.ts'
import { OnnxGraph, type Value } from '../../onnx/onnx-graph.ts'

/** Steps in one run of the graph: enough to amortise the call, few enough that little is computed past convergence. */
export const UNROLLED_STEPS = 5

/** One matrix as inputs of the graph. */
interface MatrixInputs {
  readonly columns: readonly Value[]
  readonly weights: readonly Value[]
  readonly places: Value
  /** What a row's sum is multiplied by: normalises the row and holds α or β. */
  readonly scales: Value
}

/**
 * `UNROLLED_STEPS` steps of the stable profile, s' = clamp01((1 − λ)s + Ŵτs − Ŵρs + γt), as an ONNX model.
 *
 * Inputs: `s`, `t` [rows]; for M = tau and rho `M.scales`, `M.places` [rows], and per bucket b `M.columns.b`, `M.weights.b` [height, width].
 * Outputs: `s1` … `s5` [rows] and `d1` … `d5` [1], the squared change of each step, so that the host picks the first that settled.
 * Only operators that the CUDA, CoreML, DirectML and WebGPU providers all have.
 */
export function latticeGraph(tau: EllTable, rho: EllTable, params: StableParams): Uint8Array<ArrayBuffer> {
  const dims = [tau.rows]
  const graph = new OnnxGraph('lattice')
  const start = graph.input('s', 'float32', dims)
  const teacher = graph.input('t', 'float32', dims)
  const matrices = { tau: matrixInputs(graph, 'tau', tau), rho: matrixInputs(graph, 'rho', rho) }
  const bias = graph.node('Mul', [teacher, graph.float([params.gamma])])
  const keep = graph.float([1 - params.lambda])
  const zero = graph.float([0])
  const one = graph.float([1])
  const alongRow = graph.ints(1)
  const alongAll = graph.ints(0)

  /** Scaled row sums of a matrix times a state, in row order. */
  const product = ({ columns, weights, places, scales }: MatrixInputs, state: Value): Value => {
    const sums = columns.map((indices, bucket) => {
      const gathered = graph.node('Gather', [state, indices], { axis: 0 })
      return graph.node('ReduceSum', [graph.node('Mul', [gathered, weights[bucket]!]), alongRow], { keepdims: 0 })
    })
    const joined = graph.node('Concat', sums, { axis: 0 })
    return graph.node('Mul', [graph.node('Gather', [joined, places], { axis: 0 }), scales])
  }

  let state = start
  for (let step = 1; step <= UNROLLED_STEPS; step++) {
    const kept = graph.node('Mul', [state, keep])
    const up = graph.node('Add', [kept, product(matrices.tau, state)])
    const moved = graph.node('Add', [graph.node('Sub', [up, product(matrices.rho, state)]), bias])
    const next = graph.node('Clip', [moved, zero, one], {}, `s${step}`)
    const gap = graph.node('Sub', [next, state])
    graph.node('ReduceSum', [graph.node('Mul', [gap, gap]), alongAll], { keepdims: 1 }, `d${step}`)
    graph.output(`s${step}`, 'float32', dims)
    graph.output(`d${step}`, 'float32', [1])
    state = next
  }
  return graph.model()
}

function matrixInputs(graph: OnnxGraph, name: string, table: EllTable): MatrixInputs {
  return {
    columns: table.buckets.map(({ height, width }, b) => graph.input(`${name}.columns.${b}`, 'int32', [height, width])),
    weights: table.buckets.map(({ height, width }, b) => graph.input(`${name}.weights.${b}`, 'float32', [height, width])),
    places: graph.input(`${name}.places`, 'int32', [table.rows]),
    scales: graph.input(`${name}.scales`, 'float32', [table.rows]),
  }
}
