import type { FoldId, Folded, FoldMember, PeerName } from '@sgsd/consensus'
import type { Entry, HanziKernel, LatticeMatrices } from '@sgsd/lattice'
import type { Adopted, CommitDraft, FarmOptions, FarmReport, GradedLine, LayerContent } from '../port.ts'
import type { StepEngine, Trajectory } from '../step-engine.ts'

/** What every way of learning stands on. */
export interface LearningGround {
  readonly kernel: HanziKernel
  /** The kernel's own lattice. */
  readonly base: LatticeMatrices
  /** This member, where it is known. */
  readonly self: PeerName | undefined
  /** Looked at between two lines: a long call then ends with CLOSED. */
  readonly stopped: () => boolean
}

/** A layer that passed every check: what the fold takes. @typeParam B - what its blocks hold */
export type CheckedLayer<B> = Pick<FoldMember<B>, 'blocks' | 'state'>

/** Where a cover came to rest, and what stepped it. */
export interface Settled extends Trajectory {
  readonly provider: string
}

/**
 * How one member of a mesh learns, answers and folds: one per fold rule, chosen when the lattice opens. It holds the running lattice, the consensus
 * with this member's own learning on it, which survives a fold because it is part of it through the member's head.
 */
export interface Learning<B> {
  readonly foldId: FoldId
  /** The engine that steps, with the running lattice loaded. */
  stepper(): Promise<StepEngine>
  /** Steps with another engine from now on. The caller releases the one before. */
  use(engine: StepEngine): Promise<void>
  readonly engine: StepEngine
  setOwned(radicals: readonly number[]): void
  farm(lines: readonly string[], options: FarmOptions): Promise<FarmReport>
  learn(items: readonly GradedLine[]): Promise<FarmReport>
  /** s(t+1). @param rows - distinct, not empty */
  settle(rows: Uint32Array): Promise<Settled>
  /** The k highest entries of s(t+1) without `rows`. */
  nearest(rows: Uint32Array, k: number): Promise<readonly Entry[]>
  /** Rows from outside become learned ones. @throws ComputeError LAYER_REFUSED, and nothing changes */
  adopt(layer: CheckedLayer<B>): Adopted
  commit(): CommitDraft
  /** @param own - this member's head, checked */
  restore(own: CheckedLayer<B>, lines: number, meanScore: number): Promise<void>
  /** Parses and checks a layer, which is good or refused whole. */
  check(content: LayerContent): CheckedLayer<B> | { readonly refusal: string }
  /** The fold of some layers, apart from the running lattice: nothing changes. */
  foldOf(members: readonly FoldMember<B>[]): Folded
  /** Folds heads; the result takes the place of the consensus in the running lattice. */
  fold(members: readonly FoldMember<B>[]): Promise<Folded>
}
