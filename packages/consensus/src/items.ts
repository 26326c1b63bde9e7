import type { BlockId, ItemId, LayerId, PeerName, RosterHash } from './ids.ts'

/** A run of consecutive chunks of one epoch. */
export interface ChunkRun {
  readonly start: number
  readonly count: number
}

/** What a member says of itself; newest seq wins. */
export interface MemberRecord {
  readonly author: PeerName
  readonly seq: bigint
  /** Semantic version of the software. */
  readonly software: string
  /** For display only; control characters are refused. */
  readonly hostName: string
  readonly cores: number
  readonly memoryBytes: bigint
  /** Measured colours per second of the mesh's mining kernel on all mining threads. */
  readonly colourRate: bigint
  /** Lattice rows stepped per second, the member's weight in radical shards. */
  readonly rowRate: bigint
  /** Colour engine in use, e.g. `wasm`. */
  readonly colourEngine: string
  /** Lattice execution providers that passed their canary, best first, e.g. `wasm`, `onnx:webgpu`. */
  readonly providers: readonly string[]
  /** Listen multiaddrs without the /p2p suffix. */
  readonly addrs: readonly string[]
  readonly joinedEpoch: bigint
  /** True in a leaver's last record: it keeps its layers but takes no more work. */
  readonly left: boolean
}

/** Announces a member's newest layer. */
export interface Head {
  readonly author: PeerName
  readonly seq: bigint
  readonly layer: LayerId
  /** Kangxi radicals whose rows the layer holds, ascending. */
  readonly radicals: readonly number[]
}

/** A signed statement of the chunk values of one run. Key: (epoch, author, index). */
export interface Claim {
  readonly author: PeerName
  readonly epoch: bigint
  /** The author's n-th claim in this epoch, from 0. */
  readonly index: number
  readonly rosterHash: RosterHash
  readonly run: ChunkRun
  /** XOR of the run's chunk values. */
  readonly xor: bigint
  /** Merkle root over domain-separated leaves, 64 hex digits. */
  readonly root: string
  /** The run's chunk values, u64 little-endian, as a block. */
  readonly leaves: BlockId
}

/** A member's statement of the newest epoch that it saw closed; newest epoch wins, of one epoch the highest revision. */
export interface Seal {
  readonly author: PeerName
  readonly epoch: bigint
  /** 0, and one more each time the author repaired this epoch and found another XOR. */
  readonly revision: number
  /** XOR over the whole epoch. */
  readonly xor: bigint
  /** Opens `commit` of the author's seal of the epoch before: 32 bytes, 64 hex digits. */
  readonly nonce: string
  /** Binds the author to the nonce of its seal of the next epoch: 64 hex digits. */
  readonly commit: string
}

/**
 * A fraud proof: the accused's own signed claim, and one chunk of it that anybody can recompute. The path binds the value to the claim's root, so the
 * value is the accused's word. If recomputing gives another value the accused lied or computes wrong; if it gives the same, the accuser did.
 */
export interface Proof {
  /** The accuser. */
  readonly author: PeerName
  /** The accused's claim, verbatim. */
  readonly claim: SignedClaim
  /** Chunk of the claim's epoch. */
  readonly chunk: number
  /** What the claim says the chunk's value is. */
  readonly value: bigint
  /** Siblings from the leaf up to the claim's root, 32 bytes each. */
  readonly path: readonly Uint8Array[]
}

/** Two items that one author signed for one key and version, the one with the smaller id first. */
export interface Equivocation {
  /** Who saw both. */
  readonly author: PeerName
  readonly first: SignedRival
  readonly second: SignedRival
}

/** A member's decision over another one; of all decisions over a subject the newest counts. */
export interface RosterOp {
  readonly author: PeerName
  readonly subject: PeerName
  /** Grows with each decision over this subject, whoever makes it. */
  readonly seq: bigint
  readonly action: 'revoke' | 'readmit'
  /** A revocation holds from this epoch on; a readmission forgives two claims for one index up to it. */
  readonly epoch: bigint
  /** A readmission forgives two heads of one seq up to this one; 0 in a revocation. */
  readonly headSeq: bigint
  /** The same for records. */
  readonly recordSeq: bigint
  /** For people, printable ASCII, at most 200 characters. */
  readonly reason: string
}

/** A member's judgement of a candidate, after a probe of its own; only in a mesh whose genesis says `vote`. */
export interface Vote {
  readonly author: PeerName
  readonly candidate: PeerName
  /** Grows with each vote of this author on this candidate. A yes is never taken back. */
  readonly seq: bigint
  readonly ok: boolean
  /** Members that the author knew of when it voted, itself included. */
  readonly basis: number
  /** Colours a second that the candidate showed; 0 where not ok. */
  readonly rate: bigint
  /** Of the probe: 64 hex digits. */
  readonly nonce: string
  /** Why not, printable ASCII, at most 200 characters; '' where ok. */
  readonly reason: string
}

/** What one member measured of another one's layer on held-out lines. */
export interface Receipt {
  /** The scorer. */
  readonly author: PeerName
  /** The layer's author. */
  readonly subject: PeerName
  readonly layer: LayerId
  /** In [0, 1]. */
  readonly score: number
  /** Held-out lines that were scored. */
  readonly items: number
  /** The scorer's epoch. */
  readonly epoch: bigint
}

/** Ephemeral sign of life, gossiped every few seconds; never persisted, never in the CRDT state. */
export interface Beat {
  readonly author: PeerName
  /** Grows with each beat, across restarts too (milliseconds of the author's wall clock; orders nothing but the author's own beats). */
  readonly seq: bigint
  readonly rosterHash: RosterHash
  /** Consensus id, or '' before the first fold. */
  readonly consensus: string
  /** SHA-256 of the folded bytes, or ''. */
  readonly digest: string
  readonly epoch: bigint
  /** Chunks of the current epoch that the author has covered itself. */
  readonly chunksDone: number
  /** Chunks of the current epoch that the author knows to be covered by anybody. */
  readonly chunksCovered: number
  /** Colours per second over the last beats; 0 when not mining. */
  readonly rateNow: bigint
  readonly layers: number
}

export type Item =
  | { readonly kind: 'record'; readonly value: MemberRecord }
  | { readonly kind: 'head'; readonly value: Head }
  | { readonly kind: 'claim'; readonly value: Claim }
  | { readonly kind: 'seal'; readonly value: Seal }
  | { readonly kind: 'proof'; readonly value: Proof }
  | { readonly kind: 'equivocation'; readonly value: Equivocation }
  | { readonly kind: 'op'; readonly value: RosterOp }
  | { readonly kind: 'receipt'; readonly value: Receipt }
  | { readonly kind: 'vote'; readonly value: Vote }

export type ItemKind = Item['kind']

/** An item whose author's signature was verified; `bytes` is the envelope verbatim, `id` the SHA-256 of its payload. */
export type SignedItem = Item & Signature

/** What a signature adds to an item. */
interface Signature {
  readonly id: ItemId
  readonly bytes: Uint8Array
}

export type SignedClaim = { readonly kind: 'claim'; readonly value: Claim } & Signature

/** Kinds of which an author signs one item per key and version. A seal may be corrected, so two of them are none. */
export type RivalKind = 'record' | 'head' | 'claim'
export type SignedRival =
  | ({ readonly kind: 'record'; readonly value: MemberRecord } & Signature)
  | ({ readonly kind: 'head'; readonly value: Head } & Signature)
  | SignedClaim
