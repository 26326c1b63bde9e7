import type { BlockId } from '@sgsd/consensus'
import { MAX_BLOCK_BYTES } from '@sgsd/wire'

import { hashBlock } from './block-id.ts'
import { StoreError } from './store-error.ts'
import { unpack } from './zstd.ts'
import type { Unpacked } from './zstd.ts'

/** Decompresses under the cap and hashes: `ok` only for the bytes that `id` names. */
export async function verifyBlock(id: BlockId, packed: Uint8Array): Promise<Unpacked> {
  const unpacked = await unpack(packed)
  if (unpacked.type !== 'ok') return unpacked
  const found = await hashBlock(unpacked.bytes)
  return found === id ? unpacked : { type: 'corrupt', reason: `its hash is ${found}` }
}

/** The error for bytes that a peer sent. */
export function refusal(id: BlockId, why: Exclude<Unpacked, { readonly type: 'ok' }>): StoreError {
  if (why.type === 'too-large') return new StoreError('BLOCK_TOO_LARGE', { id, limitBytes: MAX_BLOCK_BYTES })
  return new StoreError('BLOCK_CORRUPT', { id, reason: why.reason })
}
