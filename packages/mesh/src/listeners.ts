import { reasonOf } from './mesh-error.ts'
import type { MeshLog } from './mesh-options.ts'
import type { MeshEvents } from './port.ts'

/** Observers of a mesh; one that throws is logged and hurts nobody else. */
export class Listeners {
  readonly #log: MeshLog
  readonly #listeners: { [K in keyof MeshEvents]?: Set<(...args: MeshEvents[K]) => void> } = {}

  constructor(log: MeshLog) {
    this.#log = log
  }

  on<K extends keyof MeshEvents>(event: K, listener: (...args: MeshEvents[K]) => void): void {
    const listeners: Set<(...args: MeshEvents[K]) => void> = this.#listeners[event] ?? new Set<(...args: MeshEvents[K]) => void>()
    listeners.add(listener)
    Object.assign(this.#listeners, { [event]: listeners })
  }

  emit<K extends keyof MeshEvents>(event: K, ...args: MeshEvents[K]): void {
    for (const listener of this.#listeners[event] ?? []) {
      try {
        listener(...args)
      } catch (error) {
        this.#log('error', { event, reason: reasonOf(error) }, 'an observer of the mesh threw')
      }
    }
  }
}
