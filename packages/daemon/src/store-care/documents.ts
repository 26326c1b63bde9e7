/** What `sgsd store` prints, and what the daemon answers to POST /v1/store/{du,gc,scrub}: lines of progress, then one `end`. */
import type { BlockKind } from './mark.ts'

export interface BlocksAndBytes {
  readonly blocks: number
  /** Compressed, as on disk. */
  readonly bytes: number
}

export interface StoreUsageDocument {
  readonly schema: 'sgsd.store-du/1'
  /** Made by the running daemon, or without one. */
  readonly by: 'daemon' | 'command'
  /** Largest first; `unreferenced`: nothing leads there, so it goes in time. */
  readonly kinds: readonly (BlocksAndBytes & {
    readonly kind: BlockKind | 'unreferenced'
    /** Bytes that only this node's layers, texts and claims name; only those of others; both. */
    readonly ownBytes: number
    readonly othersBytes: number
    readonly sharedBytes: number
  })[]
  readonly total: BlocksAndBytes
  readonly layers: {
    /** With manifest and lineage. */
    readonly known: number
    /** Of these with rows and state. */
    readonly whole: number
    readonly pinned: number
    /** What the whole layers would take if each had blocks of its own. */
    readonly unsharedBytes: number
    readonly bytes: number
  }
  /** Files and folders of the data directory beside the blocks, largest first. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
  /** Blocks of kept layers that are not here. */
  readonly missing: number
  readonly freeBytes: number
}

export interface StoreGcDocument {
  readonly schema: 'sgsd.store-gc/1'
  readonly by: 'daemon' | 'command'
  readonly dryRun: boolean
  readonly freed: BlocksAndBytes
  /** Nothing leads there, but they are young or in use. */
  readonly spared: BlocksAndBytes
  readonly kept: BlocksAndBytes
  readonly graceMs: number
  /** Why nothing was deleted, or ''. */
  readonly held: string
  readonly ms: number
  readonly freeBytes: number
}

export interface StoreScrubDocument {
  readonly schema: 'sgsd.store-scrub/1'
  readonly by: 'daemon' | 'command'
  readonly checked: number
  readonly bytes: number
  readonly ms: number
  /** Blocks whose bytes no longer fit their hash: set aside in `quarantine/`, never served. */
  readonly damaged: readonly DamagedBlock[]
  /** Blocks of kept layers that were not here, the damaged ones not counted, and how many of those came back. */
  readonly missing: { readonly blocks: number; readonly fetched: number }
}

export interface DamagedBlock {
  readonly id: string
  readonly kind: BlockKind | 'unreferenced'
  /** `fetched` from a peer; `lost`: no connected peer has it now; `not needed`; `later`: a running daemon will fetch it. */
  readonly repair: 'fetched' | 'lost' | 'not needed' | 'later'
}

export type StoreJob = 'du' | 'gc' | 'scrub'

export interface StoreProgress {
  readonly event: 'progress'
  readonly doing: 'looking' | 'reading' | 'fetching'
  /** Blocks, or undefined where nobody knows. */
  readonly done: number
  readonly total: number | undefined
  /** Read so far. */
  readonly bytes: number
  readonly damaged: number
}

export type StoreDocument = StoreUsageDocument | StoreGcDocument | StoreScrubDocument

export type StoreLine =
  | StoreProgress
  | { readonly event: 'end'; readonly document: StoreDocument }
  | { readonly event: 'failed'; readonly code: string; readonly message: string; readonly hint: string }
