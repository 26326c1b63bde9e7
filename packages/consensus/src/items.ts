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

/** A member's statement of the newest epoch that it saw closed; newest epoch wins. */
export interface Seal {
  readonly author: PeerName
  readonly epoch: bigint
  /** XOR over the whole epoch. */
  readonly xor: bigint
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

export type ItemKind = Item['kind']

/** An item whose author's signature was verified; `bytes` is the envelope verbatim, `id` the SHA-256 of its payload. */
export type SignedItem = Item & { readonly id: ItemId; readonly bytes: Uint8Array }
