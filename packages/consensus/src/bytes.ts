import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/** @param value - taken modulo 2^64 */
export function u64Bytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true)
  return bytes
}

/** One length byte and the text in UTF-8, so that what follows cannot be read as part of it. */
export function shortText(text: string): Uint8Array {
  const bytes = utf8ToBytes(text)
  return concatBytes(Uint8Array.of(bytes.length), bytes)
}

/** Bytes of a 64-digit id; what is no such id (a name made up by a test) is hashed as text instead of failing. */
export function idBytes(id: string): Uint8Array {
  return /^(?:[0-9a-f]{2})*$/.test(id) ? hexToBytes(id) : utf8ToBytes(id)
}
