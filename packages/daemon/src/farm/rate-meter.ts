/** Calls that a rate is taken over: long enough to be steady, short enough to follow. */
const CALLS = 64

/** Lines per second over the last calls, time between calls included. */
export class RateMeter {
  readonly #calls: { readonly at: number; readonly lines: number }[] = []

  /** @param at - when the call ended, ms */
  add(lines: number, at: number): void {
    this.#calls.push({ at, lines })
    if (this.#calls.length > CALLS) this.#calls.shift()
  }

  /** Farming stopped: the pause is not part of the next rate. */
  clear(): void {
    this.#calls.length = 0
  }

  /** 0 before there is one. */
  get perSecond(): number {
    const [first] = this.#calls
    const last = this.#calls.at(-1)
    if (first === undefined || last === undefined || last.at <= first.at) return 0
    return (1_000 * this.#calls.slice(1).reduce((sum, { lines }) => sum + lines, 0)) / (last.at - first.at)
  }
}
