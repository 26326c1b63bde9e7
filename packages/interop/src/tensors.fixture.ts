import fc from 'fast-check'
import type { DenseTensor, SparseTensor, Tensor, TensorFile } from './tensor-file.ts'
import { i64Bytes } from './whole-numbers.ts'

/** Any bytes that an f32 may have, NaN and −0 among them. */
const f32: fc.Arbitrary<DenseTensor> = fc.array(fc.nat(3), { maxLength: 3 }).chain((shape) => {
  const bytes = 4 * shape.reduce((product, size) => product * size, 1)
  return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((data): DenseTensor => ({ layout: 'dense', dtype: 'f32', shape, bytes: data }))
})

const i64: fc.Arbitrary<DenseTensor> = fc
  .array(fc.nat(Number.MAX_SAFE_INTEGER), { maxLength: 5 })
  .map((values): DenseTensor => ({ layout: 'dense', dtype: 'i64', shape: [values.length], bytes: i64Bytes(Float64Array.from(values)) }))

const sparse: fc.Arbitrary<SparseTensor> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.uniqueArray(fc.nat(80), { maxLength: 20 }), fc.boolean())
  .map(([n, places, counts]) => {
    const cells = places.filter((place) => place < n * n).sort((a, b) => a - b)
    const rows = Uint32Array.from(cells, (cell) => Math.floor(cell / n))
    const columns = Uint32Array.from(cells, (cell) => cell % n)
    const shape = [cells.length]
    const values: DenseTensor = counts
      ? { layout: 'dense', dtype: 'i64', shape, bytes: i64Bytes(Uint32Array.from(cells, (cell) => cell + 1)) }
      : { layout: 'dense', dtype: 'f32', shape, bytes: new Uint8Array(Float32Array.from(cells, (cell) => cell / 81).buffer) }
    return {
      layout: 'coo',
      shape: [n, n],
      indices: { layout: 'dense', dtype: 'i64', shape: [2, cells.length], bytes: i64Bytes(rows, columns) },
      values,
    }
  })

const name = fc.constantFrom('Wτ', 'Wρ', 'N', 's', 'rows', 'a b', '字', '1', '__proto__', 'constructor')

/** Files as both formats can hold them. */
export const tensorFile: fc.Arbitrary<TensorFile> = fc
  .tuple(
    fc.uniqueArray(fc.tuple(name, fc.oneof<fc.Arbitrary<Tensor>[]>(f32, i64, sparse)), { maxLength: 6, selector: ([key]) => key }),
    fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 300 })), {
      maxLength: 4,
      selector: ([key]) => key,
    }),
  )
  .map(([tensors, meta]) => ({ tensors: new Map(tensors), meta: new Map(meta) }))

/** The same, with its tensors and strings by name: formats have an order of their own. */
export function byName({ tensors, meta }: TensorFile): unknown {
  const order = <V>(map: ReadonlyMap<string, V>): [string, V][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  return { tensors: order(tensors), meta: order(meta) }
}

/** Bytes with some of them changed, cut out or doubled. */
export function mutated(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat(Math.max(0, bytes.length - 1))
  const change = fc.oneof(
    fc.tuple(fc.constant('set' as const), at, fc.nat(255)),
    fc.tuple(fc.constant('cut' as const), at, fc.integer({ min: 1, max: 8 })),
    fc.tuple(fc.constant('copy' as const), at, fc.integer({ min: 1, max: 64 })),
    fc.tuple(fc.constant('u32' as const), at, fc.constantFrom(0, 1, 0x7fff_ffff, 0xffff_ffff, bytes.length)),
  )
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    let out = new Uint8Array(bytes)
    for (const [kind, place, value] of changes) {
      if (kind === 'set') out[place] = value
      else if (kind === 'u32' && place + 4 <= out.length) new DataView(out.buffer).setUint32(place, value, true)
      else if (kind === 'cut') out = Uint8Array.from([...out.subarray(0, place), ...out.subarray(place + value)])
      else out = Uint8Array.from([...out.subarray(0, place), ...out.subarray(place, place + value), ...out.subarray(place)])
    }
    return out
  })
}
