import { BIT_PROBABILITY, cardinality, MAX_RATE } from './cardinality.ts'
import { type HllSet, REGISTER_BITS, REGISTERS } from './hll-set.ts'
import { requireOneSeed, union } from './registers.ts'

/** What two sketches say together about the three parts of A ∪ B, each in tokens. */
export interface JointEstimate {
  /** |A ∖ B|, |B ∖ A|, |A ∩ B|. */
  readonly parts: Parts
  /** Covariance of the three, row by row: 9 entries, tokens². */
  readonly covariance: Float64Array
}

/** A value for each part of A ∪ B, in the order only A, only B, both. */
export type Parts = readonly [onlyA: number, onlyB: number, both: number]

/** Smallest rate that the search considers, tokens per register: a ten-thousandth of a token in all; below it a part is 0. */
const LEAST_RATE: number = 1e-4 / REGISTERS

/** Tokens of a part that was not seen: one that left a bit of its own counts as one at least. */
const UNSEEN = 0.25

/** A step never takes a part below this share of itself, so that parts stay positive: what has no evidence shrinks to LEAST_RATE in a few steps. */
const LEAST_SHARE = 0.05

/** The search ends when no part moved by more than this share, or after so many steps; full sets need the latter, others about 10. */
const SETTLED = 1e-9
const MAX_STEPS = 60

/** Halvings of a step that did not raise the likelihood. */
const MAX_HALVINGS = 20

/**
 * Maximum-likelihood estimate of the sizes of A ∖ B, B ∖ A and A ∩ B from both sketches at once (Ertl 2017, §4, for PCSA).
 *
 * Let a, b, c be the tokens per register of the three parts, and p the probability of a bit. Of the pairs (bit in A, bit in B) the outcomes have the probabilities
 * P00 = e^−(a+b+c)p, P10 = e^−(b+c)p (1 − e^−ap), P01 = e^−(a+c)p (1 − e^−bp), and P11 the rest. The likelihood over the counts of each bit position is climbed by
 * Fisher scoring from the inclusion–exclusion estimate. Where the intersection is small beside the sets this is several times as exact as inclusion–exclusion, which
 * subtracts large estimates from each other.
 *
 * The covariance is the inverse Fisher information, less what it owes to the Poisson model: there the number of tokens itself varies by its own size.
 * @throws RangeError if the seeds differ
 */
export function jointEstimate(a: HllSet, b: HllSet): JointEstimate {
  requireOneSeed(a, b)
  const counts = pairCounts(a, b)
  let at = start(a, b)
  let height = likelihood(counts, at)
  for (let step = 0; step < MAX_STEPS; step++) {
    const { gradient, information } = slope(counts, at)
    const move = solve(information, gradient)
    let next = moved(at, move, 1)
    let reached = likelihood(counts, next)
    for (let half = 1; reached < height && half <= MAX_HALVINGS; half++) {
      next = moved(at, move, 2 ** -half)
      reached = likelihood(counts, next)
    }
    if (!(reached >= height)) break
    const settled = next.every((rate, part) => Math.abs(rate - at[part]!) <= SETTLED * at[part]!)
    at = next
    height = reached
    if (settled) break
  }
  const parts = at.map((rate) => (rate <= LEAST_RATE * 2 ? 0 : rate * REGISTERS)) as unknown as Parts
  return { parts, covariance: covarianceAt(counts, at, parts) }
}

/**
 * Covariance of the parts, in tokens². Among parts that were seen it is the inverse Fisher information less the Poisson model's own variance. An unseen part has a likelihood that
 * falls from there on, qⁿ for n tokens that left no trace; its deviation is how far that reaches, and the others give way to it as the information says.
 */
function covarianceAt(counts: Float64Array, at: Parts, parts: Parts): Float64Array {
  const { gradient, information } = slope(counts, at)
  const atZero = [0, 1, 2].filter((part) => parts[part]! < UNSEEN)
  const inverse = invert(information, atZero)
  const covariance = inverse.map((entry, place) => entry * REGISTERS ** 2 - (place % 4 === 0 && parts[place / 4]! >= UNSEEN ? parts[place / 4]! : 0))
  for (const part of atZero) {
    const variance = traceless(counts, at, part, gradient[part]!) ** 2
    const response = [0, 1, 2].map((other) =>
      other === part ? 1 : -[0, 1, 2].reduce((sum, inner) => sum + inverse[3 * other + inner]! * information[3 * inner + part]!, 0),
    )
    for (let place = 0; place < 9; place++) covariance[place]! += variance * response[Math.floor(place / 3)]! * response[place % 3]!
  }
  return covariance
}

/**
 * How many tokens of a part could have left no trace, as one deviation. A token hides with probability q, the likelihood of n such is q^n; where that hardly falls, its
 * curvature by the pairs of bits bounds it.
 */
function traceless(counts: Float64Array, [a, b, c]: Parts, part: number, gradient: number): number {
  const hidden = Math.min(Math.max(1 + gradient / REGISTERS, Number.MIN_VALUE), 1)
  let curvature = 0
  for (let k = 0; k < REGISTER_BITS; k++) {
    const p = BIT_PROBABILITY[k]!
    const [noA, noB] = [Math.exp(-(a + c) * p), Math.exp(-(b + c) * p)]
    const [gainA, gainB] = [-Math.expm1(-a * p), -Math.expm1(-b * p)]
    const by = part === 0 ? noA * gainB : part === 1 ? noB * gainA : noA + noB - Math.exp(-(a + b + c) * p)
    const share = (p * by) / inBoth(gainA, gainB, c * p)
    if (counts[3 * k + 2]! > 0) curvature += counts[3 * k + 2]! * share * (share + p)
  }
  return 1 / (Math.sqrt(curvature) / REGISTERS - Math.log(hidden) + 1 / (REGISTERS * MAX_RATE))
}

/** For each bit position how many registers have it in A only, in B only, in both: 3 × 32. */
function pairCounts(a: HllSet, b: HllSet): Float64Array {
  const counts = new Float64Array(3 * REGISTER_BITS)
  for (let register = 0; register < REGISTERS; register++) {
    const [inA, inB] = [a.registers[register]!, b.registers[register]!]
    for (let bits = inA | inB; bits !== 0; bits &= bits - 1) {
      const lowest = bits & -bits
      const part = (inA & inB & lowest) !== 0 ? 2 : (inA & lowest) !== 0 ? 0 : 1
      counts[3 * (31 - Math.clz32(lowest)) + part]!++
    }
  }
  return counts
}

/** Rates by inclusion–exclusion, each kept off 0, from where the search could not leave. */
function start(a: HllSet, b: HllSet): Parts {
  const [sizeA, sizeB, either] = [cardinality(a), cardinality(b), cardinality(union(a, b))]
  const floor = either / 100 + LEAST_RATE * REGISTERS
  const within = (size: number): number => Math.min(Math.max(size, floor) / REGISTERS, MAX_RATE)
  return [within(either - sizeB), within(either - sizeA), within(sizeA + sizeB - either)]
}

function moved(at: Parts, move: Parts, share: number): Parts {
  return at.map((rate, part) => Math.min(Math.max(rate + share * move[part]!, rate * LEAST_SHARE, LEAST_RATE), MAX_RATE)) as unknown as Parts
}

/** Logarithm of the likelihood, but for a constant. */
function likelihood(counts: Float64Array, [a, b, c]: Parts): number {
  let sum = 0
  for (let k = 0; k < REGISTER_BITS; k++) {
    const p = BIT_PROBABILITY[k]!
    const [onlyA, onlyB, both] = [counts[3 * k]!, counts[3 * k + 1]!, counts[3 * k + 2]!]
    const [gainA, gainB] = [-Math.expm1(-a * p), -Math.expm1(-b * p)]
    sum -= (REGISTERS - onlyA - onlyB - both) * (a + b + c) * p + onlyA * (b + c) * p + onlyB * (a + c) * p
    if (onlyA > 0) sum += onlyA * Math.log(gainA)
    if (onlyB > 0) sum += onlyB * Math.log(gainB)
    if (both > 0) sum += both * Math.log(inBoth(gainA, gainB, c * p))
  }
  return sum
}

/** P11 = (1 − e^−cp) + e^−cp (1 − e^−ap)(1 − e^−bp): no tokens cancel, so it keeps its digits where it is tiny. */
function inBoth(gainA: number, gainB: number, cp: number): number {
  return -Math.expm1(-cp) + Math.exp(-cp) * gainA * gainB
}

/** Gradient of the logarithm of the likelihood, and the Fisher information, 9 entries. */
function slope(counts: Float64Array, [a, b, c]: Parts): { gradient: Parts; information: Float64Array } {
  const gradient: [number, number, number] = [0, 0, 0]
  const information = new Float64Array(9)
  for (let k = 0; k < REGISTER_BITS; k++) {
    const p = BIT_PROBABILITY[k]!
    const none = Math.exp(-(a + b + c) * p)
    const [noA, noB] = [Math.exp(-(a + c) * p), Math.exp(-(b + c) * p)]
    const [gainA, gainB] = [-Math.expm1(-a * p), -Math.expm1(-b * p)]
    const [onlyA, onlyB] = [counts[3 * k]!, counts[3 * k + 1]!]
    const both = counts[3 * k + 2]!
    // outcome: how often it was seen, its probability, its derivatives by a, b, c
    add(REGISTERS - onlyA - onlyB - both, none, -p * none, -p * none, -p * none)
    add(onlyA, noB * gainA, p * none, -p * noB * gainA, -p * noB * gainA)
    add(onlyB, noA * gainB, -p * noA * gainB, p * none, -p * noA * gainB)
    add(both, inBoth(gainA, gainB, c * p), p * noA * gainB, p * noB * gainA, p * (noA + noB - none))
  }
  return { gradient, information }

  function add(seen: number, probability: number, byA: number, byB: number, byC: number): void {
    // an outcome that cannot be told from impossible carries nothing
    if (!(probability > Number.MIN_VALUE)) return
    const by = [byA, byB, byC]
    for (let row = 0; row < 3; row++) {
      gradient[row]! += (seen * by[row]!) / probability
      for (let column = 0; column < 3; column++) information[3 * row + column]! += (REGISTERS * by[row]! * by[column]!) / probability
    }
  }
}

function solve(matrix: Float64Array, [x, y, z]: Parts): Parts {
  const inverse = invert(matrix)
  return [0, 3, 6].map((row) => inverse[row]! * x + inverse[row + 1]! * y + inverse[row + 2]! * z) as unknown as Parts
}

/**
 * Inverse of a symmetric positive 3 × 3 matrix, scaled to a unit diagonal first: the parts may differ by ten orders of magnitude.
 * @param without - rows and columns to leave out: the inverse is that of the rest, with 0 in their places
 */
function invert(matrix: Float64Array, without: readonly number[] = []): Float64Array {
  const scale = [0, 1, 2].map((part) => (without.includes(part) ? 0 : 1 / Math.sqrt(Math.max(matrix[4 * part]!, Number.MIN_VALUE))))
  const m = matrix.map((entry, at) => entry * scale[Math.floor(at / 3)]! * scale[at % 3]!)
  // a ridge of 10^-12 where two parts cannot be told apart: full sets
  const [p, q, r] = [0, 4, 8].map((diagonal) => (m[diagonal] === 0 ? 1 : m[diagonal]! + 1e-12)) as [number, number, number]
  const [u, v, w] = [m[1]!, m[2]!, m[5]!]
  const determinant = p * (q * r - w * w) - u * (u * r - v * w) + v * (u * w - q * v)
  const minors = [
    q * r - w * w,
    v * w - u * r,
    u * w - q * v,
    v * w - u * r,
    p * r - v * v,
    u * v - p * w,
    u * w - q * v,
    u * v - p * w,
    p * q - u * u,
  ]
  return Float64Array.from(minors, (minor, at) => (minor / determinant) * scale[Math.floor(at / 3)]! * scale[at % 3]!)
}
