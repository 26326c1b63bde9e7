import { type ClosedEpoch, draftSeal } from '@sgsd/consensus'
import type { DaemonParts } from '../parts.ts'
import { hex64 } from '../status.ts'
import { beaconSecret } from './check.ts'
import { saveGoodEpochs } from './good-epochs.ts'

/** Tells people and peers; a seal that cannot be written now is not authored: the next epoch's replaces it. */
export function sealEpoch(
  { core, store, log, events, beats }: Pick<DaemonParts, 'core' | 'store' | 'log' | 'events' | 'beats'>,
  { epoch, xor, how }: ClosedEpoch,
): void {
  log.info({ epoch: String(epoch), xor: hex64(xor), how }, 'epoch closed')
  events.emit({ event: 'epoch:closed', epoch: String(epoch), xor: hex64(xor), how })
  try {
    const seal = draftSeal(core.state, { epoch, xor, how }, beaconSecret(core))
    if (seal !== undefined) core.author({ kind: 'seal', value: seal })
    saveGoodEpochs(store.items, core.state)
  } catch (error) {
    log.error({ epoch: String(epoch), error: (error as Error).message }, 'the seal of an epoch cannot be written')
  }
  beats.soon()
}
