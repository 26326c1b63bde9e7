/** Element types that layers need. */
export type Dtype = 'f32' | 'i64'

/** Bytes of an element. */
export const ITEM_BYTES: { readonly [D in Dtype]: number } = { f32: 4, i64: 8 }

/** A contiguous array in row-major order; `bytes` are little-endian and exactly as many as the shape asks for. */
export interface DenseTensor {
  readonly layout: 'dense'
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** A matrix as coordinates: row 0 of `indices` (i64, 2 × nnz) are the rows, row 1 the columns. */
export interface SparseTensor {
  readonly layout: 'coo'
  readonly shape: readonly [number, number]
  readonly indices: DenseTensor
  readonly values: DenseTensor
}

export type Tensor = DenseTensor | SparseTensor

/** What a `.pt` or `.safetensors` file holds: tensors by name, and strings about them. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly meta: ReadonlyMap<string, string>
}

/** Elements of a shape, or undefined where it is none: no negative or broken sizes, and a product below 2^53. */
export function elementsOf(shape: readonly number[]): number | undefined {
  let product = 1
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined
    product *= size
    if (!Number.isSafeInteger(product)) return undefined
  }
  return product
}
