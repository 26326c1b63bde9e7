import { type ColourKernelId, GOLDEN, M1, M2 } from '@sgsd/color'
import { OnnxGraph, type Value } from '../../onnx/onnx-graph.ts'

/** What differs between the kernels. */
export interface GraphKernel {
  readonly element: 'uint32' | 'uint64'
  /** Colours of one run of the graph: half a MiB for each intermediate, which the second-level cache holds. */
  readonly block: number
  /** Shifts of the finaliser, bits; the last is for the caller: it distributes over XOR. */
  readonly shifts: readonly [number, number, number]
}

export const GRAPH_KERNELS: Readonly<Record<ColourKernelId, GraphKernel>> = {
  turbo32: { element: 'uint32', block: 2 ** 17, shifts: [15, 13, 16] },
  spi64: { element: 'uint64', block: 2 ** 16, shifts: [30, 27, 31] },
}

/**
 * An ONNX model that computes a block of colours but for the finaliser's last shift.
 *
 * Input: `base` [1] = seed + (start + 1) · GOLDEN. Outputs: `states` [block], and `xor` [1] of them all, by a halving tree: ONNX has
 * no reduction by XOR.
 */
export function colourGraph(kernel: ColourKernelId): Uint8Array<ArrayBuffer> {
  const { element, block, shifts } = GRAPH_KERNELS[kernel]
  const graph = new OnnxGraph(kernel)
  const constant = (values: readonly bigint[], dims: readonly number[] = []): Value => graph.tensor(unsignedArray(element, values), dims)
  const shifted = (state: Value, bits: number): Value =>
    graph.node('BitwiseXor', [state, graph.node('BitShift', [state, constant([BigInt(bits)])], { direction: 'RIGHT' })])
  const base = graph.input('base', element, [1])
  const ramp = constant(
    Array.from({ length: block }, (_, place) => BigInt(place) * GOLDEN),
    [block],
  )
  const first = graph.node('Mul', [shifted(graph.node('Add', [ramp, base]), shifts[0]), constant([M1])])
  let xor = graph.node('Mul', [shifted(first, shifts[1]), constant([M2])], {}, 'states')
  graph.output('states', element, [block])
  for (let half = block / 2; half >= 1; half /= 2) {
    const low = graph.node('Slice', [xor, graph.ints(0), graph.ints(half)])
    const high = graph.node('Slice', [xor, graph.ints(half), graph.ints(2 * half)])
    xor = graph.node('BitwiseXor', [low, high], {}, half === 1 ? 'xor' : undefined)
  }
  graph.output('xor', element, [1])
  return graph.model()
}

/** The values modulo 2^32 or 2^64, as a tensor of that element holds them. */
export function unsignedArray(element: GraphKernel['element'], values: readonly bigint[]): Uint32Array | BigUint64Array {
  return element === 'uint64'
    ? BigUint64Array.from(values, (value) => BigInt.asUintN(64, value))
    : Uint32Array.from(values, (value) => Number(BigInt.asUintN(32, value)))
}
