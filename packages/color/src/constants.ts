/** 2^64 divided by the golden ratio, odd: the increment of SplitMix64 (Steele, Lea, Flood 2014). */
export const GOLDEN = 0x9e3779b97f4a7c15n

/** First multiplier of SplitMix64's finaliser. */
export const M1 = 0xbf58476d1ce4e5b9n

/** Second multiplier of SplitMix64's finaliser. */
export const M2 = 0x94d049bb133111ebn

/** The seed a stream has when nobody names one: the bytes of "gay_colo", big-endian. */
export const GAY_SEED = 0x6761795f636f6c6fn

/** The seed of both published fingerprints, 7,202,985. */
export const IHOR = 0x6de8a9n

/** 2^64 − 1; `x & U64_MASK` is x modulo 2^64 for any bigint, negative ones too. */
export const U64_MASK = 0xffff_ffff_ffff_ffffn
