import { U64_MASK } from './constants.ts'
import { fromHalves, toHalves } from './halves.ts'
import { mixWord } from './mix-word.ts'

/** A sequence x, f(x), f(f(x)), … that came back to an earlier value. */
export interface Cycle {
  /** Steps to the first value that is met again. */
  readonly tail: number
  /** Steps from it back to itself. */
  readonly length: number
  /** The first value that is met again. */
  readonly entry: bigint
}

export type CycleSearch =
  | { readonly found: true; readonly cycle: Cycle }
  /** `last` is the value after `steps` steps. */
  | { readonly found: false; readonly steps: number; readonly last: bigint }

/**
 * A search under way, as plain data: it can be stopped, moved to another thread and gone on with.
 * `race` looks for the length of the cycle; `lead` sends one walker that far ahead; `meet` walks both to where the cycle begins.
 */
export interface CycleWalk {
  readonly phase: 'race' | 'lead' | 'meet'
  readonly width: number
  readonly maxSteps: number
  readonly start: bigint
  readonly slow: bigint
  readonly fast: bigint
  /** Steps of the race so far. */
  readonly steps: number
  /** Brent's window, a power of two, and how far the race is in it; afterwards `length` is that of the cycle. */
  readonly power: number
  readonly length: number
  /** Steps of the present phase `lead` or `meet`. */
  readonly walked: number
}

/**
 * Brent's search in the derivation chain of a seed. `mix` is a bijection: a chain has no tail, so all there can be found is a
 * return to the seed, about 2^63 steps away for most.
 * @param maxSteps - values visited at most
 */
export function findCycle(seed: bigint, maxSteps: number): CycleSearch {
  return findReducedCycle(seed, 64, maxSteps)
}

/**
 * The same with all colours cut to their low bits, which makes a random function of `mix`: cycles of about √(2^width) steps.
 * @param width - bits, 1 to 64
 */
export function findReducedCycle(seed: bigint, width: number, maxSteps: number): CycleSearch {
  let walk: CycleWalk | CycleSearch = startCycleWalk(seed, width, maxSteps)
  while (!('found' in walk)) walk = walkCycle(walk, UNBROKEN_STEPS)
  return walk
}

/** @throws RangeError unless width is 1 to 64 and maxSteps a safe integer ≥ 0 */
export function startCycleWalk(seed: bigint, width: number, maxSteps: number): CycleWalk {
  if (!Number.isInteger(width) || width < 1 || width > 64) throw new RangeError(`a colour cannot be cut to ${width} bits`)
  if (!Number.isSafeInteger(maxSteps) || maxSteps < 0) throw new RangeError(`a search cannot take ${maxSteps} steps`)
  const start = BigInt.asUintN(width, seed)
  return { phase: 'race', width, maxSteps, start, slow: start, fast: start, steps: 0, power: 1, length: 0, walked: 0 }
}

/**
 * Goes on with a search for about `steps` steps. R. P. Brent, An improved Monte Carlo factorization algorithm, 1980: constant memory, at
 * most 3 (tail + length) steps in all.
 */
export function walkCycle(walk: CycleWalk, steps: number): CycleWalk | CycleSearch {
  const mask = toHalves(U64_MASK >> BigInt(64 - walk.width))
  const at: Walkers = { hi: new Int32Array(2), lo: new Int32Array(2), maskHi: mask.hi, maskLo: mask.lo }
  place(at, SLOW, walk.slow)
  place(at, FAST, walk.fast)
  switch (walk.phase) {
    case 'race':
      return race(walk, at, steps)
    case 'lead':
      return lead(walk, at, steps)
    case 'meet':
      return meet(walk, at, steps)
  }
}

/** Two values as halves, and the mask of their width. */
interface Walkers {
  readonly hi: Int32Array
  readonly lo: Int32Array
  readonly maskHi: number
  readonly maskLo: number
}

const SLOW = 0
const FAST = 1
/** A search that nobody interrupts still comes back now and then, which costs nothing. */
const UNBROKEN_STEPS = 2 ** 30

function race(walk: CycleWalk, at: Walkers, budget: number): CycleWalk | CycleSearch {
  const { hi, lo } = at
  let { steps, power, length } = walk
  const end = Math.min(walk.maxSteps, steps + budget)
  for (; steps < end; steps++) {
    if (length === power) {
      hi[SLOW] = hi[FAST]!
      lo[SLOW] = lo[FAST]!
      power *= 2
      length = 0
    }
    advance(at, FAST)
    length++
    if (hi[FAST] === hi[SLOW] && lo[FAST] === lo[SLOW]) {
      return { ...walk, phase: 'lead', steps, power, length, slow: walk.start, fast: walk.start, walked: 0 }
    }
  }
  if (steps === walk.maxSteps) return { found: false, steps, last: valueOf(at, FAST) }
  return { ...walk, steps, power, length, slow: valueOf(at, SLOW), fast: valueOf(at, FAST) }
}

function lead(walk: CycleWalk, at: Walkers, budget: number): CycleWalk {
  let { walked } = walk
  const end = Math.min(walk.length, walked + budget)
  for (; walked < end; walked++) advance(at, FAST)
  const fast = valueOf(at, FAST)
  return walked === walk.length ? { ...walk, phase: 'meet', fast, walked: 0 } : { ...walk, fast, walked }
}

function meet(walk: CycleWalk, at: Walkers, budget: number): CycleWalk | CycleSearch {
  const { hi, lo } = at
  let { walked } = walk
  for (const end = walked + budget; walked < end; walked++) {
    if (hi[FAST] === hi[SLOW] && lo[FAST] === lo[SLOW]) {
      return { found: true, cycle: { tail: walked, length: walk.length, entry: valueOf(at, SLOW) } }
    }
    advance(at, SLOW)
    advance(at, FAST)
  }
  return { ...walk, slow: valueOf(at, SLOW), fast: valueOf(at, FAST), walked }
}

function advance({ hi, lo, maskHi, maskLo }: Walkers, i: number): void {
  mixWord(hi, lo, i)
  hi[i]! &= maskHi
  lo[i]! &= maskLo
}

function place({ hi, lo }: Walkers, i: number, value: bigint): void {
  const halves = toHalves(value)
  hi[i] = halves.hi
  lo[i] = halves.lo
}

function valueOf({ hi, lo }: Walkers, i: number): bigint {
  return fromHalves({ hi: hi[i]!, lo: lo[i]! })
}
