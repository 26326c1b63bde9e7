import type { Genesis } from './genesis.ts'
import type { ConsensusId, ItemId, MeshId, Millis, PeerName } from './ids.ts'
import type { Beat, ChunkRun, Item, SignedItem } from './items.ts'
import type { Exclusions } from './trust/exclusion.ts'

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

/** What became of a proof: the accused's value was wrong, or the accusation was. */
export type ProofVerdict = 'upheld' | 'false'

/** Chunks of a member that this node recomputed. */
export interface AuditCount {
  readonly chunks: number
  /** Of these, audits that found a wrong value. */
  readonly failed: number
}

/** The CRDT (roster, heads, claims, seals, proofs, equivocations, ops, receipts, votes) with what a node derives from it and what it alone knows (ready, beats, seen). Immutable. */
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
  /** When the open epochs were last seen to gain chunks, and whether the current one has waited for more than `STALL_MS`. */
  readonly progress: {
    readonly epoch: bigint
    /** Chunks covered of the current epoch and those under repair. */
    readonly covered: number
    readonly at: Millis
    readonly hasStalled: boolean
  }
  /** Newest first, at most 1,024. */
  readonly closed: readonly ClosedEpoch[]
  readonly seals: ReadonlyMap<PeerName, Signed<'seal'>>
  readonly proofs: ReadonlyMap<string, Signed<'proof'>>
  readonly equivocations: ReadonlyMap<string, Signed<'equivocation'>>
  readonly ops: ReadonlyMap<string, Signed<'op'>>
  readonly receipts: ReadonlyMap<string, Signed<'receipt'>>
  readonly votes: ReadonlyMap<string, Signed<'vote'>>
  /** Who was voted in: a function of the votes; undefined in a mesh that admits without. */
  readonly admitted: ReadonlySet<PeerName> | undefined
  /** What recomputing showed of each proof, by item id. */
  readonly verdicts: ReadonlyMap<ItemId, ProofVerdict>
  /** Who is out, and for which epochs: a function of roster, proofs with their verdicts, equivocations and ops. */
  readonly exclusions: Exclusions
  /** Closed epochs that lost coverage to an exclusion and wait for claims of others; while there are any, no epoch closes. */
  readonly repairing: ReadonlySet<bigint>
  /** Nonces that opened their author's commitment, by the epoch of the seal that revealed them. */
  readonly reveals: ReadonlyMap<bigint, ReadonlyMap<PeerName, string>>
  /** Chunks that this node recomputed of each claim that is kept, by `itemKey`. */
  readonly audits: ReadonlyMap<string, readonly number[]>
  /** The same for each member, over all claims since this process started. */
  readonly audited: ReadonlyMap<PeerName, AuditCount>
  /** Closed epochs to which a member contributed, since its last offence. */
  readonly goodEpochs: ReadonlyMap<PeerName, number>
  /** Chunks for which two counted claims name different values, by `itemKey` of each of the two: audited first. */
  readonly conflicts: ReadonlyMap<string, number>
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
  /** The same as one `item-received` after another, at the cost of one. */
  | { readonly type: 'items-received'; readonly items: readonly SignedItem[]; readonly now: Millis; readonly source: 'peer' | 'disk' | 'self' }
  /** Any inputs in this order, at the cost of one. */
  | { readonly type: 'batched'; readonly inputs: readonly Input[] }
  /** The chunk that a proof is about was recomputed on the reference kernel. */
  | { readonly type: 'proof-checked'; readonly proof: Signed<'proof'>; readonly computed: bigint }
  /** Chunks of a claim were recomputed here; `ok`: all have the claimed values. Bookkeeping only: what excludes is the proof. */
  | { readonly type: 'claim-audited'; readonly claim: Signed<'claim'>; readonly chunks: readonly number[]; readonly ok: boolean }
  /** Two counted claims name different values for a chunk: at least one of them is wrong. */
  | { readonly type: 'leaves-differ'; readonly claims: readonly [Signed<'claim'>, Signed<'claim'>]; readonly chunk: number }
  /** What an earlier process knew of good epochs. */
  | { readonly type: 'trust-restored'; readonly goodEpochs: ReadonlyMap<PeerName, number> }

/** Effects in the order in which they must happen: persist precedes publish. */
export type Effect =
  | { readonly type: 'persist'; readonly item: SignedItem }
  /** An item that newer ones replaced; its bytes may go. */
  | { readonly type: 'forget'; readonly item: SignedItem }
  | { readonly type: 'publish'; readonly item: SignedItem }
  | { readonly type: 'fetch-layer'; readonly head: Signed<'head'> }
  | { readonly type: 'fetch-leaves'; readonly claim: Signed<'claim'> }
  /** Recompute the proof's chunk on the reference kernel, then `proof-checked`. A node that does not know the kernel leaves it. */
  | { readonly type: 'check-proof'; readonly proof: Signed<'proof'> }
  /** Compare the leaves of two counted claims where they overlap; `leaves-differ` if they do. */
  | { readonly type: 'compare-leaves'; readonly claims: readonly [Signed<'claim'>, Signed<'claim'>]; readonly overlap: ChunkRun }
  /** Sign this item and author it. */
  | { readonly type: 'author'; readonly item: Item }
  /** The set of ready heads, or their weights, changed: fold again. */
  | { readonly type: 'fold'; readonly consensus: ConsensusId }
  /** Sign and author a seal for this epoch (`draftSeal`); again when a repair found another XOR. */
  | { readonly type: 'epoch-closed'; readonly closed: ClosedEpoch }
  /** Evidence or trouble worth showing to a person. */
  | { readonly type: 'report'; readonly level: 'info' | 'warn'; readonly what: string; readonly peer?: PeerName; readonly detail?: string }

export interface Step {
  readonly state: MeshState
  readonly effects: readonly Effect[]
}
