import { checkLeaves, chunksOfEpoch, itemKey, type Signed } from '@sgsd/consensus'
import { parseLeaves } from '@sgsd/wire'
import type { Core } from '../core.ts'
import type { EventBus } from '../event-bus.ts'

/** Checks a claim's leaf values against its root and XOR, and counts the claim or refuses it. */
export function admitLeaves(core: Core, claim: Signed<'claim'>, bytes: Uint8Array, events: EventBus): void {
  if (core.state.counted.has(itemKey(claim))) return
  const leaves = parseLeaves(bytes)
  const reason = leaves.type === 'accept' ? checkLeaves(core.state, claim.value, leaves.value) : leaves.reason
  if (leaves.type !== 'accept' || reason !== undefined) {
    core.handle({ type: 'leaves-refused', claim, reason: reason ?? 'damaged' })
    return
  }
  core.handle({ type: 'leaves-ready', claim, values: leaves.value })
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
