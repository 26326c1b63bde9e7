/** Runs the tasks of one key one after the other, tasks of different keys side by side. Not reentrant: a task must not queue on its own key. */
export class KeyQueue {
  readonly #tails = new Map<string, Promise<void>>()

  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const { promise: tail, resolve: release } = Promise.withResolvers<void>()
    this.#tails.set(key, tail)
    try {
      await before
      return await task()
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
      release()
    }
  }

  /** Resolves when every task queued so far has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values())
  }
}
