/** Work that waits for a moment in which nothing is learned. */
export class Visits {
  #waiting: ((trouble: Error | undefined) => Promise<void>)[] = []

  get wanted(): boolean {
    return this.#waiting.length > 0
  }

  add<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.push(async (trouble) => (trouble === undefined ? work().then(resolve, reject) : reject(trouble)))
    return promise
  }

  /** The moment is here. @param trouble - why nothing can be done in it */
  async admit(trouble: Error | undefined): Promise<void> {
    for (const visit of this.#waiting.splice(0)) await visit(trouble)
  }
}
