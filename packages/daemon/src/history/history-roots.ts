import type { Pins } from '../store-care/pins.ts'
import type { RootSource } from '../store-care/roots.ts'
import type { ConsensusLog } from './consensus-log.ts'

/** Newest records whose heads are kept whole, so that they can be folded again. */
export const KEPT_WINDOW = 64
/** Of a merge, ancestors whose manifests are kept: they say whose layers it stands for. */
const KEPT_OF_PIN = 64

/** What history keeps: the layers of the newest consensuses, and of pinned layers what says whom they stand for. */
export function historyRoots(folds: Pick<ConsensusLog, 'heads'>, pins: Pick<Pins, 'list'>): RootSource {
  return function* () {
    for (const { layer, author } of folds.heads(KEPT_WINDOW)) yield { type: 'layer', layer, author, whole: 1, known: 1, when: 'coming' }
    for (const { layer, author } of pins.list()) yield { type: 'layer', layer, author, whole: 1, known: KEPT_OF_PIN, when: 'coming' }
  }
}
