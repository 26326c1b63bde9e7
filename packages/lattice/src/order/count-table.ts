/** Slots of an empty table; a power of two. */
const FIRST_SLOTS = 1_024
/** A table is rebuilt when more than this share of its slots is taken. */
const FULLEST = 0.7
/** No key has this value: keys are 0 or more. */
const FREE = -1

/**
 * Counts by key: open addressing over typed arrays, 12 bytes a slot, bounded. When more than `limit` keys are held, the rarest are forgotten (count 1, then 2, …), so
 * that frequent keys survive whatever the length of the text; which ones go depends on the keys added and on their order alone.
 */
export class CountTable {
  readonly #limit: number
  #keys: Float64Array = new Float64Array(FIRST_SLOTS).fill(FREE)
  #counts: Uint32Array = new Uint32Array(FIRST_SLOTS)
  #size = 0

  /** @param limit - most keys held */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Keys held. */
  get size(): number {
    return this.#size
  }

  /** Count of a key, 0 if it is not held. */
  get(key: number): number {
    return this.#counts[this.#slotOf(key)]!
  }

  /**
   * Adds 1 to a key.
   * @param key - an integer from 0 to 2^53 − 1
   * @returns its count now; 1 also for a key that was forgotten before
   */
  add(key: number): number {
    const slot = this.#slotOf(key)
    const count = Math.min(this.#counts[slot]! + 1, 0xffff_ffff)
    if (count > 1) return (this.#counts[slot] = count)
    this.#keys[slot] = key
    this.#counts[slot] = 1
    this.#size++
    if (this.#size > this.#limit) this.#forget()
    else if (this.#size > FULLEST * this.#keys.length) this.#rebuild(this.#keys.length * 2, 0)
    return 1
  }

  #forget(): void {
    for (let rarest = 1; this.#size > this.#limit / 2; rarest *= 2) this.#rebuild(this.#keys.length, rarest)
  }

  /** Moves all keys with a count above `rarest` to a table of so many slots. */
  #rebuild(slots: number, rarest: number): void {
    const [keys, counts] = [this.#keys, this.#counts]
    this.#keys = new Float64Array(slots).fill(FREE)
    this.#counts = new Uint32Array(slots)
    this.#size = 0
    keys.forEach((key, place) => {
      if (counts[place]! <= rarest) return
      const slot = this.#slotOf(key)
      this.#keys[slot] = key
      this.#counts[slot] = counts[place]!
      this.#size++
    })
  }

  /** The key's slot, or the free one where it would go. */
  #slotOf(key: number): number {
    const mask = this.#keys.length - 1
    // the two halves of the key, spread by Fibonacci hashing; `key % 2 ** 32` would take ten times as long
    const high = Math.floor(key / 0x1_0000_0000)
    const low = key - high * 0x1_0000_0000
    let slot = (Math.imul(low ^ Math.imul(high, 0x85eb_ca6b), 0x9e37_79b1) >>> 8) & mask
    while (this.#keys[slot] !== key && this.#keys[slot] !== FREE) slot = (slot + 1) & mask
    return slot
  }
}
