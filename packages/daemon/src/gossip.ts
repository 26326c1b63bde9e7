import { allItems, type SignedItem, stateDigest } from '@sgsd/consensus'
import type { MeshHandlers } from '@sgsd/mesh'
import type { Store } from '@sgsd/store'
import { openGossip, openItem, type Topic, type Verdict } from '@sgsd/wire'
import { type Core, monotonicNow } from './core.ts'

const ACCEPTED: Verdict<void> = { type: 'accept', value: undefined }
/** Of what is passed on nobody learns anything: it is old, or known here since before. */
const NOTHING_NEW: Verdict<void> = { type: 'ignore', reason: 'nothing new' }

/** What the mesh asks of us when peers speak: verify, take in, answer. */
export function meshHandlers(core: Core, { blocks }: Pick<Store, 'blocks'>): MeshHandlers {
  return {
    onGossip(topic: Topic, bytes: Uint8Array): Verdict<void> {
      const opened = openGossip(topic, bytes, core.verifyContext)
      if (opened.type !== 'accept') return opened
      const now = monotonicNow()
      const before = core.state
      if (opened.value.type === 'item') core.handle({ type: 'item-received', item: opened.value.item, now, source: 'peer' })
      else if (!core.heardBeats.isOld(opened.value.beat)) core.handle({ type: 'beat-received', beat: opened.value.beat, now })
      return core.state === before ? NOTHING_NEW : ACCEPTED
    },
    genesis: () => core.credentials.genesisBytes,
    syncDigest: () => stateDigest(core.state),
    inventory: () => Array.from(allItems(core.state), idBytes),
    itemsMissingFrom(theirs: ReadonlySet<string>): readonly Uint8Array[] {
      return Array.from(allItems(core.state)).flatMap((item) => (theirs.has(item.id) ? [] : [item.bytes]))
    },
    onItems: (envelopes: readonly Uint8Array[]): Verdict<void> => takeIn(core, envelopes),
    readBlock: (id, offset) => blocks.read(id, offset),
  }
}

/** All of one frame in one step; what came before a bad envelope counts. */
function takeIn(core: Core, envelopes: readonly Uint8Array[]): Verdict<void> {
  const items: SignedItem[] = []
  let verdict = ACCEPTED
  for (const bytes of envelopes) {
    const opened = openItem(bytes, core.verifyContext)
    if (opened.type === 'accept') items.push(opened.value)
    else if (opened.type === 'reject') {
      verdict = opened
      break
    }
  }
  if (items.length > 0) core.handle({ type: 'items-received', items, now: monotonicNow(), source: 'peer' })
  return verdict
}

function idBytes(item: SignedItem): Uint8Array {
  return Buffer.from(item.id, 'hex')
}
