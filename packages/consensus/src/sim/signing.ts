import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { BlockId, ItemId } from '../ids.ts'
import type { Item } from '../items.ts'
import { itemKey } from '../join.ts'
import type { Signed } from '../state.ts'

/** No envelope: nothing here is read from bytes. */
const NO_BYTES = new Uint8Array(0)

/**
 * Stands for signing: items are made as they are when their signatures were checked, and carry none. Their ids are hashes of what tells them apart, so
 * equal contents have equal ids, as on the wire.
 */
export function signed<K extends Item['kind']>(kind: K, value: Signed<K>['value']): Signed<K> {
  const item = { kind, value } as Item
  return { ...item, id: digestOf(`${kind} ${itemKey(item)} ${contentOf(item)}`) as string as ItemId, bytes: NO_BYTES } as unknown as Signed<K>
}

/** 64 hex digits that stand for the hash of something with this description. */
export function digestOf(description: string): BlockId {
  return bytesToHex(sha256(utf8ToBytes(description))) as BlockId
}

/** What tells items of one key apart, as far as a simulated member writes it. */
function contentOf({ kind, value }: Item): string {
  switch (kind) {
    case 'record':
      return `${value.seq} ${value.left}`
    case 'head':
      return `${value.seq} ${value.layer}`
    case 'claim':
      return `${value.run.start} ${value.run.count} ${value.xor} ${value.root} ${value.rosterHash}`
    case 'seal':
      return `${value.epoch} ${value.revision} ${value.xor} ${value.nonce}`
    case 'proof':
      return `${value.claim.id} ${value.value}`
    case 'equivocation':
      return `${value.author} ${value.first.id} ${value.second.id}`
    case 'op':
      return `${value.seq} ${value.action} ${value.epoch}`
    case 'receipt':
      return `${value.epoch} ${value.score}`
    case 'vote':
      return `${value.seq} ${value.ok} ${value.basis}`
  }
}
