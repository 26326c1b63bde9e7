import { utf8ToBytes } from '@noble/hashes/utils.js'
import { accept, reject, type Verdict } from '@sgsd/wire'
import { MAX_META, MAX_TENSORS } from './limits.ts'
import { type Made, type Pickled, PickledDict, PickledTuple, Global, type PickleMeaning, readPickle } from './pickle-read.ts'
import { PickleWriter } from './pickle-write.ts'
import { type DenseTensor, type Dtype, elementsOf, ITEM_BYTES, type SparseTensor, type Tensor, type TensorFile } from './tensor-file.ts'
import { readZip, writeZip, type ZipEntry } from './zip.ts'

/** Entry under which the strings about the tensors stand. */
const META = 'meta'
/** Folder inside of the archive. */
const ROOT = 'archive'

const STORAGES: { readonly [D in Dtype]: string } = { f32: 'FloatStorage', i64: 'LongStorage' }
const DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ['torch.FloatStorage', 'f32'],
  ['torch.LongStorage', 'i64'],
])

const GLOBALS: ReadonlySet<string> = new Set([
  ...DTYPES.keys(),
  'collections.OrderedDict',
  'torch.Size',
  'torch._utils._rebuild_sparse_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch.serialization._get_layout',
])

/** A `.pt` file as `torch.save` writes it: a dictionary of tensors, and of strings under `meta`. Equal content gives equal bytes. */
export function encodeTorch({ tensors, meta }: TensorFile): Uint8Array {
  const storages: ZipEntry[] = []
  const pickle = new PickleWriter()
  const dense = ({ dtype, shape, bytes }: DenseTensor): void => {
    const key = String(storages.length)
    storages.push({ name: `${ROOT}/data/${key}`, bytes })
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * Math.max(1, size), 1))
    pickle.global('torch._utils', '_rebuild_tensor_v2').tuple(() => {
      pickle.tuple(() => {
        pickle.text('storage').global('torch', STORAGES[dtype]).text(key).text('cpu')
        pickle.int(bytes.length / ITEM_BYTES[dtype])
      })
      pickle.op(0x51).int(0)
      pickle.tuple(() => shape.forEach((size) => pickle.int(size)))
      pickle.tuple(() => strides.forEach((stride) => pickle.int(stride)))
      // requires_grad, then no hooks
      pickle.op(0x89).global('collections', 'OrderedDict').op(0x29, 0x52)
    })
    pickle.op(0x52)
  }
  const sparse = ({ shape, indices, values }: SparseTensor): void => {
    pickle.global('torch._utils', '_rebuild_sparse_tensor').tuple(() => {
      pickle.global('torch.serialization', '_get_layout').tuple(() => pickle.text('torch.sparse_coo'))
      pickle.op(0x52).tuple(() => {
        dense(indices)
        dense(values)
        pickle.global('torch', 'Size').tuple(() => pickle.tuple(() => shape.forEach((size) => pickle.int(size))))
        pickle.op(0x52)
      })
    })
    pickle.op(0x52)
  }
  pickle.dict(() => {
    for (const [name, tensor] of tensors) {
      pickle.text(name)
      if (tensor.layout === 'dense') dense(tensor)
      else sparse(tensor)
    }
    pickle.text(META).dict(() => meta.forEach((value, key) => pickle.text(key).text(value)))
  })
  return writeZip([
    { name: `${ROOT}/data.pkl`, bytes: pickle.stop() },
    { name: `${ROOT}/byteorder`, bytes: utf8ToBytes('little') },
    ...storages,
    { name: `${ROOT}/version`, bytes: utf8ToBytes('3\n') },
  ])
}

/**
 * Reads a `.pt` file, of ours or of PyTorch's own: a dictionary of f32 and i64 tensors, dense or sparse COO, contiguous; what stands under `meta` that is no
 * text, whole number or truth value is passed over. Only the listed opcodes and globals are taken, and nothing is executed. Total.
 * @returns tensors that are views of `bytes`
 */
export function parseTorch(bytes: Uint8Array): Verdict<TensorFile> {
  const archive = readZip(bytes)
  if (archive.type !== 'accept') return archive
  const entries = archive.value
  const pickles = [...entries.keys()].filter((name) => name.endsWith('/data.pkl'))
  if (pickles.length !== 1) return reject('no PyTorch archive: one data.pkl belongs in it')
  const root = pickles[0]!.slice(0, -'data.pkl'.length)
  const order = entries.get(`${root}byteorder`)
  if (order !== undefined && !sameBytes(order, utf8ToBytes('little'))) return reject('an archive of another byte order')
  const read = readPickle(entries.get(pickles[0]!)!, new TorchMeaning(root, entries))
  if (read.type !== 'accept') return read
  return read.value instanceof PickledDict ? fileOf(read.value) : reject('the archive holds no dictionary')
}

type TorchObject = Storage | TensorObject | Size | Layout

class Storage {
  readonly dtype: Dtype
  readonly bytes: Uint8Array

  constructor(dtype: Dtype, bytes: Uint8Array) {
    this.dtype = dtype
    this.bytes = bytes
  }
}

class TensorObject {
  readonly tensor: Tensor

  constructor(tensor: Tensor) {
    this.tensor = tensor
  }
}

class Size {
  readonly sizes: readonly number[]

  constructor(sizes: readonly number[]) {
    this.sizes = sizes
  }
}

class Layout {
  readonly layout = 'coo'
}

type Value = Pickled<TorchObject>

class TorchMeaning implements PickleMeaning<TorchObject> {
  readonly globals: ReadonlySet<string> = GLOBALS
  readonly #root: string
  readonly #entries: ReadonlyMap<string, Uint8Array>

  constructor(root: string, entries: ReadonlyMap<string, Uint8Array>) {
    this.#root = root
    this.#entries = entries
  }

  persistent(id: Value): Made<TorchObject> {
    const [kind, type, key, , count, ...rest] = id instanceof PickledTuple ? id.items : []
    const dtype = type instanceof Global ? DTYPES.get(type.name) : undefined
    if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || typeof count !== 'number' || rest.length > 0)
      return { refusal: 'a storage that is none of floats or longs' }
    const bytes = this.#entries.get(`${this.#root}data/${key}`)
    if (bytes === undefined || bytes.length !== count * ITEM_BYTES[dtype])
      return { refusal: `storage ${key.slice(0, 16)} is missing or of another size` }
    return { value: new Storage(dtype, bytes) }
  }

  call(name: string, args: readonly Value[]): Made<TorchObject> {
    switch (name) {
      case 'collections.OrderedDict':
        return args.length === 0 ? { value: new PickledDict() } : { refusal: 'a dictionary made from arguments' }
      case 'torch.serialization._get_layout':
        return args.length === 1 && args[0] === 'torch.sparse_coo' ? { value: new Layout() } : { refusal: 'a layout other than sparse COO' }
      case 'torch.Size': {
        const sizes = args.length === 1 ? sizesOf(args[0]) : undefined
        return sizes === undefined ? { refusal: 'a size that is none' } : { value: new Size(sizes) }
      }
      case 'torch._utils._rebuild_tensor_v2':
        return rebuilt(args)
      case 'torch._utils._rebuild_sparse_tensor':
        return rebuiltSparse(args)
      default:
        return { refusal: `${name} is not called` }
    }
  }
}

/** (storage, offset, size, stride, requires_grad, hooks) */
function rebuilt([storage, offset, size, stride, requiresGrad, hooks, ...rest]: readonly Value[]): Made<TorchObject> {
  const shape = sizesOf(size)
  const strides = sizesOf(stride)
  const plain = typeof requiresGrad === 'boolean' && hooks instanceof PickledDict && hooks.entries.size === 0 && rest.length === 0
  if (!(storage instanceof Storage) || typeof offset !== 'number' || shape === undefined || strides?.length !== shape.length || !plain)
    return { refusal: 'a tensor that is put together in another way' }
  const count = elementsOf(shape)
  if (count === undefined) return { refusal: 'a tensor without end' }
  if (count > 0 && !isContiguous(shape, strides)) return { refusal: 'a tensor that is not contiguous: save t.contiguous()' }
  const width = ITEM_BYTES[storage.dtype]
  const from = offset * width
  if (offset < 0 || from + count * width > storage.bytes.length) return { refusal: 'a tensor beyond its storage' }
  const bytes = storage.bytes.subarray(from, from + count * width)
  return { value: new TensorObject({ layout: 'dense', dtype: storage.dtype, shape, bytes }) }
}

/** (layout, (indices, values, size)), since PyTorch 2.1 with whether it is coalesced. */
function rebuiltSparse([layout, data, ...rest]: readonly Value[]): Made<TorchObject> {
  const [i, v, size, , ...more] = data instanceof PickledTuple ? data.items : []
  const indices = i instanceof TensorObject ? i.tensor : undefined
  const values = v instanceof TensorObject ? v.tensor : undefined
  const [rows, columns, ...others] = size instanceof Size ? size.sizes : []
  const fits =
    layout instanceof Layout &&
    indices?.layout === 'dense' &&
    indices.dtype === 'i64' &&
    values?.layout === 'dense' &&
    indices.shape.length === 2 &&
    indices.shape[0] === 2 &&
    values.shape.length === 1 &&
    values.shape[0] === indices.shape[1]
  if (!fits || rows === undefined || columns === undefined || others.length > 0 || rest.length > 0 || more.length > 0)
    return { refusal: 'a sparse tensor that is no matrix of coordinates' }
  return { value: new TensorObject({ layout: 'coo', shape: [rows, columns], indices, values }) }
}

function sizesOf(value: Value | undefined): number[] | undefined {
  const items = value instanceof PickledTuple ? value.items : value instanceof Size ? value.sizes : undefined
  return items?.every((item): item is number => typeof item === 'number' && item >= 0) === true ? [...items] : undefined
}

/** Strides of size 1 say nothing. @param shape - without a size 0 */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i]! > 1 && strides[i] !== expected) return false
    expected *= shape[i]!
  }
  return true
}

function fileOf(dict: PickledDict<TorchObject>): Verdict<TensorFile> {
  const tensors = new Map<string, Tensor>()
  const meta = new Map<string, string>()
  for (const [name, value] of dict.entries) {
    if (value instanceof TensorObject) tensors.set(name, value.tensor)
    else if (name === META && value instanceof PickledDict) {
      for (const [key, about] of value.entries)
        if (typeof about === 'string' || typeof about === 'number' || typeof about === 'boolean') meta.set(key, String(about))
    } else return reject(`${JSON.stringify(name.slice(0, 64))} is no tensor`)
  }
  if (tensors.size > MAX_TENSORS) return reject(`${tensors.size} tensors, more than ${MAX_TENSORS}`)
  return meta.size > MAX_META ? reject(`${meta.size} entries under meta, more than ${MAX_META}`) : accept({ tensors, meta })
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
