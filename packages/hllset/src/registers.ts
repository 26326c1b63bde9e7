import { bitCount, addressOf, type HllSet, REGISTER_BITS, REGISTERS } from './hll-set.ts'

// Bit by bit the registers are a Boolean algebra, exact and free of estimates. Only OR is also the operation on the token sets behind them: the sketch of A ∪ B is
// the OR of the sketches. Unequal tokens share bits, so the others give bounds:
//
//   registers        holds                                        so
//   A | B            exactly the bits of A ∪ B                    it is the sketch of A ∪ B
//   A & B            every bit of A ∩ B, and chance ones          a token without its bit there is not in both
//   A & ~B           only bits that a token of A ∖ B set          so many tokens, at least, are in A and not in B
//   A ^ B            only bits that a token of A △ B set          so many tokens, at least, are in one and not the other

/**
 * Bitwise OR of the registers: the sketch of A ∪ B, exact. Commutative, associative, idempotent, with the empty set as identity.
 * @returns a new set, sharing no memory with either
 * @throws RangeError if the seeds differ (a bug: sets of different hash functions have no union)
 */
export function union(a: HllSet, b: HllSet): HllSet {
  return combine(a, b, (x, y) => x | y)
}

/**
 * Bitwise AND: holds the sketch of A ∩ B, and bits that unequal tokens share. Its cardinality is no estimate of |A ∩ B| (`intersectionSize` is).
 * Commutative, associative, idempotent; union distributes over it.
 */
export function commonBits(a: HllSet, b: HllSet): HllSet {
  return combine(a, b, (x, y) => x & y)
}

/**
 * Bitwise AND NOT: bits of A that B lacks. Every one was set by a token of A ∖ B, so its `bitCount` is a sure lower bound of |A ∖ B|; when it is empty A ⊆ B is possible,
 * and when it is not, A ⊄ B for certain. Not the sketch of A ∖ B: that may share bits with B.
 */
export function differenceBits(a: HllSet, b: HllSet): HllSet {
  return combine(a, b, (x, y) => x & ~y)
}

/**
 * Bitwise XOR: bits that exactly one has, `union(differenceBits(a, b), differenceBits(b, a))`. Its `bitCount` is a sure lower bound of |A △ B|, and it is empty if and
 * only if the sketches are equal. Commutative, associative, each set its own inverse: `xorBits(xorBits(a, b), b)` is a, so it serves to send what changed in a sketch.
 */
export function xorBits(a: HllSet, b: HllSet): HllSet {
  return combine(a, b, (x, y) => x ^ y)
}

/** Whether two sets have the same seed and registers. */
export function equalSets(a: HllSet, b: HllSet): boolean {
  return a.seed === b.seed && a.registers.every((bits, register) => bits === b.registers[register])
}

/** Whether every bit of A is in B. False is certain: A ⊄ B. True is what A ⊆ B implies, no proof of it. */
export function maySubset(a: HllSet, b: HllSet): boolean {
  return bitCount(differenceBits(a, b)) === 0
}

/** Whether the token's bit is set. False is certain: the token was never added. */
export function mayContain(set: HllSet, token: string): boolean {
  const address = addressOf(token, set.seed)
  return ((set.registers[Math.floor(address / REGISTER_BITS)]! >>> (address % REGISTER_BITS)) & 1) === 1
}

/** @throws RangeError if the seeds differ */
export function requireOneSeed(a: HllSet, b: HllSet): void {
  if (a.seed !== b.seed) throw new RangeError(`sets of seeds ${a.seed} and ${b.seed} have no common hash`)
  if (a.registers.length !== REGISTERS || b.registers.length !== REGISTERS) throw new RangeError(`a set has ${REGISTERS} registers`)
}

function combine(a: HllSet, b: HllSet, operation: (x: number, y: number) => number): HllSet {
  requireOneSeed(a, b)
  return { seed: a.seed, registers: a.registers.map((bits, register) => operation(bits, b.registers[register]!)) }
}
