import type { JoinPlan } from './plan.ts'

/** Position of a set B, and |A ∩ B|. */
export type Share = readonly [position: number, shared: number]

/**
 * Order of the pairs of one row, best first: τ falling, ρ rising, B rising. Quotients are compared crosswise in whole numbers, below 2^32, so nothing rounds.
 */
export function compareShares({ ptr, rowOf }: Pick<JoinPlan, 'ptr' | 'rowOf'>, row: number): (a: Share, b: Share) => number {
  const size = ptr[row + 1]! - ptr[row]!
  return ([a, sharedA], [b, sharedB]) => {
    const sizeA = ptr[a + 1]! - ptr[a]!
    const sizeB = ptr[b + 1]! - ptr[b]!
    return sharedB * sizeA - sharedA * sizeB || (size - sharedA) * sizeB - (size - sharedB) * sizeA || rowOf[a]! - rowOf[b]!
  }
}
