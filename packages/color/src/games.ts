import { GOLDEN, M1, M2, U64_MASK } from './constants.ts'
import { nextColour } from './chain.ts'
import { fnv1a64 } from './fnv1a64.ts'
import { toHalves } from './halves.ts'
import { mixWord, popcount32 } from './mix-word.ts'
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

/** Number of bits set in a u64. */
export function popcount64(x: bigint): number {
  const { hi, lo } = toHalves(x)
  return popcount32(hi) + popcount32(lo)
}

/**
 * The colour in [start, start + count) that is furthest from a name's hash: closest to its complement. The first of equals
 * wins, so parts searched apart combine by `nearer`.
 * @param count - at most 2^53
 * @returns undefined for an empty range
 */
export function furthestColour(seed: bigint, start: bigint, count: bigint, reference = 'gay'): Furthest | undefined {
  const target = toHalves(fnv1a64(reference) ^ U64_MASK)
  let least = 65
  let found = 0
  scan(seed, start, count, (hi, lo, place) => {
    const distance = popcount32(hi[0]! ^ target.hi) + popcount32(lo[0]! ^ target.lo)
    if (distance >= least) return
    least = distance
    found = place
  })
  if (least > 64) return undefined
  const index = start + BigInt(found)
  return { index, colour: spi64(seed, index), distance: least }
}

/** The better of two finds in one game: fewer bits, then the lower index. */
export function nearer<T extends { readonly index: bigint; readonly distance: number }>(a: T, b: T): T {
  return b.distance < a.distance || (b.distance === a.distance && b.index < a.index) ? b : a
}

/**
 * The `top` colours in [start, start + count) that `mix` moves least, nearest first, then by index. Parts searched apart combine by
 * `nearest`.
 * @param count - at most 2^53
 */
export function nearFixedPoints(seed: bigint, start: bigint, count: bigint, top: number): readonly NearFixedPoint[] {
  const best: { readonly place: number; readonly distance: number }[] = []
  let bound = top > 0 ? 65 : -1
  scan(seed, start, count, (hi, lo, place) => {
    hi[1] = hi[0]!
    lo[1] = lo[0]!
    mixWord(hi, lo, 1)
    const distance = popcount32(hi[0]! ^ hi[1]) + popcount32(lo[0]! ^ lo[1])
    if (distance >= bound) return
    best.splice(best.findLastIndex((other) => other.distance <= distance) + 1, 0, { place, distance })
    if (best.length > top) best.pop()
    if (best.length === top) bound = best.at(-1)!.distance
  })
  return best.map(({ place, distance }) => {
    const index = start + BigInt(place)
    return { index, colour: spi64(seed, index), distance }
  })
}

/** The `top` best of several lists of finds, nearest first, then by index. */
export function nearest<T extends { readonly index: bigint; readonly distance: number }>(finds: readonly T[], top: number): readonly T[] {
  return [...finds].sort((a, b) => a.distance - b.distance || (a.index < b.index ? -1 : a.index > b.index ? 1 : 0)).slice(0, top)
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

/** The inverse of `mix`: what colour came before this one. */
export function previousColour(colour: bigint): bigint {
  let z = unshift(colour & U64_MASK, 31n)
  z = unshift((z * inverse(M2)) & U64_MASK, 27n)
  z = unshift((z * inverse(M1)) & U64_MASK, 30n)
  return (z - GOLDEN) & U64_MASK
}

/**
 * Calls `look` with each colour of a range in word 0 of two arrays (word 1 is free for it) and its place in the range.
 * @throws RangeError when places could not be counted exactly
 */
function scan(seed: bigint, start: bigint, count: bigint, look: (hi: Int32Array, lo: Int32Array, place: number) => void): void {
  if (count < 0n || count > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`a range of ${count} colours cannot be searched at once`)
  const hi = new Int32Array(2)
  const lo = new Int32Array(2)
  let { hi: sumHi, lo: sumLo } = toHalves(seed + start * GOLDEN)
  const { hi: stepHi, lo: stepLo } = toHalves(GOLDEN)
  const end = Number(count)
  for (let place = 0; place < end; place++) {
    hi[0] = sumHi
    lo[0] = sumLo
    mixWord(hi, lo, 0)
    look(hi, lo, place)
    sumLo = (sumLo + stepLo) | 0
    sumHi = (sumHi + stepHi + (sumLo >>> 0 < stepLo >>> 0 ? 1 : 0)) | 0
  }
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
