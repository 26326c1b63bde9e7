import type { MeshState, PeerName } from '@sgsd/consensus'
import type { ItemStore } from '@sgsd/store'
import { parsePeerName } from '@sgsd/wire'

/** Where the good epochs of the members stand: JSON, peer id → count. */
const NAME = 'trust.good-epochs'

/** Keeps who is out of probation over a restart. @throws StoreError */
export function saveGoodEpochs(values: Pick<ItemStore, 'setValue'>, { goodEpochs }: Pick<MeshState, 'goodEpochs'>): void {
  values.setValue(NAME, Buffer.from(JSON.stringify(Object.fromEntries(goodEpochs))))
}

/** What an earlier process kept; nothing where that cannot be read: everybody is then audited as a newcomer. */
export function readGoodEpochs(values: Pick<ItemStore, 'getValue'>): ReadonlyMap<PeerName, number> {
  const found = new Map<PeerName, number>()
  try {
    const stored: unknown = JSON.parse(Buffer.from(values.getValue(NAME) ?? Buffer.from('{}')).toString('utf8'))
    for (const [peer, count] of Object.entries(stored as object)) {
      const name = parsePeerName(peer)
      if (name.type === 'accept' && typeof count === 'number') found.set(name.value, count)
    }
  } catch {
    found.clear()
  }
  return found
}
