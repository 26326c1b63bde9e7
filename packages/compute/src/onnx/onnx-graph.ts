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

/** The elements of a constant, in the array type that says which they are. */
export type Elements = Float32Array | Int32Array | BigInt64Array | Uint32Array | BigUint64Array

/** Name of a value inside a graph. */
export type Value = string

export type Attributes = Readonly<Record<string, number | string>>

/**
 * Builds one ONNX graph, node by node, and writes it as a model file.
 * Nodes must be added in an order in which every input is already defined, as ONNX demands.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 for the field numbers
 */
export class OnnxGraph {
  readonly #name: string
  readonly #nodes: ProtoWriter[] = []
  readonly #constants: ProtoWriter[] = []
  readonly #inputs: ProtoWriter[] = []
  readonly #outputs: ProtoWriter[] = []
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
    return this.tensor(Float32Array.from(values), dims)
  }

  /** A vector of int64, the type of axes and shapes. */
  ints(...values: number[]): Value {
    return this.tensor(BigInt64Array.from(values, BigInt), [values.length])
  }

  /** A constant; without `dims` a scalar. Its elements are copied by `model()`. */
  tensor(values: Elements, dims: readonly number[] = []): Value {
    const name = this.#fresh()
    const writer = new ProtoWriter()
    for (const dim of dims) writer.int(1, dim)
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    this.#constants.push(writer.int(2, ELEMENT[elementOf(values)]).text(8, name).bytes(9, bytes))
    return name
  }

  /** Adds a node with one output. @returns the name of its output */
  node(operator: string, inputs: readonly Value[], attributes: Attributes = {}, output: Value = this.#fresh()): Value {
    this.#add(operator, inputs, attributes, [output])
    return output
  }

  /** The upper and the lower half of a value along its first axis, which must be even. */
  halves(value: Value): readonly [Value, Value] {
    const outputs = [this.#fresh(), this.#fresh()] as const
    this.#add('Split', [value], { axis: 0, num_outputs: 2 }, outputs)
    return outputs
  }

  /** @returns the bytes of the model file */
  model(): Uint8Array<ArrayBuffer> {
    const graph = new ProtoWriter()
    for (const node of this.#nodes) graph.bytes(1, node)
    graph.text(2, this.#name)
    for (const constant of this.#constants) graph.bytes(5, constant)
    for (const input of this.#inputs) graph.bytes(11, input)
    for (const output of this.#outputs) graph.bytes(12, output)
    const opset = new ProtoWriter().text(1, '').int(2, OPSET)
    return new ProtoWriter().int(1, IR_VERSION).text(2, 'sgsd').bytes(7, graph).bytes(8, opset).finish()
  }

  #add(operator: string, inputs: readonly Value[], attributes: Attributes, outputs: readonly Value[]): void {
    const writer = new ProtoWriter()
    for (const input of inputs) writer.text(1, input)
    for (const output of outputs) writer.text(2, output)
    writer.text(3, `${operator} ${outputs[0]}`).text(4, operator)
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = new ProtoWriter().text(1, name)
      if (typeof value === 'number') attribute.int(3, value).int(20, ATTRIBUTE_INT)
      else attribute.text(4, value).int(20, ATTRIBUTE_TEXT)
      writer.bytes(5, attribute)
    }
    this.#nodes.push(writer)
  }

  #fresh(): Value {
    return `v${this.#values++}`
  }
}

function valueInfo(name: Value, element: Element, dims: readonly number[]): ProtoWriter {
  const shape = new ProtoWriter()
  for (const dim of dims) shape.bytes(1, new ProtoWriter().int(1, dim))
  const tensor = new ProtoWriter().int(1, ELEMENT[element]).bytes(2, shape)
  return new ProtoWriter().text(1, name).bytes(2, new ProtoWriter().bytes(1, tensor))
}

function elementOf(values: Elements): Element {
  if (values instanceof Float32Array) return 'float32'
  if (values instanceof Int32Array) return 'int32'
  if (values instanceof Uint32Array) return 'uint32'
  return values instanceof BigInt64Array ? 'int64' : 'uint64'
}
