import { bufferLength, type FoundRows, type JoinKernel, type LoadedJoin } from './kernel.ts'
import type { JoinPlan } from './plan.ts'
import { compareShares } from './share-order.ts'

/** The join in its shortest words: count what each row shares with every other through the whole index, skip nothing. Slow, and what the others are held to. */
export function loadReferenceKernel(): JoinKernel {
  return {
    name: 'reference',
    about: 'JavaScript, the whole index',
    load: (plan, top) => new ReferenceJoin(plan, top),
  }
}

class ReferenceJoin implements LoadedJoin {
  readonly #plan: JoinPlan
  readonly #top: number
  readonly #shared: Uint32Array
  readonly #found: FoundRows
  /** Class of each position. */
  readonly #classOf: Uint32Array

  constructor(plan: JoinPlan, top: number) {
    this.#plan = plan
    this.#top = top
    this.#shared = new Uint32Array(plan.rows)
    const length = bufferLength(plan, top)
    this.#found = { counts: new Uint32Array(plan.rows), positions: new Uint32Array(length), shared: new Uint32Array(length) }
    this.#classOf = new Uint32Array(plan.rows)
    for (let at = 0; at < plan.sizes.length; at++) this.#classOf.fill(at, plan.starts[at], plan.starts[at + 1])
  }

  rows(from: number, to: number, need: Uint32Array): FoundRows {
    const { counts, positions, shared } = this.#found
    const most = Math.min(this.#top, this.#plan.rows)
    let written = 0
    let row = from
    for (; row < to && written + most <= positions.length; row++) {
      const kept = this.#row(row, need)
      kept.forEach(([position, both], at) => {
        positions[written + at] = position
        shared[written + at] = both
      })
      counts[row - from] = kept.length
      written += kept.length
    }
    return { counts: counts.subarray(0, row - from), positions: positions.subarray(0, written), shared: shared.subarray(0, written) }
  }

  #row(row: number, need: Uint32Array): readonly (readonly [position: number, shared: number])[] {
    const { ptr, tokens, postPtr, posts } = this.#plan
    const counted = this.#shared
    const touched: number[] = []
    for (let at = ptr[row]!; at < ptr[row + 1]!; at++) {
      for (let post = postPtr[tokens[at]!]!; post < postPtr[tokens[at]! + 1]!; post++) {
        const other = posts[post]!
        if (counted[other]!++ === 0) touched.push(other)
      }
    }
    const passing = touched.filter((other) => other !== row && need[this.#classOf[other]!]! > 0 && counted[other]! >= need[this.#classOf[other]!]!)
    const pairs = passing.map((other): readonly [number, number] => [other, counted[other]!])
    for (const other of touched) counted[other] = 0
    return pairs.sort(compareShares(this.#plan, row)).slice(0, this.#top)
  }
}
