import { Packr, Unpackr } from 'msgpackr'
import { type BodyLimits, scanBody } from './msgpack-scan.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** What a body may hold. Integers from 2^32 on are bigints. */
export type Plain = boolean | number | bigint | string | Uint8Array | readonly Plain[]

const UINT64 = 0xcf
const INT64 = 0xd3

const packr = new Packr({ useRecords: false, moreTypes: false })
const unpackr = new Unpackr({ useRecords: false, moreTypes: false, int64AsType: 'bigint' })

/**
 * The canonical bytes of a value, in memory of their own. docs/protocol.md §2.1
 * @param value - bigints from 2^32 on only (smaller ones have a shorter form), texts in printable ASCII
 */
export function encodeBody(value: Plain): Uint8Array {
  const bytes = new Uint8Array(packr.pack(value))
  // msgpackr writes bigints below 2^63 as int64; the canonical form is uint64, which differs in the head alone.
  scanBody(bytes, { bytes: bytes.length, values: bytes.length }, (at) => {
    if (bytes[at] === INT64) bytes[at] = UINT64
  })
  return bytes
}

/**
 * Reads canonical bytes; total. The scan goes first: what the library gets to see is small, plain and complete.
 * @returns a value whose byte strings are views of `bytes`
 */
export function decodeBody(bytes: Uint8Array, limits: BodyLimits): Verdict<Plain> {
  const refusal = scanBody(bytes, limits)
  if (refusal !== undefined) return reject(refusal)
  // A plain view of our own: the library leaves a property on the array that it reads, and returns parts of the class that it gets.
  return accept(unpackr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as Plain)
}
