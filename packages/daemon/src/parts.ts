import type { ClaimCompute, ColourCompute, LatticeCompute } from '@sgsd/compute'
import type { Mesh, Observer } from '@sgsd/mesh'
import type { Store } from '@sgsd/store'
import type { Logger } from 'pino'
import type { BlockFetcher } from './block-fetcher.ts'
import type { Embeddings } from './api/embeddings.ts'
import type { OpenedApi } from './api/open-api.ts'
import type { InviteBook } from './admission/invite-book.ts'
import type { Config } from './config.ts'
import type { Core } from './core.ts'
import type { DataDir } from './data-dir.ts'
import type { EventBus } from './event-bus.ts'
import type { History } from './history/history.ts'
import type { BeatLoop } from './loops/beat.ts'
import type { FolderWatch } from './farm/folder-watch.ts'
import type { FarmLoop } from './loops/farm.ts'
import type { MergeLoop } from './loops/merge.ts'
import type { MineLoop } from './loops/mine.ts'
import type { Credentials } from './membership.ts'
import type { CareLoop } from './store-care/care-loop.ts'
import type { Pins } from './store-care/pins.ts'
import type { StoreCare } from './store-care/store-care.ts'
import type { AuditLoop } from './trust/audit-loop.ts'
import type { Judge } from './trust/judge.ts'
import type { ReceiptLoop } from './trust/receipt-loop.ts'
import type { RecentReport } from './warnings.ts'

/** Everything that a running daemon consists of. */
export interface DaemonParts {
  readonly files: DataDir
  readonly config: Config
  readonly credentials: Credentials
  readonly log: Logger
  readonly events: EventBus
  readonly store: Store
  readonly colours: ColourCompute
  readonly claims: ClaimCompute
  readonly lattice: LatticeCompute
  readonly core: Core
  readonly mesh: Mesh
  /** One-time invites of this node. */
  readonly invites: InviteBook
  /** The older UDP protocol, when it is on. */
  readonly observer: Observer | undefined
  readonly mining: MineLoop
  readonly audits: AuditLoop
  readonly judge: Judge
  readonly receipts: ReceiptLoop
  readonly farming: FarmLoop
  /** `farm.dir`, when it is set. */
  readonly folder: FolderWatch | undefined
  readonly merging: MergeLoop
  readonly beats: BeatLoop
  readonly embeddings: Embeddings
  readonly api: OpenedApi
  readonly fetcher: BlockFetcher
  /** Space, deletion and damage of the store; `addRoots` keeps what another part names. */
  readonly care: StoreCare
  readonly pins: Pins
  readonly caring: CareLoop
  readonly history: History
  readonly recent: RecentReport[]
  readonly startedAt: number
  readonly loopDelayP99Ms: () => number
  readonly requestStop: (exitCode: number) => void
}
