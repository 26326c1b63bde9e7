import type { BlockId, ItemId, ItemKind } from '@sgsd/consensus'

/** Bytes of a stored signed item; `key` is its place in the CRDT (one item per kind and key). */
export interface StoredItem {
  readonly kind: ItemKind
  readonly key: string
  readonly id: ItemId
  readonly bytes: Uint8Array
}

/** Content-addressed blocks: id = SHA-256 of the uncompressed bytes; kept zstd-compressed. */
export interface BlockStore {
  /** Durable (fsync of file and directory) when it resolves; a block already here is not written again. */
  put(bytes: Uint8Array): Promise<BlockId>
  /**
   * Many blocks at once, each as by `put`; durable when it resolves. Files are written a few at a time, and each directory is synced once for all of them.
   * When it fails, some of the blocks may be here: whole, and without harm.
   * @returns their ids, in the same order
   */
  putMany(blocks: readonly Uint8Array[]): Promise<readonly BlockId[]>
  /**
   * @returns the uncompressed bytes, hash checked, or undefined when the block is not here
   * @throws StoreError BLOCK_CORRUPT after moving the file aside, so that it can be fetched again
   */
  get(id: BlockId): Promise<Uint8Array | undefined>
  has(id: BlockId): boolean
  /** Compressed bytes for a peer, from `offset` on; verified before the first byte leaves unless verified earlier in this process. */
  read(id: BlockId, offset: number): Promise<{ readonly size: number; readonly body: AsyncIterable<Uint8Array> } | undefined>
  /** Takes a block from a peer; `have` compressed bytes of an earlier attempt are already here. */
  receive(id: BlockId): Promise<BlockSink>
  delete(id: BlockId): Promise<void>
  list(): Iterable<BlockId>
  /** Every block with its size and age, by id; blocks that come or go meanwhile may be among them or not. */
  entries(): AsyncIterable<BlockEntry>
  /**
   * Reads and hashes every block, whatever was verified before; damaged ones are moved aside and named.
   * @param pace - called after each block; the next is read when it resolves
   * @throws the signal's reason
   */
  scrub(signal?: AbortSignal, pace?: (progress: ScrubReport) => Promise<void> | void): Promise<ScrubReport>
  /** Keeps blocks from `sweep` until disposed, whether they are here yet or not. Leases add up. */
  lease(ids: Iterable<BlockId>): Disposable
  /**
   * Deletes the blocks that are not live, except those that are leased, young or lately used: whoever is about to name a block has put or got it before.
   * Safe beside everything else, where `live` was found out after `unusedSince` by more than it takes to name a block that was put.
   * @throws the signal's reason
   */
  sweep(live: (id: BlockId) => boolean, options: SweepOptions): Promise<SweepReport>
  /** Compressed bytes on disk; only directories that changed since the last call are read again. */
  usage(): Promise<{ readonly blocks: number; readonly bytes: number; readonly freeBytes: number }>
}

export interface BlockEntry {
  readonly id: BlockId
  /** Compressed. */
  readonly bytes: number
  /** Wall clock, ms since 1970: when the file was written. */
  readonly writtenMs: number
}

export interface SweepOptions {
  /** Wall clock, ms since 1970: blocks written then or later stay. */
  readonly writtenBefore: number
  /** Monotonic clock (`performance.now`): blocks put, taken in or read in this process since then stay. At most `MAX_GRACE_MS` back. */
  readonly unusedSince: number
  /** Only counts. */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

export interface BlockSum {
  readonly blocks: number
  /** Compressed. */
  readonly bytes: number
}

export interface SweepReport {
  readonly live: BlockSum
  /** Deleted, or in a dry run what would be. */
  readonly freed: BlockSum
  /** Not live, but leased, in use or young. */
  readonly spared: BlockSum
}

export interface ScrubReport {
  readonly checked: number
  /** Compressed bytes read. */
  readonly bytes: number
  /** Moved to quarantine, to be fetched again; in id order. */
  readonly damaged: readonly BlockId[]
}

/** A block on its way in. Compressed bytes, in order; nothing is visible before `finish`. */
export interface BlockSink {
  /** Compressed bytes kept from an interrupted transfer: ask the peer from here on. */
  readonly have: number
  write(piece: Uint8Array): Promise<void>
  /**
   * Decompresses under a cap, checks the hash, makes the block durable.
   * @returns the uncompressed bytes
   * @throws StoreError BLOCK_TOO_LARGE | BLOCK_CORRUPT (the partial file is removed)
   */
  finish(): Promise<Uint8Array>
  /** Keeps what came so far for a later attempt. */
  abort(): Promise<void>
}

/** What this node alone keeps beside the signed items: never sent, unsigned. One note per kind and key. */
export interface Note {
  readonly key: string
  readonly bytes: Uint8Array
}

/** Signed items, notes and small values, in SQLite; every call is durable when it returns. */
export interface ItemStore {
  items(): Iterable<StoredItem>
  put(item: StoredItem): void
  delete(kind: ItemKind, key: string, id: ItemId): void
  /** Of one kind, by key in code unit order of ASCII. */
  notes(kind: string): Iterable<Note>
  setNote(kind: string, key: string, bytes: Uint8Array): void
  /** @returns whether there was one */
  deleteNote(kind: string, key: string): boolean
  getValue(name: string): Uint8Array | undefined
  setValue(name: string, value: Uint8Array): void
  /**
   * Makes all calls inside `work` one commit: one fsync instead of one each, all or none after a crash. `work` must not be async.
   * When it throws, nothing of it is kept and the error passes on. A batch inside a batch joins it.
   */
  batch<T>(work: () => T): T
}

export interface Store extends AsyncDisposable {
  readonly blocks: BlockStore
  readonly items: ItemStore
  close(): Promise<void>
}
