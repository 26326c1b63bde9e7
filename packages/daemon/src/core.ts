import { type Beat, type ClosedEpoch, type Effect, initialState, type Input, type Item, type MeshState, type Millis, step } from '@sgsd/consensus'
import type { ItemStore } from '@sgsd/store'
import { itemKey } from '@sgsd/consensus'
import { openItem, signBeat, signItem, type Topic, topicOf, type Verifier } from '@sgsd/wire'
import type { Logger } from 'pino'
import type { EventBus } from './event-bus.ts'
import type { Credentials } from './membership.ts'

/** Who carries out the effects that reach beyond memory and disk. */
export interface CoreOutlets {
  publish(topic: Topic, bytes: Uint8Array): void
  fetchLayer(effect: Extract<Effect, { type: 'fetch-layer' }>): void
  fetchLeaves(effect: Extract<Effect, { type: 'fetch-leaves' }>): void
  fold(): void
  epochClosed(closed: ClosedEpoch): void
  /** An item went out of the state; its blocks may go. */
  forgotten(effect: Extract<Effect, { type: 'forget' }>): void
}

/** Local monotonic time. */
export function monotonicNow(): Millis {
  return performance.now() as Millis
}

/** Holds the mesh state, feeds inputs through `step`, performs the effects in order: persist precedes publish. */
export class Core {
  readonly credentials: Credentials
  readonly #store: ItemStore
  readonly #verify: Verifier
  readonly #log: Logger
  readonly #events: EventBus
  #outlets: CoreOutlets | undefined
  #state: MeshState
  /** Called after each input that changed the state. */
  onChange: () => void = () => {}

  constructor(credentials: Credentials, store: ItemStore, verify: Verifier, log: Logger, events: EventBus) {
    this.credentials = credentials
    this.#store = store
    this.#verify = verify
    this.#log = log
    this.#events = events
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
    for (const stored of [...this.#store.items()]) {
      const opened = openItem(stored.bytes, this.verifyContext)
      if (opened.type === 'accept') {
        this.handle({ type: 'item-received', item: opened.value, now: monotonicNow(), source: 'disk' })
        continue
      }
      damaged += 1
      this.#store.delete(stored.kind, stored.key, stored.id)
      this.#log.warn({ kind: stored.kind, key: stored.key, reason: opened.reason }, 'stored item is damaged; peers will send it again')
    }
    return damaged
  }

  /** Starts performing effects that reach outside; what `load` asked for is performed now. */
  connect(outlets: CoreOutlets): void {
    this.#outlets = outlets
    const waiting = this.#waiting.splice(0)
    for (const effect of waiting) this.#perform(effect)
  }
  readonly #waiting: Effect[] = []

  handle(input: Input): void {
    const before = this.#state
    const { state, effects } = step(before, input)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
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

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'persist': {
        const { item } = effect
        return this.#store.put({ kind: item.kind, key: itemKey(item), id: item.id, bytes: item.bytes })
      }
      case 'forget':
        this.#store.delete(effect.item.kind, itemKey(effect.item), effect.item.id)
        return this.#outlets?.forgotten(effect)
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
      case 'fold':
        return this.#outlets === undefined ? void this.#waiting.push(effect) : this.#outlets.fold()
      case 'epoch-closed':
        return this.#outlets === undefined ? void this.#waiting.push(effect) : this.#outlets.epochClosed(effect.closed)
      default:
        return effect satisfies never
    }
  }
}
