/** What a whole number of 64 bits is written from: u32, or whole numbers below 2^53. */
export type WholeNumbers = Uint32Array | Float64Array

const WORD = 2 ** 32

/** The numbers as little-endian i64. */
export function i64Bytes(...parts: readonly WholeNumbers[]): Uint8Array {
  const bytes = new Uint8Array(8 * parts.reduce((sum, { length }) => sum + length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const values of parts) {
    for (let i = 0; i < values.length; i++, at += 8) {
      view.setUint32(at, values[i]! % WORD, true)
      view.setUint32(at + 4, values[i]! / WORD, true)
    }
  }
  return bytes
}

/**
 * Little-endian i64 as numbers.
 * @param most - greatest number taken, below 2^53
 * @returns undefined where one is negative or above `most`
 */
export function wholeNumbers(bytes: Uint8Array, most: number): Float64Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const values = new Float64Array(bytes.length / 8)
  for (let i = 0; i < values.length; i++) {
    const value = view.getInt32(8 * i + 4, true) * WORD + view.getUint32(8 * i, true)
    if (!(value >= 0 && value <= most)) return undefined
    values[i] = value
  }
  return values
}
