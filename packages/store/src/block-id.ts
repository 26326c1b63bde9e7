import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { BlockId } from '@sgsd/consensus'

import { StoreError } from './store-error.ts'

/** Bytes hashed in one turn of the event loop: about 1 ms. */
const HASH_SLICE_BYTES = 2 ** 20

/** 64 lower-case hex digits: such a name cannot leave its directory. */
export function isBlockId(text: unknown): text is BlockId {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text)
}

/** @throws StoreError ID_INVALID, with the text cut and escaped */
export function requireBlockId(text: unknown): BlockId {
  if (isBlockId(text)) return text
  throw new StoreError('ID_INVALID', { id: JSON.stringify(String(text).slice(0, 80)) })
}

/** SHA-256 of a block's bytes; large blocks are hashed in slices, so that the event loop turns in between. */
export async function hashBlock(bytes: Uint8Array): Promise<BlockId> {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += HASH_SLICE_BYTES) {
    if (at > 0) await nextTurn()
    hash.update(bytes.subarray(at, at + HASH_SLICE_BYTES))
  }
  return hash.digest('hex') as BlockId
}
