import type { ColourJob } from './job.ts'
import type { EngineFinding } from './probe.ts'

/** To a worker, handled in order. */
export type ToWorker =
  /** Try every engine, or only the one named, and report. */
  | { readonly type: 'probe'; readonly only?: string }
  /** Load this engine, check it, and work with it from now on. */
  | { readonly type: 'use'; readonly engine: string }
  | { readonly type: 'job'; readonly job: ColourJob }
  /** Finish the units at hand, give the engine back and end. */
  | { readonly type: 'close' }

/** From a worker. A worker that cannot go on throws: the pool sees it die. */
export type FromWorker = { readonly type: 'probed'; readonly findings: readonly EngineFinding[] } | { readonly type: 'complete'; readonly id: number }

/** How a worker is started. */
export interface WorkerSettings {
  /** Share of the time that the thread works, (0, 1]. */
  readonly duty: number
  readonly niceness: number
}
