import { isLE } from '@noble/hashes/utils.js'

/** Arrays whose elements are hashed and sent little-endian. */
export type NumberArray = Uint32Array | Float32Array | BigUint64Array

/** The elements as little-endian bytes: a view of the same memory on the little-endian machines that are all we know, a swapped copy elsewhere. */
export function littleEndianBytes(values: NumberArray): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return isLE ? bytes : swapped(bytes, values.BYTES_PER_ELEMENT)
}

/**
 * Little-endian bytes as `count` u32, without a copy where they are aligned to 4.
 * @throws RangeError if `bytes` is shorter (a bug: lengths are checked before)
 */
export function u32At(bytes: Uint8Array, offset: number, count: number): Uint32Array {
  const part = aligned(bytes, offset, count, 4)
  return new Uint32Array(part.buffer, part.byteOffset, count)
}

/** The same as f32. */
export function f32At(bytes: Uint8Array, offset: number, count: number): Float32Array {
  const part = aligned(bytes, offset, count, 4)
  return new Float32Array(part.buffer, part.byteOffset, count)
}

/** The same as u64, aligned to 8. */
export function u64At(bytes: Uint8Array, offset: number, count: number): BigUint64Array {
  const part = aligned(bytes, offset, count, 8)
  return new BigUint64Array(part.buffer, part.byteOffset, count)
}

function aligned(bytes: Uint8Array, offset: number, count: number, width: number): Uint8Array {
  const part = bytes.subarray(offset, offset + count * width)
  if (!isLE) return swapped(part, width)
  return part.byteOffset % width === 0 ? part : new Uint8Array(part)
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse()
  return copy
}
