import { utf8ToBytes } from '@noble/hashes/utils.js'

/** The low 64-bit word of a MurmurHash3 x64 128 digest, as two u32 halves. */
export interface Hash64 {
  readonly high: number
  readonly low: number
}

/** Block and finaliser constants of MurmurHash3 x64 128 (A. Appleby, 2011), high and low halves. */
const C1_HIGH = 0x87c37b91
const C1_LOW = 0x114253d5
const C2_HIGH = 0x4cf5ad43
const C2_LOW = 0x2745937f
const F1_HIGH = 0xff51afd7
const F1_LOW = 0xed558ccd
const F2_HIGH = 0xc4ceb9fe
const F2_LOW = 0x1a85ec53
const ADD1 = 0x52dce729
const ADD2 = 0x38495ab5

const BLOCK_BYTES = 16

/** High half of the latest 64-bit operation below; the function's own result is the low half. Spares an object per operation. */
let high = 0

/**
 * Low word of murmur3_x64_128 over the token's UTF-8 bytes.
 * @param seed - u32
 */
export function murmur3(token: string, seed: number): Hash64 {
  return murmur3Bytes(utf8ToBytes(token), seed)
}

/**
 * Low word of murmur3_x64_128, without BigInt.
 * @param seed - u32
 * @param length - bytes from the start on that are hashed; what follows them is not looked at
 */
export function murmur3Bytes(bytes: Uint8Array, seed: number, length: number = bytes.length): Hash64 {
  let h1High = 0
  let h1Low = seed | 0
  let h2High = 0
  let h2Low = seed | 0
  const blocksEnd = length - (length % BLOCK_BYTES)

  for (let at = 0; at < blocksEnd; at += BLOCK_BYTES) {
    let low = scramble1(word(bytes, at + 4), word(bytes, at))
    h1Low ^= low
    h1High ^= high
    low = rotateLeft(h1High, h1Low, 27)
    low = add(high, low, h2High, h2Low)
    low = timesFivePlus(high, low, ADD1)
    h1High = high
    h1Low = low

    low = scramble2(word(bytes, at + 12), word(bytes, at + 8))
    h2Low ^= low
    h2High ^= high
    low = rotateLeft(h2High, h2Low, 31)
    low = add(high, low, h1High, h1Low)
    low = timesFivePlus(high, low, ADD2)
    h2High = high
    h2Low = low
  }

  const tail = length - blocksEnd
  if (tail > 8) {
    h2Low ^= scramble2(tailWord(bytes, blocksEnd + 12, length), tailWord(bytes, blocksEnd + 8, length))
    h2High ^= high
  }
  if (tail > 0) {
    h1Low ^= scramble1(tailWord(bytes, blocksEnd + 4, length), tailWord(bytes, blocksEnd, length))
    h1High ^= high
  }

  h1Low ^= length
  h2Low ^= length
  h1Low = add(h1High, h1Low, h2High, h2Low)
  h1High = high
  h2Low = add(h2High, h2Low, h1High, h1Low)
  h2High = high
  h1Low = finalise(h1High, h1Low)
  h1High = high
  h2Low = finalise(h2High, h2Low)
  h2High = high
  const low = add(h1High, h1Low, h2High, h2Low)
  return { high: high >>> 0, low: low >>> 0 }
}

/** Little-endian u32 at an offset. */
function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** The same where bytes from `end` on read as 0. */
function tailWord(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) return word(bytes, at)
  let value = 0
  for (let place = at; place < end; place++) value |= bytes[place]! << (8 * (place - at))
  return value
}

function scramble1(aHigh: number, aLow: number): number {
  let low = multiply(aHigh, aLow, C1_HIGH, C1_LOW)
  low = rotateLeft(high, low, 31)
  return multiply(high, low, C2_HIGH, C2_LOW)
}

function scramble2(aHigh: number, aLow: number): number {
  let low = multiply(aHigh, aLow, C2_HIGH, C2_LOW)
  low = rotateLeft(high, low, 33)
  return multiply(high, low, C1_HIGH, C1_LOW)
}

function finalise(aHigh: number, aLow: number): number {
  // x ^ x≫33 touches the low half only
  let low = multiply(aHigh, aLow ^ (aHigh >>> 1), F1_HIGH, F1_LOW)
  low = multiply(high, low ^ (high >>> 1), F2_HIGH, F2_LOW)
  return low ^ (high >>> 1)
}

function timesFivePlus(aHigh: number, aLow: number, addend: number): number {
  const low = multiply(aHigh, aLow, 0, 5)
  return add(high, low, 0, addend)
}

function add(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  const low = (aLow >>> 0) + (bLow >>> 0)
  high = (aHigh + bHigh + (low > 0xffff_ffff ? 1 : 0)) | 0
  return low | 0
}

/** @param by - 1 … 63 but 32 */
function rotateLeft(aHigh: number, aLow: number, by: number): number {
  const wide = by > 32
  const upper = wide ? aLow : aHigh
  const lower = wide ? aHigh : aLow
  const bits = by & 31
  high = (upper << bits) | (lower >>> (32 - bits))
  return (lower << bits) | (upper >>> (32 - bits))
}

/** Product modulo 2^64. */
function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  const a0 = aLow & 0xffff
  const a1 = aLow >>> 16
  const b0 = bLow & 0xffff
  const b1 = bLow >>> 16
  const low = a0 * b0
  const middle = a1 * b0 + (low >>> 16)
  const cross = a0 * b1 + (middle & 0xffff)
  const carry = a1 * b1 + Math.floor(middle / 0x1_0000) + Math.floor(cross / 0x1_0000)
  high = (Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh) + carry) | 0
  return Math.imul(aLow, bLow)
}
