import { consensusHeads, consensusId } from './digests.ts'
import type { PeerName } from './ids.ts'
import type { ChunkRun } from './items.ts'
import { ruleOf } from './layer.ts'
import type { Effect, EpochTally, MeshState, Step } from './state.ts'
import { foldWeights } from './trust/income.ts'

/** Fields of the state that are maps or sets. */
type CollectionField = { [F in keyof MeshState]: Open<MeshState[F]> extends never ? never : F }[keyof MeshState]

/** A field's collection, open for changes. */
type Open<T> = T extends ReadonlyMap<infer K, infer V> ? Map<K, V> : T extends ReadonlySet<infer V> ? Set<V> : never

/** A tally, open for changes. */
export interface OpenTally extends EpochTally {
  covered: ChunkRun[]
  chunksCovered: number
  xor: bigint
  readonly byMember: Map<PeerName, number>
}

/**
 * A step in the making. The state that it began with is never touched: it is copied at the first change, and each of its collections at its own first
 * change, so that a step over many inputs copies once.
 */
export class Draft {
  #state: MeshState
  #isCopied = false
  /** Collections that this step made and may change in place. */
  readonly #owned = new Set<unknown>()
  readonly effects: Effect[] = []
  /** Members, ready heads, receipts or the epoch changed. */
  #mayRefold = false

  constructor(state: MeshState) {
    this.#state = state
  }

  get state(): MeshState {
    return this.#state
  }

  set(changes: Partial<MeshState>): void {
    this.#state = this.#isCopied ? Object.assign(this.#state, changes) : { ...this.#state, ...changes }
    this.#isCopied = true
  }

  /** A map or set of the state, to be changed in place. */
  edit<F extends CollectionField>(field: F): Open<MeshState[F]> {
    const held: unknown = this.#state[field]
    if (this.#owned.has(held)) return held as Open<MeshState[F]>
    const copy: unknown = held instanceof Map ? new Map(held) : new Set(held as ReadonlySet<unknown>)
    this.#owned.add(copy)
    this.set({ [field]: copy })
    return copy as Open<MeshState[F]>
  }

  /** The tally of an epoch, empty if there is none yet, to be changed in place. */
  tally(epoch: bigint): OpenTally {
    const held = this.#state.tallies.get(epoch)
    if (held !== undefined && this.#owned.has(held)) return held as OpenTally
    const copy: OpenTally = {
      epoch,
      covered: [...(held?.covered ?? [])],
      chunksCovered: held?.chunksCovered ?? 0,
      xor: held?.xor ?? 0n,
      byMember: new Map(held?.byMember),
    }
    return this.#putTally(copy)
  }

  /** The same with nothing in it. */
  freshTally(epoch: bigint): OpenTally {
    return this.#putTally({ epoch, covered: [], chunksCovered: 0, xor: 0n, byMember: new Map() })
  }

  /** The nonces revealed by seals of an epoch, to be changed in place. */
  reveals(epoch: bigint): Map<PeerName, string> {
    const held = this.#state.reveals.get(epoch)
    if (held !== undefined && this.#owned.has(held)) return held as Map<PeerName, string>
    const copy = new Map(held)
    this.#owned.add(copy)
    this.edit('reveals').set(epoch, copy)
    return copy
  }

  emit(effect: Effect): void {
    this.effects.push(effect)
  }

  /** At the end of the step the consensus is named anew, and a fold asked for when it is another. */
  refold(): void {
    this.#mayRefold = true
  }

  done(): Step {
    if (this.#mayRefold) this.#nameConsensus()
    return { state: this.#state, effects: this.effects }
  }

  #nameConsensus(): void {
    const heads = consensusHeads(this.#state)
    const { foldId } = this.#state.genesis
    // sums of counts have no weights: income changes nothing in them
    const isWeighted = this.#state.receipts.size > 0 && ruleOf(foldId) !== 'evidence'
    const consensus = consensusId(foldId, heads, isWeighted ? foldWeights(this.#state) : undefined)
    if (consensus === this.#state.consensus) return
    this.set({ consensus })
    this.emit({ type: 'fold', consensus })
  }

  #putTally(tally: OpenTally): OpenTally {
    this.#owned.add(tally)
    this.edit('tallies').set(tally.epoch, tally)
    return tally
  }
}
