/** Chance as a function: the same seed and numbers always give the same draw, in whatever order the draws are made. */
export interface Chance {
  /** Uniform in [0, 2^32). */
  readonly draw: (...of: readonly number[]) => number
  /** True with a probability. */
  readonly happens: (probability: number, ...of: readonly number[]) => boolean
}

const DRAWS = 2 ** 32

/** @param seed - an integer in [0, 2^53) */
export function chanceOf(seed: number): Chance {
  const start = mixed(mixed(0x9e37_79b9, seed >>> 0), Math.floor(seed / DRAWS))
  const draw = (...of: readonly number[]): number => of.reduce(mixed, start) >>> 0
  return { draw, happens: (probability, ...of) => probability > 0 && draw(...of) < probability * DRAWS }
}

/** One round of MurmurHash3 and its finalizer. */
export function mixed(hash: number, value: number): number {
  let h = Math.imul(hash ^ Math.imul(value | 0, 0xcc9e_2d51), 0x1b87_3593) + 0x2545_f491
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35)
  return (h ^ (h >>> 16)) | 0
}
