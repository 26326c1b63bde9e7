import { consensusHeads, consensusId } from './digests.ts'
import type { Effect, MeshState, Step } from './state.ts'

/** A step in the making: maps are replaced, never changed, so that the state that the step began with stays as it was. */
export class Draft {
  state: MeshState
  readonly effects: Effect[] = []

  constructor(state: MeshState) {
    this.state = state
  }

  set(changes: Partial<MeshState>): void {
    this.state = { ...this.state, ...changes }
  }

  emit(effect: Effect): void {
    this.effects.push(effect)
  }

  /** After a change of members or ready heads: names the new consensus, and asks for a fold when it is another. */
  refold(): void {
    const consensus = consensusId(this.state.genesis.foldId, consensusHeads(this.state))
    if (consensus === this.state.consensus) return
    this.set({ consensus })
    this.emit({ type: 'fold', consensus })
  }

  done(): Step {
    return { state: this.state, effects: this.effects }
  }
}

/** A copy of a map with one entry changed. */
export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value)
}

/** A copy of a map without a key; the map itself where it has none. */
export function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map
  const copy = new Map(map)
  copy.delete(key)
  return copy
}

/** A map with only the entries that hold. */
export function filtered<K, V>(map: ReadonlyMap<K, V>, holds: (value: V, key: K) => boolean): ReadonlyMap<K, V> {
  return new Map([...map].filter(([key, value]) => holds(value, key)))
}
