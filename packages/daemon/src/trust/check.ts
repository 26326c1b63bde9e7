import { createHash } from 'node:crypto'
import type { Effect } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import { parseLeaves } from '@sgsd/wire'
import type { Core } from '../core.ts'

const SECRET_DOMAIN = 'sgs-beacon-secret/1'

/** Where two counted claims overlap, the first chunk for which their leaves differ goes to the core: one of the two is wrong. */
export async function compareLeaves(core: Core, blocks: BlockStore, { claims, overlap }: Extract<Effect, { type: 'compare-leaves' }>): Promise<void> {
  const [one, other] = await Promise.all(
    claims.map(async ({ value }) => {
      const bytes = await blocks.get(value.leaves)
      const leaves = bytes === undefined ? undefined : parseLeaves(bytes)
      return leaves?.type === 'accept' ? leaves.value.subarray(overlap.start - value.run.start) : undefined
    }),
  )
  if (one === undefined || other === undefined) return
  for (let i = 0; i < overlap.count; i++) {
    if (one[i] !== other[i]) return core.handle({ type: 'leaves-differ', claims, chunk: overlap.start + i })
  }
}

/**
 * What this member's nonces are made from: 32 bytes that only the holder of the identity key can compute, the same after a loss of the disk. Ed25519
 * signatures are deterministic, and this text is no envelope's.
 */
export function beaconSecret({ credentials }: Pick<Core, 'credentials'>): Uint8Array {
  return createHash('sha256')
    .update(credentials.identity.sign(Buffer.from(SECRET_DOMAIN)))
    .digest()
}
