import { ProtoWriter } from './proto-writer.ts'

/** Element types of `TensorProto.DataType` that the graphs use. */
const ELEMENT = { float32: 1, int32: 6, int64: 7, uint32: 12, uint64: 13 } as const

/** `AttributeProto.AttributeType`. */
const ATTRIBUTE_INT = 2
const ATTRIBUTE_TEXT = 3

/** Opset 18 has `ReduceSum` with axes as an input and is known to every provider of ONNX Runtime 1.30. */
const OPSET = 18

/** Model format that goes with opset 18. */
const IR_VERSION = 8

export type Element = keyof typeof ELEMENT

/** Name of a value inside a graph. */
export type Value = string

/**
 * Builds one ONNX graph, node by node, and writes it as a model file.
 * Nodes must be added in an order in which every input is already defined, as ONNX demands.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 for the field numbers
 */
export class OnnxGraph {
  readonly #name: string
  readonly #nodes: Uint8Array[] = []
  readonly #constants: Uint8Array[] = []
  readonly #inputs: Uint8Array[] = []
  readonly #outputs: Uint8Array[] = []
  #values = 0

  constructor(name: string) {
    this.#name = name
  }

  input(name: Value, element: Element, dims: readonly number[]): Value {
    this.#inputs.push(valueInfo(name, element, dims))
    return name
  }

  /** Makes a value an output of the graph. */
  output(name: Value, element: Element, dims: readonly number[]): void {
    this.#outputs.push(valueInfo(name, element, dims))
  }

  /** A float32 constant; without `dims` a scalar. */
  float(values: readonly number[], dims: readonly number[] = []): Value {
    return this.#constant('float32', Float32Array.from(values), dims)
  }

  /** A vector of int64, the type of axes and shapes. */
  ints(...values: number[]): Value {
    return this.#constant('int64', BigInt64Array.from(values, BigInt), [values.length])
  }

  /** A constant of unsigned integers; without `dims` a scalar. */
  unsigned(values: Uint32Array | BigUint64Array, dims: readonly number[] = []): Value {
    return this.#constant(values instanceof Uint32Array ? 'uint32' : 'uint64', values, dims)
  }

  /** Adds a node with one output. @returns the name of its output */
  node(operator: string, inputs: readonly Value[], attributes: Readonly<Record<string, number | string>> = {}, output: Value = this.#fresh()): Value {
    const writer = new ProtoWriter()
    for (const input of inputs) writer.text(1, input)
    writer.text(2, output).text(3, `${operator} ${output}`).text(4, operator)
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = new ProtoWriter().text(1, name)
      if (typeof value === 'number') attribute.int(3, value).int(20, ATTRIBUTE_INT)
      else attribute.text(4, value).int(20, ATTRIBUTE_TEXT)
      writer.bytes(5, attribute.finish())
    }
    this.#nodes.push(writer.finish())
    return output
  }

  /** @returns the bytes of the model file */
  model(): Uint8Array<ArrayBuffer> {
    const graph = new ProtoWriter()
    for (const node of this.#nodes) graph.bytes(1, node)
    graph.text(2, this.#name)
    for (const constant of this.#constants) graph.bytes(5, constant)
    for (const input of this.#inputs) graph.bytes(11, input)
    for (const output of this.#outputs) graph.bytes(12, output)
    const opset = new ProtoWriter().text(1, '').int(2, OPSET).finish()
    return new ProtoWriter().int(1, IR_VERSION).text(2, 'sgsd').bytes(7, graph.finish()).bytes(8, opset).finish()
  }

  #constant(element: Element, data: Float32Array | BigInt64Array | Uint32Array | BigUint64Array, dims: readonly number[]): Value {
    const name = this.#fresh()
    const writer = new ProtoWriter()
    for (const dim of dims) writer.int(1, dim)
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    this.#constants.push(writer.int(2, ELEMENT[element]).text(8, name).bytes(9, bytes).finish())
    return name
  }

  #fresh(): Value {
    return `v${this.#values++}`
  }
}

function valueInfo(name: Value, element: Element, dims: readonly number[]): Uint8Array {
  const shape = new ProtoWriter()
  for (const dim of dims) shape.bytes(1, new ProtoWriter().int(1, dim).finish())
  const tensor = new ProtoWriter().int(1, ELEMENT[element]).bytes(2, shape.finish()).finish()
  return new ProtoWriter().text(1, name).bytes(2, new ProtoWriter().bytes(1, tensor).finish()).finish()
}
