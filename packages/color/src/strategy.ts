import { U64_MASK } from './constants.ts'
import type { ColourKernelId } from './kernel.ts'
import { POLARITIES, twistSeed, type Polarity } from './polarity.ts'
import { rangeFingerprint } from './range.ts'
import { composeXor } from './transducer.ts'

/** Named ways to run the 32-bit stream, as the published benchmark tables list them. */
export type StrategyName = 'fearless-128' | 'fearless-256' | 'ultra' | 'mammoth' | 'terastream' | 'gigafearless' | 'teratriadic' | 'gigastream'

/** A run of one seed: any engine that computes it gets the same fingerprint. */
export interface StrategyPart {
  readonly kernel: ColourKernelId
  /** Already twisted where the strategy is triadic. */
  readonly seed: bigint
  readonly start: bigint
  readonly stride: bigint
  readonly count: bigint
}

export interface StrategyResult {
  /** Colours computed: less than asked for where a strategy drops what does not fill its lanes. */
  readonly count: bigint
  /** seed ^ XOR of each part. */
  readonly fingerprints: readonly bigint[]
  /** XOR of the fingerprints. */
  readonly xor: bigint
}

interface Strategy {
  /** Parts a lane count does not divide lose their remainder; 1 keeps everything. */
  readonly lanes: bigint
  /** `whole`: one part. `triadic`: a third for each twisted seed, each from index 0. `strided`: the same at 0, 3, 6, … */
  readonly layout: 'whole' | 'triadic' | 'strided'
}

/**
 * fearless handles its remainder, so its lanes (128 or 256) leave no trace. The vectors only fix that gigafearless drops 64 of
 * 10^6, which 128, 256 and 512 lanes do alike; 256 are taken.
 */
const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = {
  'fearless-128': { lanes: 1n, layout: 'whole' },
  'fearless-256': { lanes: 1n, layout: 'whole' },
  ultra: { lanes: 512n, layout: 'whole' },
  mammoth: { lanes: 1024n, layout: 'whole' },
  terastream: { lanes: 1n, layout: 'whole' },
  gigafearless: { lanes: 256n, layout: 'triadic' },
  teratriadic: { lanes: 1n, layout: 'triadic' },
  gigastream: { lanes: 16n, layout: 'strided' },
}

export const STRATEGY_NAMES: readonly StrategyName[] = Object.keys(STRATEGIES) as StrategyName[]

/**
 * The ranges a strategy computes for `count` colours.
 * @throws RangeError if count is negative
 */
export function planStrategy(name: StrategyName, seed: bigint, count: bigint): readonly StrategyPart[] {
  if (count < 0n) throw new RangeError(`a strategy cannot run ${count} colours`)
  const { lanes, layout } = STRATEGIES[name]
  const part = { kernel: 'turbo32', start: 0n, stride: 1n } as const
  if (layout === 'whole') return [{ ...part, seed: seed & U64_MASK, count: count - (count % lanes) }]
  const third = count / 3n
  const each = third - (third % lanes)
  return POLARITIES.map((polarity) => ({
    ...part,
    seed: twistSeed(seed, polarity),
    count: each,
    stride: layout === 'strided' ? 3n : 1n,
  }))
}

/** The share of one polarity in the first `count` indices: those that are p modulo 3. */
export function planPolarity(seed: bigint, polarity: Polarity, count: bigint): StrategyPart {
  const start = BigInt(polarity)
  return { kernel: 'turbo32', seed: twistSeed(seed, polarity), start, stride: 3n, count: count > start ? (count - start + 2n) / 3n : 0n }
}

/** Runs a plan with the reference loops. */
export function runPlan(parts: readonly StrategyPart[]): StrategyResult {
  const fingerprints = parts.map(({ kernel, seed, start, stride, count }) => rangeFingerprint(kernel, seed, start, count, stride))
  return { count: parts.reduce((sum, { count }) => sum + count, 0n), fingerprints, xor: composeXor(fingerprints) }
}
