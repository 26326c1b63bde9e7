import { cardinality } from './cardinality.ts'
import { type HllSet, REGISTERS } from './hll-set.ts'

/** How a set A bears on a set B: the bounded set similarity of the lattice's edges. */
export interface Bss {
  /** Coverage τ = |A ∩ B| / |B|, in [0, 1]. */
  readonly tau: number
  /** Exclusion ρ = |A ∖ B| / |B|, ≥ 0; above 1 when A has more outside B than B has elements. */
  readonly rho: number
}

/**
 * Bitwise OR of the registers, exact: commutative, associative, idempotent, with the empty set as identity.
 * @returns a new set, sharing no memory with either
 * @throws RangeError if the seeds differ (a bug: sets of different hash functions have no union)
 */
export function union(a: HllSet, b: HllSet): HllSet {
  requireOneSeed(a, b)
  return { seed: a.seed, registers: a.registers.map((bits, register) => bits | b.registers[register]!) }
}

/** Whether two sets have the same seed and registers. */
export function equalSets(a: HllSet, b: HllSet): boolean {
  return a.seed === b.seed && a.registers.every((bits, register) => bits === b.registers[register])
}

/**
 * Estimate of |A ∩ B| = |A| + |B| − |A ∪ B|, clamped to [0, min(|A|, |B|)]. The AND of the registers is not the intersection: unequal tokens share bits.
 * Its absolute error is that of the three estimates together, so it is poor where the intersection is small beside the sets.
 */
export function intersectionSize(a: HllSet, b: HllSet): number {
  return sizes(a, b).both
}

/** Estimate of |A ∖ B| = |A ∪ B| − |B|, clamped to [0, |A|]. */
export function differenceSize(a: HllSet, b: HllSet): number {
  const { a: sizeA, both } = sizes(a, b)
  return sizeA - both
}

/** Estimate of |A ∩ B| / |A ∪ B|, in [0, 1]; 1 for two empty sets. */
export function jaccard(a: HllSet, b: HllSet): number {
  const { either, both } = sizes(a, b)
  return either === 0 ? 1 : both / either
}

/** τ and ρ of A over B, or undefined when B is empty. Swap the arguments for the other direction. */
export function bss(a: HllSet, b: HllSet): Bss | undefined {
  const { a: sizeA, b: sizeB, both } = sizes(a, b)
  if (sizeB === 0) return undefined
  return { tau: both / sizeB, rho: (sizeA - both) / sizeB }
}

function sizes(a: HllSet, b: HllSet): { a: number; b: number; both: number; either: number } {
  const sizeA = cardinality(a)
  const sizeB = cardinality(b)
  const joined = cardinality(union(a, b))
  const both = Math.min(Math.max(sizeA + sizeB - joined, 0), sizeA, sizeB)
  return { a: sizeA, b: sizeB, both, either: sizeA + sizeB - both }
}

function requireOneSeed(a: HllSet, b: HllSet): void {
  if (a.seed !== b.seed) throw new RangeError(`sets of seeds ${a.seed} and ${b.seed} have no common hash`)
  if (a.registers.length !== REGISTERS || b.registers.length !== REGISTERS) throw new RangeError(`a set has ${REGISTERS} registers`)
}
