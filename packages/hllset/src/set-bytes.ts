import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { ADDRESSES, addAddress, addressesOf, emptySet, type HllSet, PRECISION, REGISTERS } from './hll-set.ts'

// Canonical bytes of a set, little-endian: one set has exactly one encoding, whichever is shorter.
//
//   offset  size  content
//   0       1     SET_VERSION
//   1       1     precision, 10
//   2       1     form: 0 sparse, 1 dense
//   3       1     0
//   4       4     seed (u32)
//   8       2·k   sparse: k ≤ 2,047 addresses (u16), strictly ascending, up to the end
//   8       4096  dense: 1024 registers (u32); only where more than 2,047 bits are set

/** Version of the encoding. */
export const SET_VERSION = 1

const HEADER_BYTES = 8
const SPARSE = 0
const DENSE = 1
const DENSE_BYTES: number = REGISTERS * 4
/** Most addresses of a sparse set: one more and dense is no longer. */
const MAX_SPARSE: number = DENSE_BYTES / 2 - 1

export type ParsedSet = { readonly ok: true; readonly set: HllSet } | { readonly ok: false; readonly reason: string }

/** Canonical bytes: equal sets give equal bytes. */
export function encodeSet(set: HllSet): Uint8Array {
  const addresses = addressesOf(set)
  const sparse = addresses.length <= MAX_SPARSE
  const bytes = new Uint8Array(HEADER_BYTES + (sparse ? addresses.length * 2 : DENSE_BYTES))
  const view = new DataView(bytes.buffer)
  bytes.set([SET_VERSION, PRECISION, sparse ? SPARSE : DENSE, 0])
  view.setUint32(4, set.seed, true)
  if (sparse) addresses.forEach((address, index) => view.setUint16(HEADER_BYTES + 2 * index, address, true))
  else set.registers.forEach((bits, register) => view.setUint32(HEADER_BYTES + 4 * register, bits, true))
  return bytes
}

/** Reads what `encodeSet` writes and nothing else: any other bytes, also a second encoding of a set, give a reason. Never throws. */
export function parseSet(bytes: Uint8Array): ParsedSet {
  if (bytes.length < HEADER_BYTES) return refuse(`${bytes.length} bytes are no header`)
  const [version, precision, form, reserved] = bytes
  if (version !== SET_VERSION) return refuse(`unknown version ${version}`)
  if (precision !== PRECISION) return refuse(`precision ${precision}, not ${PRECISION}`)
  if (reserved !== 0) return refuse('reserved byte is not 0')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const set = emptySet(view.getUint32(4, true))
  if (form === SPARSE) return parseSparse(view, set)
  if (form === DENSE) return parseDense(view, set)
  return refuse(`unknown form ${form}`)
}

/** Whether bytes begin as those of a set of any version do; four of them are enough, and no text begins so: it would hold two control characters around a line end. */
export function startsLikeSet(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0]! < 0x08 && bytes[1] === PRECISION && bytes[2]! <= DENSE && bytes[3] === 0
}

/** Content address of a set: SHA-256 of its canonical bytes, 64 hex digits. */
export function setId(set: HllSet): string {
  return bytesToHex(sha256(encodeSet(set)))
}

function parseSparse(view: DataView, set: HllSet): ParsedSet {
  const size = view.byteLength - HEADER_BYTES
  if (size % 2 !== 0 || size / 2 > MAX_SPARSE) return refuse(`sparse body of ${size} bytes`)
  let previous = -1
  for (let at = HEADER_BYTES; at < view.byteLength; at += 2) {
    const address = view.getUint16(at, true)
    if (address <= previous) return refuse('addresses do not ascend')
    if (address >= ADDRESSES) return refuse(`address ${address} is outside the set`)
    addAddress(set, address)
    previous = address
  }
  return { ok: true, set }
}

function parseDense(view: DataView, set: HllSet): ParsedSet {
  if (view.byteLength !== HEADER_BYTES + DENSE_BYTES) return refuse(`dense body of ${view.byteLength - HEADER_BYTES} bytes`)
  for (let register = 0; register < REGISTERS; register++) set.registers[register] = view.getUint32(HEADER_BYTES + 4 * register, true)
  return addressesOf(set).length > MAX_SPARSE ? { ok: true, set } : refuse('dense form of a set that the sparse form holds')
}

function refuse(reason: string): ParsedSet {
  return { ok: false, reason }
}
