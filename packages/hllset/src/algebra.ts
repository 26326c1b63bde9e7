import type { HllSet } from './hll-set.ts'
import { jointEstimate } from './joint.ts'

/** How a set A bears on a set B: the bounded set similarity of the lattice's edges. */
export interface Bss {
  /** Coverage τ = |A ∩ B| / |B|, in [0, 1]. */
  readonly tau: number
  /** Exclusion ρ = |A ∖ B| / |B|, ≥ 0; above 1 when A has more outside B than B has elements. */
  readonly rho: number
}

// One figure each; `compareSets` gives them all at once, with their standard errors.

/** Estimate of |A ∪ B|. The union itself is exact: `union`. */
export function unionSize(a: HllSet, b: HllSet): number {
  const [onlyA, onlyB, both] = jointEstimate(a, b).parts
  return onlyA + onlyB + both
}

/** Estimate of |A ∩ B|, at least 0. The AND of the registers is not the intersection: unequal tokens share bits. */
export function intersectionSize(a: HllSet, b: HllSet): number {
  return jointEstimate(a, b).parts[2]
}

/** Estimate of |A ∖ B|, at least 0. `differenceBits` gives a sure lower bound. */
export function differenceSize(a: HllSet, b: HllSet): number {
  return jointEstimate(a, b).parts[0]
}

/** Estimate of |A △ B| = |A ∖ B| + |B ∖ A|, at least 0. `xorBits` gives a sure lower bound. */
export function xorSize(a: HllSet, b: HllSet): number {
  const [onlyA, onlyB] = jointEstimate(a, b).parts
  return onlyA + onlyB
}

/** Estimate of |A ∩ B| / |A ∪ B|, in [0, 1]; 1 for two empty sets. */
export function jaccard(a: HllSet, b: HllSet): number {
  const [onlyA, onlyB, both] = jointEstimate(a, b).parts
  const either = onlyA + onlyB + both
  return either === 0 ? 1 : both / either
}

/** Estimate of |A ∩ B| / √(|A| |B|), in [0, 1]; 0 when one set is empty, 1 when both are. */
export function cosine(a: HllSet, b: HllSet): number {
  const [onlyA, onlyB, both] = jointEstimate(a, b).parts
  if (onlyA + onlyB + both === 0) return 1
  return both === 0 ? 0 : Math.min(1, both / Math.sqrt((onlyA + both) * (onlyB + both)))
}

/** τ and ρ of A over B, or undefined when B is empty. Swap the arguments for the other direction. */
export function bss(a: HllSet, b: HllSet): Bss | undefined {
  const [onlyA, onlyB, both] = jointEstimate(a, b).parts
  const size = onlyB + both
  return size === 0 ? undefined : { tau: both / size, rho: onlyA / size }
}
