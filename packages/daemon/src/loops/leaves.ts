import type { ClaimCompute } from '@sgsd/compute'
import { checkLeaves, chunksOfEpoch, type Effect, itemKey, type Signed } from '@sgsd/consensus'
import { parseLeaves } from '@sgsd/wire'
import type { Core } from '../core.ts'
import type { EventBus } from '../event-bus.ts'
import type { DaemonParts } from '../parts.ts'

/** Checks a claim's leaf values against its root and XOR, and counts the claim or refuses it. The hashing is done elsewhere. */
export async function admitLeaves(core: Core, claims: ClaimCompute, claim: Signed<'claim'>, bytes: Uint8Array, events: EventBus): Promise<void> {
  if (core.state.counted.has(itemKey(claim))) return
  const leaves = parseLeaves(bytes)
  if (leaves.type !== 'accept') return core.handle({ type: 'leaves-refused', claim, reason: leaves.reason })
  const { run } = claim.value
  const root = leaves.value.length === run.count ? await claims.root({ meshId: core.meshId, ...claim.value }, leaves.value) : undefined
  const reason = checkLeaves(core.state, claim.value, leaves.value, root)
  if (reason !== undefined) return core.handle({ type: 'leaves-refused', claim, reason })
  countClaim(core, claim, leaves.value, events)
}

/** Counts a claim whose values are known to be the claimed ones. */
export function countClaim(core: Core, claim: Signed<'claim'>, values: BigUint64Array, events: EventBus): void {
  core.handle({ type: 'leaves-ready', claim, values })
  const { epoch, author, run } = claim.value
  const tally = core.state.tallies.get(epoch)
  events.emit({
    event: 'claim:accepted',
    peer: author,
    epoch: String(epoch),
    start: run.start,
    count: run.count,
    coverage: tally === undefined ? 1 : tally.chunksCovered / chunksOfEpoch(core.state.genesis),
  })
}

/** The values of a forgotten claim go with it, unless another claim names the same block. */
export function forgetLeaves({ core, store, log }: Pick<DaemonParts, 'core' | 'store' | 'log'>, { item }: Extract<Effect, { type: 'forget' }>): void {
  if (item.kind !== 'claim') return
  const { leaves } = item.value
  for (const claim of core.state.claims.values()) if (claim.value.leaves === leaves && itemKey(claim) !== itemKey(item)) return
  void store.blocks.delete(leaves).catch((error: Error) => log.debug({ error: error.message }, 'cannot delete forgotten leaves'))
}
