import { chunksOfEpoch } from './work.ts'
import type { ChunkRun, Item, SignedItem } from './items.ts'
import { AHEAD_EPOCHS, KEPT_EPOCHS, MAX_CLAIM_CHUNKS, MAX_CLAIMS, MAX_CLAIMS_PER_EPOCH, MAX_MEMBERS, U64_MAX } from './limits.ts'
import { compareText } from './order.ts'
import type { MeshState } from './state.ts'

/** An item's place in the CRDT, where one item stands: the author for a record, head or seal; epoch, author and index for a claim. */
export function itemKey(item: Item): string {
  return item.kind === 'claim' ? `${item.value.epoch}/${item.value.author}/${item.value.index}` : item.value.author
}

/**
 * The order of the join: of two items with one key the greater stands, on every node. Records and heads by seq, seals by epoch, both then by
 * id; claims never change, of two for one key (equivocation) the smaller id is the greater item. docs/protocol.md §5.1
 * @returns > 0 if `a` stands, < 0 if `b` does, 0 if they are the same item
 */
export function compareItems(a: SignedItem, b: SignedItem): number {
  const ids = compareText(a.id, b.id)
  if (a.kind === 'claim') return -ids
  const rank = versionOf(a) - versionOf(b)
  return rank > 0n ? 1 : rank < 0n ? -1 : ids
}

/** Two items that one honest author never signs: different contents for one key and version. */
export function conflict(a: SignedItem, b: SignedItem): boolean {
  return a.id !== b.id && a.kind === b.kind && itemKey(a) === itemKey(b) && (a.kind === 'claim' || versionOf(a) === versionOf(b))
}

/** What the join does with an item. */
export type Joined =
  /** Here already, older than what is here, or out of bounds: nothing changes. */
  | { readonly type: 'unchanged'; readonly rival?: SignedItem }
  /** It stands now. `rival` is a conflicting item, `dropped` what stands no longer. */
  | { readonly type: 'taken'; readonly items: ReadonlyMap<string, SignedItem>; readonly rival?: SignedItem; readonly dropped: readonly SignedItem[] }

/** Per-key maximum of a map and one item; of more keys than `limit` the smallest stay, so that the result depends on the set alone. */
export function joinItem(items: ReadonlyMap<string, SignedItem>, item: SignedItem, limit: number): Joined {
  const key = itemKey(item)
  const held = items.get(key)
  const rival = held !== undefined && conflict(held, item) ? { rival: held } : {}
  if (held !== undefined && compareItems(item, held) <= 0) return { type: 'unchanged', ...rival }
  const joined = new Map(items).set(key, item)
  const dropped = held === undefined ? [] : [held]
  if (joined.size > limit) {
    let last = key
    for (const other of joined.keys()) if (other > last) last = other
    if (last === key) return { type: 'unchanged' }
    dropped.push(joined.get(last)!)
    joined.delete(last)
  }
  return { type: 'taken', items: joined, dropped, ...rival }
}

/** Largest number of items of a kind. */
export function limitOf(kind: Item['kind']): number {
  return kind === 'claim' ? MAX_CLAIMS : MAX_MEMBERS
}

/**
 * Is an item within the bounds of the state? Others are ignored without a trace; a claim of a later epoch comes again with the next sync.
 * @param fromDisk - it was within bounds once: its epoch may lie ahead until this node's own seal is loaded too
 */
export function withinBounds(state: MeshState, item: Item, fromDisk: boolean): boolean {
  switch (item.kind) {
    case 'record':
    case 'head':
      return isU64(item.value.seq)
    case 'seal':
      return isU64(item.value.epoch) && isU64(item.value.xor)
    case 'claim': {
      const { epoch, index, run } = item.value
      const near = epoch + BigInt(KEPT_EPOCHS) >= state.epoch && (fromDisk || epoch <= state.epoch + BigInt(AHEAD_EPOCHS))
      return near && isU64(epoch) && isU64(item.value.xor) && isIndex(index, MAX_CLAIMS_PER_EPOCH) && isRun(run, chunksOfEpoch(state.genesis))
    }
  }
}

function versionOf(item: SignedItem): bigint {
  switch (item.kind) {
    case 'record':
    case 'head':
      return item.value.seq
    case 'seal':
      return item.value.epoch
    case 'claim':
      return 0n
  }
}

function isRun({ start, count }: ChunkRun, chunks: number): boolean {
  return isIndex(start, chunks) && Number.isInteger(count) && count >= 1 && count <= Math.min(MAX_CLAIM_CHUNKS, chunks - start)
}

function isIndex(index: number, end: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < end
}

function isU64(value: bigint): boolean {
  return value >= 0n && value <= U64_MAX
}
