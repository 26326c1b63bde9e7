import type { ItemStore } from '@sgsd/store'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Core } from '../core.ts'
import { monotonicNow } from '../core.ts'
import type { EventBus } from '../event-bus.ts'
import { pause } from '../pause.ts'
import type { StoreCare } from './store-care.ts'

/** The first look, after the layers of the start are read and fetched. */
const FIRST_MS = 60_000
/** Between two looks. */
const LOOK_MS = 5 * 60_000
/** A store that nothing changed is looked at this often all the same. */
const IDLE_LOOK_MS = 6 * 3_600_000
/** A scrub nobody asked for reads no faster, bytes a second: 1 GB takes four minutes and a few per cent of a core. */
const SCRUB_RATE = 4 * 2 ** 20
const DAY_MS = 86_400_000
/** When the last scrub that was not asked for ended, as decimal ms since 1970. */
const SCRUBBED_VALUE = 'store/scrubbed'

/** Deletes what nothing names any more, fetches what is missing, and scrubs, by itself. */
export class CareLoop {
  readonly #care: StoreCare
  readonly #core: Core
  readonly #values: Pick<ItemStore, 'getValue' | 'setValue'>
  readonly #policy: Config['store']
  readonly #events: EventBus
  readonly #log: Logger
  readonly #signal: AbortSignal
  readonly #wallClock: () => number

  constructor(
    parts: {
      readonly care: StoreCare
      readonly core: Core
      readonly values: Pick<ItemStore, 'getValue' | 'setValue'>
      readonly events: EventBus
      readonly log: Logger
      readonly signal: AbortSignal
      readonly wallClock: () => number
    },
    policy: Config['store'],
  ) {
    this.#care = parts.care
    this.#core = parts.core
    this.#values = parts.values
    this.#events = parts.events
    this.#log = parts.log
    this.#signal = parts.signal
    this.#wallClock = parts.wallClock
    this.#policy = policy
  }

  async run(): Promise<void> {
    let seen: Core['state'] | undefined
    let lookedAt = 0
    let more = true
    await pause(FIRST_MS, this.#signal)
    while (!this.#signal.aborted) {
      const { state } = this.#core
      const changed = seen?.heads !== state.heads || seen.claims !== state.claims
      if (changed || more || monotonicNow() - lookedAt > IDLE_LOOK_MS) {
        seen = state
        lookedAt = monotonicNow()
        more = await this.#look()
      }
      if (this.#scrubDue()) await this.#scrub()
      await pause(LOOK_MS, this.#signal)
    }
  }

  /** @returns whether there is more to do soon */
  async #look(): Promise<boolean> {
    const signal = this.#signal
    try {
      const { missing, fetched } = await this.#care.repair({ signal })
      if (missing > 0) this.#log.info({ missing, fetched }, 'blocks of kept layers were missing')
      const { freed, spared, held, ms } = await this.#care.collect({ signal })
      if (freed.blocks > 0) this.#log.info({ ...freed, ms }, 'blocks that nothing names were deleted')
      if (held !== '') this.#log.warn({ held }, 'no block was deleted')
      return spared.blocks > 0 || missing > fetched || held !== ''
    } catch (error) {
      if (!signal.aborted) this.#log.error({ error: (error as Error).message }, 'the store cannot be looked after; trying again')
      return true
    }
  }

  #scrubDue(): boolean {
    const { scrubDays } = this.#policy
    if (scrubDays === 0 || this.#signal.aborted) return false
    const last = Number(Buffer.from(this.#values.getValue(SCRUBBED_VALUE) ?? []).toString('latin1'))
    const now = this.#wallClock()
    // A clock that went back makes it due.
    return !(last <= now && now - last < scrubDays * DAY_MS)
  }

  async #scrub(): Promise<void> {
    const signal = this.#signal
    try {
      const { checked, damaged, ms } = await this.#care.scrub({ signal, bytesPerSecond: SCRUB_RATE })
      this.#values.setValue(SCRUBBED_VALUE, Buffer.from(String(this.#wallClock()), 'latin1'))
      this.#log.info({ checked, damaged: damaged.length, ms }, 'scrubbed')
      if (damaged.length === 0) return
      const lost = damaged.filter(({ repair }) => repair === 'lost').length
      const message = `${damaged.length} damaged blocks were set aside${lost === 0 ? ' and fetched again' : `; ${lost} of them no connected peer has`}: check the disk`
      this.#events.emit({ event: 'warning', message })
    } catch (error) {
      if (!signal.aborted) this.#log.error({ error: (error as Error).message }, 'the store cannot be scrubbed; trying again')
    }
  }
}
