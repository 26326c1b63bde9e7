import { existsSync } from 'node:fs'
import { type MeshState, type PeerName, type SignedItem } from '@sgsd/consensus'
import { verifySignature } from '@sgsd/mesh'
import { lockDataDir, openStore, type StoredItem } from '@sgsd/store'
import { openItem } from '@sgsd/wire'
import { readConfig } from '../config-file.ts'
import { dataDir } from '../data-dir.ts'
import { FarmLedger } from '../farm/ledger.ts'
import { ConsensusLog } from '../history/consensus-log.ts'
import { historyRoots } from '../history/history-roots.ts'
import { readCredentials } from '../membership.ts'
import { startupError } from '../startup-error.ts'
import { Pins } from './pins.ts'
import { corpusRoots, meshRoots } from './roots.ts'
import { StoreCare } from './store-care.ts'

/** The store of a data directory that no daemon runs on. */
export interface OfflineStore extends AsyncDisposable {
  readonly care: StoreCare
}

/**
 * Opens the store of a data directory without a daemon, holding its lock: none can start until it is closed. There are no peers here: what is damaged is
 * set aside, and a daemon fetches it.
 * @throws DaemonError ALREADY_RUNNING | NOT_INITIALISED | *_DAMAGED | NOT_WRITABLE | …
 */
export async function openOfflineStore(root: string): Promise<OfflineStore> {
  const files = dataDir(root)
  const stack = new AsyncDisposableStack()
  try {
    const { identity, meshId } = await readCredentials(root)
    stack.use(await lockDataDir(root))
    const { store: policy, history } = await readConfig(files.config)
    const store = stack.use(await openStore(root))
    const context = { meshId, verify: verifySignature }
    const items = [...store.items.items()].flatMap((stored: StoredItem) => {
      const opened = openItem(stored.bytes, context)
      return opened.type === 'accept' ? [opened.value] : []
    })
    const pins = new Pins(store.items)
    const sources = [meshRoots(() => namedBy(items, identity.peer), policy), historyRoots(new ConsensusLog(store.items, history.keep), pins)]
    if (existsSync(files.farm)) {
      const ledger = new FarmLedger(files.farm)
      stack.defer(() => ledger.close())
      sources.push(corpusRoots(identity.peer, () => ledger.blocks()))
    }
    const parts = { blocks: store.blocks, self: identity.peer, root, pins, sources, graceMs: policy.graceMinutes * 60_000 }
    const care = new StoreCare({ ...parts, namingMs: 0, fetch: undefined })
    return { care, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync().catch(() => {})
    throw startupError(error, root)
  }
}

/** What a daemon would know of these items before it has looked at any content. */
function namedBy(items: readonly SignedItem[], self: PeerName): Pick<MeshState, 'self' | 'heads' | 'ready' | 'claims'> {
  const heads: MeshState['heads'] = new Map(items.flatMap((item) => (item.kind === 'head' ? [[item.value.author, item]] : [])))
  const claims: MeshState['claims'] = new Map(items.flatMap((item) => (item.kind === 'claim' ? [[item.id, item]] : [])))
  return { self, heads, ready: new Map(), claims }
}
