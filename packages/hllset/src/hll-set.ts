import { type Hash64, murmur3, murmur3Bytes } from './murmur3.ts'

/** Precision P: a set has 2^P registers. */
export const PRECISION = 10
/** Registers of a set. */
export const REGISTERS: number = 2 ** PRECISION
/** Bits of a register; bit b stands for hashes whose upper part has b trailing zeros, the last bit for that many or more. */
export const REGISTER_BITS = 32
/** Bits of a whole set; an address is register × 32 + bit. */
export const ADDRESSES: number = REGISTERS * REGISTER_BITS

/**
 * PCSA sketch of a token set: 2^10 × 32 bits. Adding is idempotent and order does not matter; the union of sets is the sketch of the union.
 * Sets combine only when their seeds are equal: the seed chooses the hash function.
 */
export interface HllSet {
  /** u32 seed of the hash. */
  readonly seed: number
  /** 1024 registers. */
  readonly registers: Uint32Array
}

export function emptySet(seed = 0): HllSet {
  return { seed: seed >>> 0, registers: new Uint32Array(REGISTERS) }
}

export function setOf(tokens: Iterable<string>, seed = 0): HllSet {
  const set = emptySet(seed)
  for (const token of tokens) addToken(set, token)
  return set
}

/**
 * The one bit that a token sets: h = low word of murmur3_x64_128, register h & 1023, bit min(ctz(h ≫ 10), 31).
 *
 * Take the seed 0, or one above the length of any token. For a token of at most 8 bytes h is fmix(x) + fmix(x + (seed ^ length)); where the seed is the length it is
 * even, so half of the registers stay empty for tokens of that length and estimates come out too low.
 */
export function addressOf(token: string, seed: number): number {
  return addressOfHash(murmur3(token, seed))
}

/** The address of a token that stands as UTF-8 in the first `length` bytes of a buffer. */
export function addressOfBytes(bytes: Uint8Array, length: number, seed: number): number {
  return addressOfHash(murmur3Bytes(bytes, seed, length))
}

function addressOfHash({ high, low }: Hash64): number {
  const rest = low >>> PRECISION
  const zeros = rest === 0 ? REGISTER_BITS - PRECISION + trailingZeros(high) : trailingZeros(rest)
  return (low & (REGISTERS - 1)) * REGISTER_BITS + Math.min(zeros, REGISTER_BITS - 1)
}

/** Sets the token's bit, in place. */
export function addToken(set: HllSet, token: string): void {
  addAddress(set, addressOf(token, set.seed))
}

/** Sets the bit at an address below 32,768, in place. */
export function addAddress(set: HllSet, address: number): void {
  set.registers[address >>> 5]! |= 1 << (address & (REGISTER_BITS - 1))
}

/** The set with these bits: `addressesOf` turned round. Addresses are below 32,768, in any order. */
export function setOfAddresses(addresses: Iterable<number>, seed = 0): HllSet {
  const set = emptySet(seed)
  for (const address of addresses) addAddress(set, address)
  return set
}

/** Addresses of all set bits, ascending: the sparse form, 2 bytes a bit, shorter than the registers below 2,048 bits. */
export function addressesOf(set: HllSet): Uint16Array {
  const addresses = new Uint16Array(bitCount(set))
  let count = 0
  for (let register = 0; register < REGISTERS; register++) {
    for (let bits = set.registers[register]!; bits !== 0; bits &= bits - 1) {
      addresses[count++] = register * REGISTER_BITS + trailingZeros(bits)
    }
  }
  return addresses
}

/** Number of set bits: a lower bound of the number of tokens. */
export function bitCount(set: HllSet): number {
  let count = 0
  for (const register of set.registers) {
    for (let bits = register; bits !== 0; bits &= bits - 1) count++
  }
  return count
}

/** @returns 0 … 31, and 32 for 0 */
function trailingZeros(word: number): number {
  return word === 0 ? REGISTER_BITS : REGISTER_BITS - 1 - Math.clz32(word & -word)
}
