import {
  type Beat,
  type ClosedEpoch,
  type Effect,
  initialState,
  type Input,
  type Item,
  type MeshState,
  type Millis,
  type SignedItem,
  step,
} from '@sgsd/consensus'
import type { ItemStore } from '@sgsd/store'
import { itemKey } from '@sgsd/consensus'
import { openItem, signBeat, signItem, type Topic, topicOf, type Verifier } from '@sgsd/wire'
import type { Logger } from 'pino'
import type { EventBus } from './event-bus.ts'
import { HeardBeats } from './heard-beats.ts'
import type { Credentials } from './membership.ts'

/** Who carries out the effects that reach beyond memory and disk. */
export interface CoreOutlets {
  publish(topic: Topic, bytes: Uint8Array): void
  fetchLayer(effect: Extract<Effect, { type: 'fetch-layer' }>): void
  fetchLeaves(effect: Extract<Effect, { type: 'fetch-leaves' }>): void
  /** Recompute the chunk on the reference kernel and answer `proof-checked`. */
  checkProof(effect: Extract<Effect, { type: 'check-proof' }>): void
  /** Compare two claims' leaves where they overlap and answer `leaves-differ` if they do. */
  compareLeaves(effect: Extract<Effect, { type: 'compare-leaves' }>): void
  fold(): void
  epochClosed(closed: ClosedEpoch): void
  /** An item went out of the state; its blocks may go. */
  forgotten(effect: Extract<Effect, { type: 'forget' }>): void
}

/** Items of others wait at most this long for a commit: each is a synchronous fsync, and what a crash loses of them is sent again. */
const FLUSH_MS = 250

/** Which beats were heard is written this long after the first new one: of what a crash loses of it, some seconds of life can be replayed. */
const KEEP_BEATS_MS = 60_000

/** After a failed write. */
const RETRY_MS = 5_000

/** Local monotonic time. */
export function monotonicNow(): Millis {
  return performance.now() as Millis
}

/**
 * Holds the mesh state, feeds inputs through `step`, performs the effects in order: persist precedes publish. Own items are on disk before
 * anybody hears of them; those of others are written together a moment later.
 */
export class Core {
  readonly credentials: Credentials
  readonly #store: ItemStore
  readonly #verify: Verifier
  readonly #log: Logger
  readonly #events: EventBus
  readonly #unwritten: (() => void)[] = []
  #flushTimer: NodeJS.Timeout | undefined
  #beatTimer: NodeJS.Timeout | undefined
  readonly heardBeats: HeardBeats
  #outlets: CoreOutlets | undefined
  #state: MeshState
  /** Effects that reach outside, from before there was an outside. */
  readonly #waiting: Effect[] = []
  /** Called after each input that changed the state. */
  onChange: () => void = () => {}

  constructor(credentials: Credentials, store: ItemStore, verify: Verifier, log: Logger, events: EventBus) {
    this.credentials = credentials
    this.#store = store
    this.#verify = verify
    this.#log = log
    this.#events = events
    this.heardBeats = new HeardBeats(store)
    this.#state = initialState(credentials.genesis, credentials.meshId, credentials.identity.peer)
  }

  get state(): MeshState {
    return this.#state
  }

  get meshId(): MeshState['meshId'] {
    return this.credentials.meshId
  }

  get verifyContext(): { readonly meshId: MeshState['meshId']; readonly verify: Verifier } {
    return { meshId: this.credentials.meshId, verify: this.#verify }
  }

  /**
   * Replays what the disk holds. Effects that fetch or fold are performed once the outlets are there.
   * @returns items that could not be read any more (dropped from the store)
   */
  load(): number {
    let damaged = 0
    const items: SignedItem[] = []
    for (const stored of [...this.#store.items()]) {
      const opened = openItem(stored.bytes, this.verifyContext)
      if (opened.type === 'accept') {
        items.push(opened.value)
        continue
      }
      damaged += 1
      this.#store.delete(stored.kind, stored.key, stored.id)
      this.#log.warn({ kind: stored.kind, key: stored.key, reason: opened.reason }, 'stored item is damaged; peers will send it again')
    }
    this.handle({ type: 'items-received', items, now: monotonicNow(), source: 'disk' })
    return damaged
  }

  /** Starts performing effects that reach outside; what `load` asked for is performed now. */
  connect(outlets: CoreOutlets): void {
    this.#outlets = outlets
    const waiting = this.#waiting.splice(0)
    for (const effect of waiting) this.#perform(effect)
  }
  handle(input: Input): void {
    const before = this.#state
    const { state, effects } = step(before, input)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
    if (state.beats !== before.beats) this.#keepBeatsLater()
    if (state !== before) this.onChange()
  }

  /** Signs an item of our own and takes it in: it is persisted, then published. */
  author(item: Item): void {
    this.handle({ type: 'item-received', item: signItem(item, this.meshId, this.credentials.identity.sign), now: monotonicNow(), source: 'self' })
  }

  beat(beat: Beat): void {
    this.handle({ type: 'beat-received', beat, now: monotonicNow() })
    this.#outlets?.publish('roster', signBeat(beat, this.meshId, this.credentials.identity.sign))
  }

  /** Writes what waits; when that fails it goes on waiting. @throws StoreError */
  flush(): void {
    this.#flushItems()
    if (this.#beatTimer === undefined) return
    this.heardBeats.save(this.#state)
    clearTimeout(this.#beatTimer)
    this.#beatTimer = undefined
  }

  #keepBeatsLater(): void {
    this.#beatTimer ??= setTimeout(() => {
      try {
        this.flush()
      } catch (error) {
        this.#log.error({ error: (error as Error).message }, 'cannot write to the data directory; which beats were heard is kept later')
        this.#beatTimer = undefined
      }
    }, KEEP_BEATS_MS).unref()
  }

  /** In one commit. */
  #flushItems(): void {
    clearTimeout(this.#flushTimer)
    this.#flushTimer = undefined
    if (this.#unwritten.length === 0) return
    this.#store.batch(() => this.#unwritten.forEach((write) => write()))
    this.#unwritten.length = 0
  }

  #flushLater(ms: number): void {
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined
      try {
        this.#flushItems()
      } catch (error) {
        this.#log.error({ error: (error as Error).message, waiting: this.#unwritten.length }, 'cannot write to the data directory; trying again')
        this.#flushLater(RETRY_MS)
      }
    }, ms).unref()
  }

  /** In order; `now`: on disk when this returns. */
  #write(now: boolean, write: () => void): void {
    this.#unwritten.push(write)
    if (now) this.#flushItems()
    else this.#flushLater(FLUSH_MS)
  }

  /** What cannot be written now is evidence that others hold too. */
  #authorOrReport(item: Item): void {
    try {
      this.author(item)
    } catch (error) {
      this.#log.error({ kind: item.kind, error: (error as Error).message }, 'an item cannot be written')
    }
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'persist': {
        const { item } = effect
        const isOwn = item.value.author === this.#state.self
        return this.#write(isOwn, () => this.#store.put({ kind: item.kind, key: itemKey(item), id: item.id, bytes: item.bytes }))
      }
      case 'forget': {
        const { item } = effect
        this.#write(false, () => this.#store.delete(item.kind, itemKey(item), item.id))
        return this.#outlets?.forgotten(effect)
      }
      case 'report': {
        const { level, what, peer, detail } = effect
        this.#log[level]({ peer, detail }, what)
        if (level === 'warn')
          this.#events.emit({
            event: 'warning',
            message: `${what}${peer === undefined ? '' : ` (${peer})`}${detail === undefined ? '' : `: ${detail}`}`,
          })
        return
      }
      case 'publish':
        return this.#outlets?.publish(topicOf(effect.item), effect.item.bytes)
      case 'fetch-layer':
        return this.#outlets === undefined ? void this.#waiting.push(effect) : this.#outlets.fetchLayer(effect)
      case 'fetch-leaves':
        return this.#outlets === undefined ? void this.#waiting.push(effect) : this.#outlets.fetchLeaves(effect)
      case 'check-proof':
        return this.#outlets === undefined ? void this.#waiting.push(effect) : this.#outlets.checkProof(effect)
      case 'compare-leaves':
        return this.#outlets === undefined ? void this.#waiting.push(effect) : this.#outlets.compareLeaves(effect)
      case 'author':
        return this.#outlets === undefined ? void this.#waiting.push(effect) : this.#authorOrReport(effect.item)
      case 'fold':
        return this.#outlets === undefined ? void this.#waiting.push(effect) : this.#outlets.fold()
      case 'epoch-closed':
        return this.#outlets === undefined ? void this.#waiting.push(effect) : this.#outlets.epochClosed(effect.closed)
      default:
        return effect satisfies never
    }
  }
}
