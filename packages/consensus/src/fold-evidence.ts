import { derive, type LatticeMatrices, sumEvidence } from '@sgsd/lattice'
import type { EvidenceBlock } from './evidence-block.ts'
import { type Folded, type FoldMember, newestMembers } from './fold.ts'

/**
 * The fold `evidence/1`: the counts of all members, summed pair by pair, and the lattice that follows from the sums. docs/protocol.md §9.7
 *
 * The sums are of whole numbers below 2^53 and exact, so the result is a pure function of the set of members, and of nothing but the sum of their
 * counts: members that counted disjoint texts fold to the bytes of one member that counted them all. Weights and states of members play no part.
 *
 * @param base - the hanzi kernel's own lattice: what stands where nobody has counted
 * @param members - any order; of two entries for one peer the higher (seq, layer) counts
 * @throws RangeError if a row or a column does not fit the lattice (a bug: such a layer is refused when it is loaded)
 */
export function foldEvidence(base: LatticeMatrices, members: readonly FoldMember<EvidenceBlock>[]): Folded {
  const counts = sumEvidence(
    base.tau.rows,
    newestMembers(members).flatMap(({ blocks }) => blocks),
  )
  const { matrices, state } = derive(counts, base)
  let rows = 0
  for (let row = 0; row < counts.rows; row++) if (counts.ptr[row + 1]! > counts.ptr[row]!) rows++
  return { matrices, state, rows, nnz: matrices.tau.cols.length + matrices.rho.cols.length }
}
