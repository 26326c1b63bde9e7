import { GOLDEN, M1, M2 } from './constants.ts'
import { xorRun64, type Multipliers } from './halves.ts'
import { POLARITIES, twistSeed } from './polarity.ts'

/**
 * Which multipliers a triadic check uses: `canonical` SplitMix64's own; `published` those of the program behind the
 * published figure, where the low half of each stands in both halves.
 */
export type TriadicProfile = 'canonical' | 'published'

/** Between one index of a polarity and its next. */
export const TRIADIC_STRIDE = 3n

export interface Triadic {
  /** By polarity: twisted seed ^ XOR of its colours. */
  readonly fingerprints: readonly bigint[]
  /** XOR of the three. */
  readonly xor: bigint
}

const MULTIPLIERS: Readonly<Record<TriadicProfile, Multipliers>> = {
  canonical: { m1: M1, m2: M2 },
  published: { m1: 0x1ce4e5b91ce4e5b9n, m2: 0x133111eb133111ebn },
}

/**
 * Each polarity p draws the indices p, p + 3, p + 6, … with its twisted seed.
 * @param perPolarity - colours for each of the three, a safe integer ≥ 0
 */
export function triadic(seed: bigint, perPolarity: number, profile: TriadicProfile): Triadic {
  const fingerprints = POLARITIES.map((polarity) => {
    const twisted = twistSeed(seed, polarity)
    return twisted ^ triadicRun(profile, twisted, BigInt(polarity), perPolarity)
  })
  return { fingerprints, xor: fingerprints.reduce((xor, fingerprint) => xor ^ fingerprint, 0n) }
}

/**
 * XOR of a part of one polarity's colours: those at start, start + 3, …
 * @param seed - already twisted
 * @param count - a safe integer ≥ 0
 */
export function triadicRun(profile: TriadicProfile, seed: bigint, start: bigint, count: number): bigint {
  return xorRun64(seed + start * GOLDEN + GOLDEN, TRIADIC_STRIDE * GOLDEN, count, MULTIPLIERS[profile])
}
