import type { BlockStore, ItemStore } from '@sgsd/store'
import type { Logger } from 'pino'
import type { BlockFetcher } from '../block-fetcher.ts'
import type { Config } from '../config.ts'
import type { Core } from '../core.ts'
import type { EventBus } from '../event-bus.ts'
import type { FarmLedger } from '../farm/ledger.ts'
import { CareLoop } from './care-loop.ts'
import { Pins } from './pins.ts'
import { corpusRoots, meshRoots } from './roots.ts'
import { type CareParts, StoreCare } from './store-care.ts'

/** From a block's write to the head that leads to it: a commit takes seconds, on a slow disk with a long queue perhaps a minute. */
const NAMING_MS = 120_000

export interface CareBase {
  readonly core: Core
  readonly blocks: BlockStore
  readonly values: ItemStore
  readonly ledger: FarmLedger
  readonly fetcher: Pick<BlockFetcher, 'get'>
  /** The data directory. */
  readonly root: string
  readonly events: EventBus
  readonly log: Logger
  readonly signal: AbortSignal
}

export interface Care {
  readonly care: StoreCare
  readonly pins: Pins
  readonly caring: CareLoop
}

/** What a running daemon looks after its store with. */
export function openCare(base: CareBase, { store: policy }: Pick<Config, 'store'>): Care {
  const { core, blocks, values, ledger, fetcher, root } = base
  const { self } = core.state
  const pins = new Pins(values)
  const sources = [meshRoots(() => core.state, policy), corpusRoots(self, () => ledger.blocks())]
  const fetch: CareParts['fetch'] = (id, prefer) => fetcher.get(id, prefer)
  const care = new StoreCare({ blocks, self, root, pins, sources, graceMs: policy.graceMinutes * 60_000, namingMs: NAMING_MS, fetch })
  return { care, pins, caring: new CareLoop({ ...base, care, wallClock: Date.now }, policy) }
}
