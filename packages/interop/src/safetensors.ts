import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { decodeUtf8 } from '@sgsd/lattice'
import { accept, reject, type Verdict } from '@sgsd/wire'
import { MAX_META, MAX_SAFETENSORS_HEADER_BYTES, MAX_TENSOR_FILE_BYTES, MAX_TENSORS } from './limits.ts'
import { type DenseTensor, type Dtype, elementsOf, ITEM_BYTES, type Tensor, type TensorFile } from './tensor-file.ts'

/** Length of the header, u64, before everything else. */
const LENGTH_BYTES = 8
const META = '__metadata__'
/** The format has no sparse tensors: a matrix is two dense ones under these names, and its shape a string under `<name>.shape`. */
const INDICES = '.indices'
const VALUES = '.values'
const SHAPE = '.shape'

const NAMES: { readonly [D in Dtype]: string } = { f32: 'F32', i64: 'I64' }
const DTYPES: ReadonlyMap<unknown, Dtype> = new Map([
  ['F32', 'f32'],
  ['I64', 'i64'],
])

/** A `.safetensors` file. Tensors stand widest first, then by name, as the format's own writer puts them; equal content gives equal bytes. */
export function encodeSafetensors({ tensors, meta }: TensorFile): Uint8Array {
  const dense = new Map<string, DenseTensor>()
  const strings = new Map(meta)
  for (const [name, tensor] of tensors) {
    if (tensor.layout === 'dense') dense.set(name, tensor)
    else {
      dense.set(name + INDICES, tensor.indices).set(name + VALUES, tensor.values)
      strings.set(name + SHAPE, tensor.shape.join(' '))
    }
  }
  const ordered = [...dense].sort(([a, s], [b, t]) => ITEM_BYTES[t.dtype] - ITEM_BYTES[s.dtype] || (a < b ? -1 : 1))
  const header: [string, unknown][] = [[META, Object.fromEntries([...strings].sort(([a], [b]) => (a < b ? -1 : 1)))]]
  let at = 0
  for (const [name, { dtype, shape, bytes }] of ordered) {
    header.push([name, { dtype: NAMES[dtype], shape, data_offsets: [at, at + bytes.length] }])
    at += bytes.length
  }
  const json = utf8ToBytes(JSON.stringify(Object.fromEntries(header)))
  // spaces up to a multiple of 8, so that the tensors are aligned
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20)
  padded.set(json)
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint32(0, padded.length, true)
  return concatBytes(length, padded, ...ordered.map(([, { bytes }]) => bytes))
}

/** Reads F32 and I64 tensors that lie one behind the other from the header's end to the file's: no hole, no overlap. Total. @returns views of `bytes` */
export function parseSafetensors(bytes: Uint8Array): Verdict<TensorFile> {
  if (bytes.length > MAX_TENSOR_FILE_BYTES) return reject(`${bytes.length} bytes, more than ${MAX_TENSOR_FILE_BYTES}`)
  if (bytes.length < LENGTH_BYTES) return reject('no safetensors file')
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0, true)
  if (length > BigInt(Math.min(MAX_SAFETENSORS_HEADER_BYTES, bytes.length - LENGTH_BYTES)))
    return reject(`no safetensors file: a header of ${length} bytes`)
  const data = bytes.subarray(LENGTH_BYTES + Number(length))
  const header = readJson(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + Number(length)))
  if (header === undefined) return reject('the header is no JSON object')
  const meta = metaOf(header.get(META))
  if (meta === undefined) return reject('the metadata are no strings')
  header.delete(META)
  if (header.size > 2 * MAX_TENSORS) return reject(`${header.size} tensors, more than ${2 * MAX_TENSORS}`)
  const dense = new Map<string, DenseTensor>()
  const spans: (readonly [from: number, to: number])[] = []
  for (const [name, about] of header) {
    const tensor = tensorOf(about, data)
    if (typeof tensor === 'string') return reject(`tensor ${JSON.stringify(name.slice(0, 64))}: ${tensor}`)
    dense.set(name, tensor.tensor)
    spans.push(tensor.span)
  }
  let end = 0
  for (const [from, to] of spans.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (from !== end) return reject(from < end ? 'two tensors overlap' : 'bytes that belong to no tensor')
    end = to
  }
  return end === data.length ? paired(dense, meta) : reject('bytes that belong to no tensor')
}

function readJson(bytes: Uint8Array): Map<string, unknown> | undefined {
  const text = decodeUtf8(bytes)
  if (text === undefined || !text.startsWith('{')) return undefined
  try {
    return new Map(Object.entries(JSON.parse(text) as object))
  } catch {
    return undefined
  }
}

function metaOf(value: unknown): Map<string, string> | undefined {
  if (value === undefined) return new Map()
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value) as [string, unknown][]
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return texts.length === entries.length && entries.length <= MAX_META ? new Map(texts) : undefined
}

function tensorOf(about: unknown, data: Uint8Array): { readonly tensor: DenseTensor; readonly span: readonly [number, number] } | string {
  const { dtype: name, shape, data_offsets: span, ...rest } = (about ?? {}) as Record<string, unknown>
  const dtype = DTYPES.get(name)
  if (dtype === undefined) return 'its elements are neither F32 nor I64'
  if (!isNumbers(shape) || !isNumbers(span) || span.length !== 2 || Object.keys(rest).length > 0) return 'its description is malformed'
  const count = elementsOf(shape)
  const [from = 0, to = 0] = span
  if (count === undefined || from > to || to > data.length || to - from !== count * ITEM_BYTES[dtype]) return 'its offsets do not fit its shape'
  return { tensor: { layout: 'dense', dtype, shape, bytes: data.subarray(from, to) }, span: [from, to] }
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 8 && value.every((item) => Number.isSafeInteger(item) && item >= 0)
}

/** Puts matrices together again. */
function paired(dense: ReadonlyMap<string, DenseTensor>, strings: Map<string, string>): Verdict<TensorFile> {
  const tensors = new Map<string, Tensor>()
  for (const [name, tensor] of dense) {
    const matrix = name.slice(0, name.lastIndexOf('.'))
    const shape = shapeOf(strings.get(matrix + SHAPE))
    const [indices, values] = [dense.get(matrix + INDICES), dense.get(matrix + VALUES)]
    if (shape === undefined || indices === undefined || values === undefined || !(name.endsWith(INDICES) || name.endsWith(VALUES))) {
      tensors.set(name, tensor)
      continue
    }
    const fits = indices.dtype === 'i64' && indices.shape.length === 2 && indices.shape[0] === 2 && values.shape.length === 1
    if (!fits || values.shape[0] !== indices.shape[1])
      return reject(`matrix ${JSON.stringify(matrix.slice(0, 64))}: its coordinates do not fit its values`)
    tensors.set(matrix, { layout: 'coo', shape, indices, values })
  }
  for (const [name, tensor] of tensors) if (tensor.layout === 'coo') strings.delete(name + SHAPE)
  return accept({ tensors, meta: strings })
}

function shapeOf(text: string | undefined): [number, number] | undefined {
  const match = /^(\d{1,10}) (\d{1,10})$/.exec(text ?? '')
  return match === null ? undefined : [Number(match[1]), Number(match[2])]
}
