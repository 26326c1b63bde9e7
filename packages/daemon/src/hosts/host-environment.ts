import type { Writable } from 'node:stream'
import type { ItemStore } from '@sgsd/store'
import type { Logger } from 'pino'

/** What hosts reach outside of their own connection, process or file. */
export interface HostEnvironment {
  /** The data directory: relative paths begin here, and programs run here. */
  readonly root: string
  /** Environment variables: where `apiKeyEnv` is looked up. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Small values that outlive the process: budgets. */
  readonly values: Pick<ItemStore, 'getValue' | 'setValue'>
  readonly stdout: Writable
  readonly log: Pick<Logger, 'info' | 'warn'>
  /** Milliseconds since 1970: days of budgets, and dates in `Retry-After`. */
  readonly now: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
}
