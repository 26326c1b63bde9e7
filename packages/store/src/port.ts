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
  /** Reads and hashes every block, whatever was verified before; damaged ones are moved aside and named. @throws the signal's reason */
  scrub(signal?: AbortSignal): Promise<ScrubReport>
  /** Compressed bytes on disk; only directories that changed since the last call are read again. */
  usage(): Promise<{ readonly blocks: number; readonly bytes: number; readonly freeBytes: number }>
}

export interface ScrubReport {
  readonly checked: number
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

/** Signed items and small values, in SQLite; every call is durable when it returns. */
export interface ItemStore {
  items(): Iterable<StoredItem>
  put(item: StoredItem): void
  delete(kind: ItemKind, key: string, id: ItemId): void
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
