import type { DaemonEvent } from './control/api.ts'

type Untimed<T> = T extends { readonly at: string } ? Omit<T, 'at'> : never

/** Daemon events to whoever listens; a listener that throws is dropped, the others go on. */
export class EventBus {
  readonly #listeners = new Set<(event: DaemonEvent) => void>()

  emit(event: Untimed<DaemonEvent>): void {
    const timed = { at: new Date().toISOString(), ...event } as DaemonEvent
    for (const listener of this.#listeners) {
      try {
        listener(timed)
      } catch {
        this.#listeners.delete(listener)
      }
    }
  }

  /** @returns ends the subscription */
  subscribe(listener: (event: DaemonEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
