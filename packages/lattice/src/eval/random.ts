/** The 32-bit step of the golden ratio. */
const GOLDEN = 0x9e37_79b9

/** SplitMix with 32-bit words: a small generator whose numbers are the same everywhere. Splits, samples and resamples of an evaluation come from it. */
export class SplitMix32 {
  #state: number

  /** @param stream - keeps the numbers of several uses of one seed apart */
  constructor(seed: number, stream: number = 0) {
    this.#state = (Math.imul(seed, 0x85eb_ca6b) ^ Math.imul(stream, 0xc2b2_ae35)) | 0
  }

  /** Uniform over the u32. */
  next(): number {
    this.#state = (this.#state + GOLDEN) | 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a_2d97)
    return (z ^ (z >>> 15)) >>> 0
  }

  /** A whole number in [0, n), n ≤ 2^32; uniform to within n/2^32. */
  below(n: number): number {
    return Math.floor((this.next() / 2 ** 32) * n)
  }

  /** The items in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items]
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[order[i], order[j]] = [order[j]!, order[i]!]
    }
    return order
  }
}
