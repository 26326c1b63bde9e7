import { U64_MASK } from './constants.ts'

/** The three parts of a triadic stream: 0 MINUS, 1 ERGODIC, 2 PLUS. */
export type Polarity = 0 | 1 | 2

export const MINUS: Polarity = 0
export const ERGODIC: Polarity = 1
export const PLUS: Polarity = 2

export const POLARITIES: readonly [0, 1, 2] = [MINUS, ERGODIC, PLUS]

/** Names as the published tables print them, by polarity. */
export const POLARITY_NAMES: readonly [string, string, string] = ['MINUS', 'ERGODIC', 'PLUS']

/** What a seed is XORed with, by polarity: the characters '-', '_' and '+' eight times over. */
export const TWIST: readonly [bigint, bigint, bigint] = [0x2d2d2d2d2d2d2d2dn, 0x5f5f5f5f5f5f5f5fn, 0x2b2b2b2b2b2b2b2bn]

/** The seed a polarity's stream is drawn with; an involution. */
export function twistSeed(seed: bigint, polarity: Polarity): bigint {
  return (seed & U64_MASK) ^ TWIST[polarity]
}

/**
 * Stagger ownership: who derives the colour at a depth of a shared chain, and the host at a place of an ordered list.
 * @param depth - integer ≥ 0
 */
export function polarityOf(depth: number): Polarity {
  return (depth % 3) as Polarity
}
