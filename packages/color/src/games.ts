import { GOLDEN, M1, M2, U64_MASK } from './constants.ts'
import { nextColour } from './chain.ts'
import { fnv1a64 } from './fnv1a64.ts'
import { mix } from './mix.ts'
import { spi64 } from './spi64.ts'

export interface Furthest {
  readonly index: bigint
  readonly colour: bigint
  /** Bits in which the colour differs from the target, the complement of the reference. */
  readonly distance: number
}

/** A colour that its own successor nearly equals. */
export interface NearFixedPoint {
  readonly index: bigint
  readonly colour: bigint
  /** Bits that differ: popcount(mix(c) ^ c). */
  readonly distance: number
}

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

/** Number of bits set in a u64. */
export function popcount64(x: bigint): number {
  let count = 0
  for (let half of [Number(x & 0xffff_ffffn), Number((x >> 32n) & 0xffff_ffffn)]) {
    half -= (half >>> 1) & 0x5555_5555
    half = (half & 0x3333_3333) + ((half >>> 2) & 0x3333_3333)
    count += Math.imul((half + (half >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
  }
  return count
}

/**
 * The colour in [start, start + count) that is furthest from a name's hash: closest to its complement. The first of equals
 * wins, so parts searched apart combine by smallest (distance, index).
 * @returns undefined for an empty range
 */
export function furthestColour(seed: bigint, start: bigint, count: bigint, reference = 'gay'): Furthest | undefined {
  const target = fnv1a64(reference) ^ U64_MASK
  let best: Furthest | undefined
  for (let index = start; index < start + count; index++) {
    const colour = spi64(seed, index)
    const distance = popcount64(colour ^ target)
    if (best === undefined || distance < best.distance) best = { index, colour, distance }
  }
  return best
}

/** The `top` colours in [start, start + count) that `mix` moves least, nearest first, then by index. */
export function nearFixedPoints(seed: bigint, start: bigint, count: bigint, top: number): readonly NearFixedPoint[] {
  const best: NearFixedPoint[] = []
  for (let index = start; index < start + count; index++) {
    const colour = spi64(seed, index)
    const distance = popcount64(mix(colour) ^ colour)
    if (best.length === top && distance >= (best.at(-1)?.distance ?? 0)) continue
    const place = best.findLastIndex((other) => other.distance <= distance) + 1
    best.splice(place, 0, { index, colour, distance })
    if (best.length > top) best.pop()
  }
  return best
}

/**
 * Walks the derivation chain of a seed and looks for a colour that is its own successor.
 * @returns its depth, or undefined within `maxSteps`
 */
export function seekFixedPoint(seed: bigint, maxSteps: number): number | undefined {
  let colour = seed & U64_MASK
  for (let depth = 0; depth < maxSteps; depth++) {
    const next = nextColour(colour)
    if (next === colour) return depth
    colour = next
  }
  return undefined
}

/**
 * Brent's search in the derivation chain of a seed. `mix` is a bijection: a chain has no tail, so all there can be found is a
 * return to the seed, about 2^63 steps away for most.
 * @param maxSteps - values visited at most
 */
export function findCycle(seed: bigint, maxSteps: number): CycleSearch {
  return brent(nextColour, seed & U64_MASK, maxSteps)
}

/**
 * The same with all colours cut to their low bits, which makes a random function of `mix`: cycles of about √(2^width) steps.
 * @param width - bits, 1 to 64
 */
export function findReducedCycle(seed: bigint, width: number, maxSteps: number): CycleSearch {
  return brent((x) => BigInt.asUintN(width, mix(x)), BigInt.asUintN(width, seed), maxSteps)
}

/** The inverse of `mix`: what colour came before this one. */
export function previousColour(colour: bigint): bigint {
  let z = unshift(colour & U64_MASK, 31n)
  z = unshift((z * inverse(M2)) & U64_MASK, 27n)
  z = unshift((z * inverse(M1)) & U64_MASK, 30n)
  return (z - GOLDEN) & U64_MASK
}

/** R. P. Brent, An improved Monte Carlo factorization algorithm, 1980: constant memory, at most 3 (tail + length) steps. */
function brent(next: (x: bigint) => bigint, start: bigint, maxSteps: number): CycleSearch {
  let tortoise = start
  let hare = start
  let length = 0
  for (let steps = 0, power = 1; ; steps++) {
    if (steps === maxSteps) return { found: false, steps, last: hare }
    if (length === power) {
      tortoise = hare
      power *= 2
      length = 0
    }
    hare = next(hare)
    length++
    if (hare === tortoise) break
  }
  let tail = 0
  let entry = start
  hare = start
  for (let step = 0; step < length; step++) hare = next(hare)
  for (; entry !== hare; tail++) {
    entry = next(entry)
    hare = next(hare)
  }
  return { found: true, cycle: { tail, length, entry } }
}

/** Undoes z ^= z >> shift. */
function unshift(mixed: bigint, shift: bigint): bigint {
  let z = mixed
  for (let known = shift; known < 64n; known += shift) z = mixed ^ (z >> shift)
  return z
}

/** Inverse of an odd number modulo 2^64, by Newton: each round doubles the right low bits, 3 to begin with. */
function inverse(odd: bigint): bigint {
  let x = odd
  for (let bits = 3; bits < 64; bits *= 2) x = (x * (2n - odd * x)) & U64_MASK
  return x
}
