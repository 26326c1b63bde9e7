import type { Estimate } from './estimate.ts'
import type { HllSet } from './hll-set.ts'
import { type JointEstimate, jointEstimate, type Parts } from './joint.ts'

/** Coverage and exclusion with their standard errors. */
export interface BssEstimate {
  readonly tau: Estimate
  readonly rho: Estimate
}

/**
 * All that two sketches say about two token sets A and B. The figures are those of one joint estimate, so they fit together: a = onlyA + both,
 * either = onlyA + onlyB + both, tau = both / b. The size of a set may differ from its `cardinality` by a fraction of its error: here both sketches bear on it.
 */
export interface Comparison {
  readonly a: Estimate
  readonly b: Estimate
  /** |A ∪ B| */
  readonly either: Estimate
  /** |A ∩ B| */
  readonly both: Estimate
  /** |A ∖ B| */
  readonly onlyA: Estimate
  /** |B ∖ A| */
  readonly onlyB: Estimate
  /** |A △ B| */
  readonly xor: Estimate
  /** |A ∩ B| / |A ∪ B| in [0, 1]; 1 for two empty sets. */
  readonly jaccard: Estimate
  /** |A ∩ B| / √(|A| |B|) in [0, 1]: the cosine of the sets' indicator vectors; 0 when one is empty, 1 when both are. */
  readonly cosine: Estimate
  /** τ and ρ of A over B, undefined when B is empty. */
  readonly aOverB: BssEstimate | undefined
  /** τ and ρ of B over A, undefined when A is empty. */
  readonly bOverA: BssEstimate | undefined
}

/** @throws RangeError if the seeds differ */
export function compareSets(a: HllSet, b: HllSet): Comparison {
  const joint = jointEstimate(a, b)
  const [onlyA, onlyB, both] = joint.parts
  const [sizeA, sizeB, either] = [onlyA + both, onlyB + both, onlyA + onlyB + both]
  const figure = (value: number, ...gradient: Parts): Estimate => ({ value, error: deviation(joint, gradient) })
  const certain = (value: number): Estimate => ({ value, error: 0 })
  const root = Math.sqrt(sizeA * sizeB)
  return {
    a: figure(sizeA, 1, 0, 1),
    b: figure(sizeB, 0, 1, 1),
    either: figure(either, 1, 1, 1),
    both: figure(both, 0, 0, 1),
    onlyA: figure(onlyA, 1, 0, 0),
    onlyB: figure(onlyB, 0, 1, 0),
    xor: figure(onlyA + onlyB, 1, 1, 0),
    jaccard: either === 0 ? certain(1) : figure(both / either, -both / either ** 2, -both / either ** 2, (onlyA + onlyB) / either ** 2),
    cosine:
      root === 0
        ? certain(either === 0 ? 1 : 0)
        : figure(Math.min(1, both / root), -both / (2 * sizeA * root), -both / (2 * sizeB * root), (1 - (both / 2) * (1 / sizeA + 1 / sizeB)) / root),
    aOverB: bssOf(onlyA, sizeB, both, (byA, byB, byBoth) => deviation(joint, [byA, byB, byBoth])),
    bOverA: bssOf(onlyB, sizeA, both, (byB, byA, byBoth) => deviation(joint, [byA, byB, byBoth])),
  }
}

/** @param error - standard error from the derivatives by the covering set's own part, the covered set's own part, and both */
function bssOf(
  outside: number,
  covered: number,
  both: number,
  error: (byOutside: number, byMissed: number, byBoth: number) => number,
): BssEstimate | undefined {
  if (covered === 0) return undefined
  const square = covered ** 2
  return {
    tau: { value: both / covered, error: error(0, -both / square, (covered - both) / square) },
    rho: { value: outside / covered, error: error(1 / covered, -outside / square, -outside / square) },
  }
}

/** Standard error of a figure with this gradient, to first order. */
function deviation({ covariance }: JointEstimate, gradient: Parts): number {
  let variance = 0
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) variance += gradient[row]! * gradient[column]! * covariance[3 * row + column]!
  }
  return Math.sqrt(Math.max(0, variance))
}
