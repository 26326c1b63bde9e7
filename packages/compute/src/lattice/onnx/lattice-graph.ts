import type { EllTable } from './ell-buckets.ts'
import { OnnxGraph, type Value } from './onnx-graph.ts'

/** Steps in one run of the graph: enough to amortise the call, few enough that little is computed past convergence. */
export const UNROLLED_STEPS = 5

/** Constants of the stable step, s' = clamp01((1 − λ)s + αŴτs − βŴρs + γt). */
export interface StableRates {
  readonly alpha: number
  readonly beta: number
  readonly gamma: number
  readonly lambda: number
}

/**
 * `UNROLLED_STEPS` steps of the stable profile as an ONNX model. Inputs: `s`, `t` [rows]; `scaleTau`, `scaleRho` [rows], what a row's sums
 * are multiplied by to normalise it; `places` [rows]; per bucket b `columns<b>`, `tau<b>`, `rho<b>` [members, width].
 * Outputs: `s1` … `s5` [rows] and `d1` … `d5` [1], the squared change of each step, so that the host picks the first that converged.
 * Only operators that the CUDA, CoreML, DirectML and WebGPU providers all have.
 */
export function latticeGraph(table: EllTable, rates: StableRates): Uint8Array<ArrayBuffer> {
  const { rows } = table
  const graph = new OnnxGraph('lattice')
  const start = graph.input('s', 'float32', [rows])
  const teacher = graph.input('t', 'float32', [rows])
  const scaleTau = graph.node('Mul', [graph.input('scaleTau', 'float32', [rows]), graph.float([rates.alpha])])
  const scaleRho = graph.node('Mul', [graph.input('scaleRho', 'float32', [rows]), graph.float([rates.beta])])
  const places = graph.input('places', 'int32', [rows])
  const buckets = table.buckets.map(({ width, members }, index) => {
    const dims = [members.length, width]
    return {
      columns: graph.input(`columns${index}`, 'int32', dims),
      tau: graph.input(`tau${index}`, 'float32', dims),
      rho: graph.input(`rho${index}`, 'float32', dims),
    }
  })
  const bias = graph.node('Mul', [teacher, graph.float([rates.gamma])])
  const keep = graph.float([1 - rates.lambda])
  const zero = graph.float([0])
  const one = graph.float([1])
  const alongRow = graph.ints(1)
  const alongAll = graph.ints(0)

  /** Row sums of weight × gathered state, back in row order. */
  const product = (gathered: readonly Value[], weights: readonly Value[]): Value => {
    const sums = gathered.map((x, index) => graph.node('ReduceSum', [graph.node('Mul', [x, weights[index]!]), alongRow], { keepdims: 0 }))
    const joined = sums.length === 1 ? sums[0]! : graph.node('Concat', sums, { axis: 0 })
    return graph.node('Gather', [joined, places], { axis: 0 })
  }

  let state = start
  for (let step = 1; step <= UNROLLED_STEPS; step++) {
    const current = state
    const gathered = buckets.map(({ columns }) => graph.node('Gather', [current, columns], { axis: 0 }))
    const cover = graph.node('Mul', [product(gathered, buckets.map(({ tau }) => tau)), scaleTau])
    const exclusion = graph.node('Mul', [product(gathered, buckets.map(({ rho }) => rho)), scaleRho])
    const pulled = graph.node('Sub', [graph.node('Add', [graph.node('Mul', [current, keep]), cover]), exclusion])
    state = graph.node('Clip', [graph.node('Add', [pulled, bias]), zero, one], {}, `s${step}`)
    const change = graph.node('Sub', [state, current])
    graph.node('ReduceSum', [graph.node('Mul', [change, change]), alongAll], { keepdims: 1 }, `d${step}`)
    graph.output(`s${step}`, 'float32', [rows])
    graph.output(`d${step}`, 'float32', [1])
  }
  return graph.model()
}
