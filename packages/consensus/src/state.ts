import type { Genesis } from './genesis.ts'
import type { ConsensusId, MeshId, Millis, PeerName } from './ids.ts'
import type { Beat, ChunkRun, Item, SignedItem } from './items.ts'

/** A signed item of kind K. */
export type Signed<K extends Item['kind']> = Extract<SignedItem, { kind: K }>

/** What is covered of an open (or lately closed) epoch. */
export interface EpochTally {
  readonly epoch: bigint
  /** Covered chunks: disjoint, ascending, never adjacent. */
  readonly covered: readonly ChunkRun[]
  readonly chunksCovered: number
  /** XOR over the covered chunks. */
  readonly xor: bigint
  /** Chunks that each member was the first to cover here (overlaps count once). For display. */
  readonly byMember: ReadonlyMap<PeerName, number>
}

export interface ClosedEpoch {
  readonly epoch: bigint
  readonly xor: bigint
  /** `computed` from verified claims here, or `adopted` from the seals of a majority. */
  readonly how: 'computed' | 'adopted'
}

/** The CRDT (roster, heads, claims, seals) with what a node derives from it and what it alone knows (ready, beats, seen). Immutable. */
export interface MeshState {
  readonly meshId: MeshId
  readonly genesis: Genesis
  readonly self: PeerName
  readonly roster: ReadonlyMap<PeerName, Signed<'record'>>
  readonly heads: ReadonlyMap<PeerName, Signed<'head'>>
  /** Per member the newest head whose layer is here whole and verified: what the fold takes. */
  readonly ready: ReadonlyMap<PeerName, Signed<'head'>>
  /** Heads whose layer was refused, with the reason. */
  readonly refused: ReadonlyMap<PeerName, { readonly head: Signed<'head'>; readonly reason: string }>
  /** Claims of the current and the two epochs before it, by `itemKey`. */
  readonly claims: ReadonlyMap<string, Signed<'claim'>>
  /** Keys of claims whose leaves are here and verified. */
  readonly counted: ReadonlySet<string>
  /** Keys of claims that were refused, with the reason. */
  readonly refusedClaims: ReadonlyMap<string, string>
  /** Tallies of the epochs whose claims are kept, by epoch. */
  readonly tallies: ReadonlyMap<bigint, EpochTally>
  readonly epoch: bigint
  /** Newest first, at most 1,024. */
  readonly closed: readonly ClosedEpoch[]
  readonly seals: ReadonlyMap<PeerName, Signed<'seal'>>
  readonly beats: ReadonlyMap<PeerName, Beat>
  /** Local time of each member's newest sign of life. */
  readonly seen: ReadonlyMap<PeerName, Millis>
  /** Id of the fold of the ready heads of members. */
  readonly consensus: ConsensusId
  /** Local time of the first input that carried one; undefined before. */
  readonly startedAt: Millis | undefined
  /** When missing content was last asked for again, and the key behind which the next turn goes on. */
  readonly refetch: { readonly at: Millis | undefined; readonly after: string }
}

export type Input =
  /** An item arrived from a peer, or from disk at start, or was authored here (then its author is self). */
  | { readonly type: 'item-received'; readonly item: SignedItem; readonly now: Millis; readonly source: 'peer' | 'disk' | 'self' }
  | { readonly type: 'beat-received'; readonly beat: Beat; readonly now: Millis }
  | { readonly type: 'layer-ready'; readonly head: Signed<'head'> }
  | { readonly type: 'layer-refused'; readonly head: Signed<'head'>; readonly reason: string }
  /** The claim's leaves are here: one u64 per chunk of the run. `checkLeaves` found nothing wrong with them. */
  | { readonly type: 'leaves-ready'; readonly claim: Signed<'claim'>; readonly values: BigUint64Array }
  | { readonly type: 'leaves-refused'; readonly claim: Signed<'claim'>; readonly reason: string }
  | { readonly type: 'ticked'; readonly now: Millis }

/** Effects in the order in which they must happen: persist precedes publish. */
export type Effect =
  | { readonly type: 'persist'; readonly item: SignedItem }
  /** An item that newer ones replaced; its bytes may go. */
  | { readonly type: 'forget'; readonly item: SignedItem }
  | { readonly type: 'publish'; readonly item: SignedItem }
  | { readonly type: 'fetch-layer'; readonly head: Signed<'head'> }
  | { readonly type: 'fetch-leaves'; readonly claim: Signed<'claim'> }
  /** The set of ready heads changed: fold again. */
  | { readonly type: 'fold'; readonly consensus: ConsensusId }
  /** Sign and author a seal for this epoch. */
  | { readonly type: 'epoch-closed'; readonly closed: ClosedEpoch }
  /** Evidence or trouble worth showing to a person. */
  | { readonly type: 'report'; readonly level: 'info' | 'warn'; readonly what: string; readonly peer?: PeerName; readonly detail?: string }

export interface Step {
  readonly state: MeshState
  readonly effects: readonly Effect[]
}
