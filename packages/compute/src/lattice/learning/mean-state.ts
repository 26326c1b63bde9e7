/**
 * Running mean of swarm states: the s of a member's layer. The mean over its lines says what the member's text is about;
 * the last state would say what its last line was about.
 */
export class MeanState {
  readonly #sums: Float64Array
  #count = 0

  constructor(rows: number) {
    this.#sums = new Float64Array(rows)
  }

  /** States added so far. */
  get count(): number {
    return this.#count
  }

  add(state: Float32Array): void {
    for (let row = 0; row < state.length; row++) this.#sums[row]! += state[row]!
    this.#count++
  }

  /** Goes on from a mean over `count` states. */
  restart(mean: Float32Array, count: number): void {
    for (let row = 0; row < mean.length; row++) this.#sums[row] = mean[row]! * count
    this.#count = count
  }

  /** @returns newly allocated; all 0 before the first state */
  mean(): Float32Array<ArrayBuffer> {
    const divisor = Math.max(1, this.#count)
    return Float32Array.from(this.#sums, (sum) => sum / divisor)
  }
}
