import type { LatticeMatrices } from '@sgsd/lattice'
import type { EvidenceBlock } from './evidence-block.ts'
import { foldEvidence } from './fold-evidence.ts'
import { RowFold } from './fold-rows.ts'
import type { Folded, FoldMember } from './fold.ts'
import type { FoldId } from './genesis.ts'
import type { RowBlock } from './row-block.ts'

/** What the blocks of a layer hold, by the mesh's fold. */
export interface FoldBlocks {
  readonly 'mean/1': RowBlock
  readonly 'trimmed/1': RowBlock
  readonly 'median/1': RowBlock
  readonly 'evidence/1': EvidenceBlock
}

type FoldRule<F extends FoldId> = (base: LatticeMatrices, baseState: Float32Array, members: readonly FoldMember<FoldBlocks[F]>[]) => Folded

const RULES: { readonly [F in FoldId]: FoldRule<F> } = {
  'mean/1': (base, baseState, members) => new RowFold('mean/1', base, baseState).fold(members),
  'trimmed/1': (base, baseState, members) => new RowFold('trimmed/1', base, baseState).fold(members),
  'median/1': (base, baseState, members) => new RowFold('median/1', base, baseState).fold(members),
  'evidence/1': (base, _baseState, members) => foldEvidence(base, members),
}

/**
 * Folds members' heads by the rule that the mesh was founded with: a pure function of the set of members. docs/protocol.md §9
 * @param base, baseState - the hanzi kernel's own lattice and cover: what stands where nobody holds anything
 */
export function fold<F extends FoldId>(
  foldId: F,
  base: LatticeMatrices,
  baseState: Float32Array,
  members: readonly FoldMember<FoldBlocks[F]>[],
): Folded {
  return RULES[foldId](base, baseState, members)
}
