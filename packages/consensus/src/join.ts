import { isIndex, isRun, isU64 } from './bounds.ts'
import { chunksOfEpoch } from './grid.ts'
import type { Item, RivalKind, SignedItem, SignedRival, Vote } from './items.ts'
import {
  AHEAD_EPOCHS,
  KEPT_EPOCHS,
  MAX_CLAIMS,
  MAX_CLAIMS_PER_EPOCH,
  MAX_EVIDENCE,
  MAX_EVIDENCE_OF_AUTHOR,
  MAX_MEMBERS,
  RECEIPT_EPOCHS,
} from './limits.ts'
import { compareText } from './order.ts'
import type { MeshState } from './state.ts'
import { equivocationVersion } from './trust/exclusion.ts'
import { accusedOf, proofFault } from './trust/proof.ts'

const keys = new WeakMap<Item['value'], string>()

/** An item's place in the CRDT, where one item stands. docs/protocol.md §5.1 */
export function itemKey(item: Item): string {
  if (item.kind === 'record' || item.kind === 'head' || item.kind === 'seal') return item.value.author
  let key = keys.get(item.value)
  if (key === undefined) {
    key = composedKey(item)
    keys.set(item.value, key)
  }
  return key
}

/**
 * The order of the join: of two items with one key the greater stands, on every node. Records, heads and operations by seq, seals by epoch and revision,
 * receipts by epoch, votes by what they say, equivocations by the version they are about, all then by id. Claims and proofs never change: of two for one key the smaller id is
 * the greater item. docs/protocol.md §5.1
 * @returns > 0 if `a` stands, < 0 if `b` does, 0 if they are the same item
 */
export function compareItems(a: SignedItem, b: SignedItem): number {
  const ids = compareText(a.id, b.id)
  if (a.kind === 'claim' || a.kind === 'proof') return -ids
  const rank = versionOf(a) - versionOf(b)
  if (rank !== 0n) return rank > 0n ? 1 : -1
  if (a.kind === 'seal' && b.kind === 'seal' && a.value.revision !== b.value.revision) return a.value.revision - b.value.revision
  return a.kind === 'equivocation' ? -ids : ids
}

/** Two items that one honest author never signs: different contents for one key and version, of a kind that is never corrected. */
export function conflict(a: SignedItem, b: SignedItem): boolean {
  return (
    a.id !== b.id && a.kind === b.kind && isRivalKind(a.kind) && itemKey(a) === itemKey(b) && (a.kind === 'claim' || versionOf(a) === versionOf(b))
  )
}

/** What the join does with an item. */
export type Joined =
  /** Here already, older than what is here, or out of bounds: nothing changes. */
  | { readonly type: 'unchanged'; readonly rival?: SignedRival }
  /** It stands now. `rival` is a conflicting item, `dropped` what stands no longer. */
  | { readonly type: 'taken'; readonly items: ReadonlyMap<string, SignedItem>; readonly rival?: SignedRival; readonly dropped: readonly SignedItem[] }

/** Most items of a kind, in all and of one author. */
export interface JoinLimit {
  readonly all: number
  readonly ofAuthor: number
}

/** Per-key maximum of a map and one item; of more keys than the limits allow the smallest stay, so that the result depends on the set alone. */
export function joinItem(
  items: ReadonlyMap<string, SignedItem>,
  item: SignedItem,
  limit: JoinLimit,
  open: () => Map<string, SignedItem> = () => new Map(items),
): Joined {
  const key = itemKey(item)
  const held = items.get(key)
  const rival = held !== undefined && conflict(held, item) ? { rival: held as SignedRival } : {}
  if (held !== undefined && compareItems(item, held) <= 0) return { type: 'unchanged', ...rival }
  const surplus = held === undefined ? surplusKey(items, item, key, limit) : undefined
  if (surplus === key) return { type: 'unchanged' }
  const joined = open()
  const dropped = held === undefined ? [] : [held]
  if (surplus !== undefined) {
    dropped.push(joined.get(surplus)!)
    joined.delete(surplus)
  }
  joined.set(key, item)
  return { type: 'taken', items: joined, dropped, ...rival }
}

/** Largest number of items of a kind. */
export function limitOf(kind: Item['kind']): JoinLimit {
  switch (kind) {
    case 'record':
    case 'head':
    case 'seal':
      return { all: MAX_MEMBERS, ofAuthor: 1 }
    case 'claim':
      return { all: MAX_CLAIMS, ofAuthor: MAX_CLAIMS }
    case 'proof':
    case 'equivocation':
    case 'op':
    case 'receipt':
    case 'vote':
      return { all: MAX_EVIDENCE, ofAuthor: MAX_EVIDENCE_OF_AUTHOR }
  }
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
      return isU64(item.value.epoch) && isU64(item.value.xor) && isIndex(item.value.revision, 0x1_0000_0000)
    case 'claim': {
      const { epoch, index, run, xor } = item.value
      const near = isNear(state, epoch, KEPT_EPOCHS, fromDisk)
      return near && isU64(xor) && isIndex(index, MAX_CLAIMS_PER_EPOCH) && isRun(run, chunksOfEpoch(state.genesis))
    }
    case 'proof':
      return isU64(item.value.claim.value.epoch) && isU64(item.value.value) && proofFault(state, item.value) === undefined
    case 'equivocation':
      return conflict(item.value.first, item.value.second) && item.value.first.id < item.value.second.id
    case 'op':
      return [item.value.seq, item.value.epoch, item.value.headSeq, item.value.recordSeq].every(isU64)
    case 'vote': {
      const { author, candidate, seq, rate, basis } = item.value
      return author !== candidate && isU64(seq) && isU64(rate) && basis >= 1 && isIndex(basis, MAX_MEMBERS + 1)
    }
    case 'receipt': {
      const { epoch, score } = item.value
      return isNear(state, epoch, RECEIPT_EPOCHS, fromDisk) && score >= 0 && score <= 1
    }
  }
}

/** Not older than so many epochs, and not further ahead than members ever are. */
function isNear(state: MeshState, epoch: bigint, kept: number, fromDisk: boolean): boolean {
  return epoch + BigInt(kept) >= state.epoch && isU64(epoch) && (fromDisk || epoch <= state.epoch + BigInt(AHEAD_EPOCHS))
}

/** The key that has to go when `key` comes, by the author's limit first; of several the largest. */
function surplusKey(items: ReadonlyMap<string, SignedItem>, item: SignedItem, key: string, { all, ofAuthor }: JoinLimit): string | undefined {
  const { author } = item.value
  if (ofAuthor < all && ofAuthor > 1 && items.size >= ofAuthor) {
    let held = 0
    let last = key
    for (const [other, { value }] of items) {
      if (value.author !== author) continue
      held += 1
      if (other > last) last = other
    }
    if (held >= ofAuthor) return last
  }
  if (items.size < all) return undefined
  let last = key
  for (const other of items.keys()) if (other > last) last = other
  return last
}

function composedKey(item: Exclude<Item, { kind: 'record' | 'head' | 'seal' }>): string {
  switch (item.kind) {
    case 'claim':
      return `${item.value.epoch}/${item.value.author}/${item.value.index}`
    case 'proof': {
      const { claim, chunk, author } = item.value
      return `${accusedOf(item.value)}/${claim.value.epoch}/${claim.value.index}/${chunk}/${author}`
    }
    case 'equivocation': {
      const { first } = item.value
      return first.kind === 'claim' ? `${first.value.author}/claim/${first.value.epoch}` : `${first.value.author}/${first.kind}`
    }
    case 'op':
      return `${item.value.author}/${item.value.subject}`
    case 'receipt':
      return `${item.value.layer}/${item.value.author}`
    case 'vote':
      return `${item.value.author}/${item.value.candidate}`
  }
}

function versionOf(item: SignedItem): bigint {
  switch (item.kind) {
    case 'record':
    case 'head':
    case 'op':
      return item.value.seq
    case 'vote':
      return voteRank(item.value)
    case 'seal':
    case 'receipt':
      return item.value.epoch
    case 'equivocation':
      return equivocationVersion(item.value)
    case 'claim':
    case 'proof':
      return 0n
  }
}

/** A yes stands before any no, of two yeses the one with the smaller basis, which admits no fewer; of noes the newest. */
function voteRank({ ok, seq, basis }: Vote): bigint {
  return ok ? (2n << 64n) - BigInt(basis) : seq
}

function isRivalKind(kind: Item['kind']): kind is RivalKind {
  return kind === 'record' || kind === 'head' || kind === 'claim'
}
