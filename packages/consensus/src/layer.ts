import { HEBB, MAX_EVIDENCE_PAIRS } from '@sgsd/lattice'
import type { FoldId } from './genesis.ts'
import type { BlockId, LayerId, MeshId, PeerName } from './ids.ts'

/** What a layer's blocks hold: `hebb` weights, or `evidence` counts. */
export type LearningRule = 'hebb' | 'evidence'

/** Rows of one radical in a layer. */
export interface LayerBlock {
  /** Kangxi radical, 1 … 214. */
  readonly radical: number
  readonly rows: number
  /** Edges of Wτ and Wρ together, or pairs counted. */
  readonly nnz: number
  readonly block: BlockId
}

/** An immutable commit of learned rows; its bytes' SHA-256 is the LayerId. docs/protocol.md */
export interface LayerManifest {
  readonly version: 1
  readonly mesh: MeshId
  /** Hanzi kernel id. */
  readonly kernel: string
  readonly parents: readonly LayerId[]
  readonly author: PeerName
  readonly seq: bigint
  /** Colour epoch at the time of the commit: a coarse mesh-wide date. */
  readonly epoch: bigint
  readonly params: { readonly profile: 'stable' | 'published'; readonly rule: LearningRule; readonly eta: number; readonly decay: number }
  /** Which lines of which texts were learned since the parents, as a lineage block. */
  readonly lineage: BlockId
  /** Lines graded since the start, and the running mean of their next-line scores. */
  readonly scores: { readonly lines: bigint; readonly mean: number }
  /** Swarm state s, as a state block. */
  readonly state: BlockId
  /** Ascending by radical. */
  readonly blocks: readonly LayerBlock[]
}

/** The learning rule whose layers a fold takes. */
export function ruleOf(foldId: FoldId): LearningRule {
  return foldId === 'evidence/1' ? 'evidence' : 'hebb'
}

/** What this version's layers state in their manifest. Counts are not learned at a rate and do not decay. */
export function layerParams(foldId: FoldId): LayerManifest['params'] {
  const rule = ruleOf(foldId)
  return rule === 'hebb' ? { profile: 'stable', rule, eta: HEBB.eta, decay: HEBB.decay } : { profile: 'stable', rule, eta: 0, decay: 0 }
}

/**
 * Whether a mesh's fold takes layers like this one, by the manifest alone: before any block is fetched. docs/protocol.md §9.2
 * @returns why not, or undefined
 */
export function checkRule(foldId: FoldId, { params, blocks }: Pick<LayerManifest, 'params' | 'blocks'>): string | undefined {
  const rule = ruleOf(foldId)
  if (params.rule !== rule) return `the layer was learned by the rule ${params.rule}; the fold ${foldId} takes layers of ${rule}`
  const pairs = blocks.reduce((sum, { nnz }) => sum + nnz, 0)
  return rule === 'evidence' && pairs > MAX_EVIDENCE_PAIRS ? `the layer counts ${pairs} pairs; ${MAX_EVIDENCE_PAIRS} are allowed` : undefined
}
