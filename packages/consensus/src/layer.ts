import type { BlockId, LayerId, MeshId, PeerName } from './ids.ts'

/** Rows of one radical in a layer. */
export interface LayerBlock {
  /** Kangxi radical, 1 … 214. */
  readonly radical: number
  readonly rows: number
  /** Edges of Wτ and Wρ together. */
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
  readonly params: { readonly profile: 'stable' | 'published'; readonly rule: 'hebb'; readonly eta: number; readonly decay: number }
  /** SHA-256 over corpus digest and line numbers farmed since the parents, 64 hex digits. */
  readonly lineage: string
  /** Lines graded since the start, and the running mean of their next-line scores. */
  readonly scores: { readonly lines: bigint; readonly mean: number }
  /** Swarm state s, as a state block. */
  readonly state: BlockId
  /** Ascending by radical. */
  readonly blocks: readonly LayerBlock[]
}
