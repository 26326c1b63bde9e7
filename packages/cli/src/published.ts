import { triadic } from '@sgsd/color'
import type { ColourCompute } from '@sgsd/compute'
import { hex } from './text/figures.ts'

/** Seed of every published figure. */
export const PUBLISHED_SEED = 7_202_985n
/** Colours behind the published turbo32 figure, indices from 0. */
const TURBO32_COLOURS = 500_000_000n
/** Colours of each polarity behind the published triadic figure. */
const TRIADIC_COLOURS = 100_000

/** A figure that somebody published (or that follows from it), and what this machine computes for it. */
export interface Figure {
  readonly name: 'turbo32' | 'triadic-published' | 'triadic-canonical'
  readonly what: string
  readonly expected: string
  readonly got: string
  readonly ok: boolean
}

/**
 * Computes the published figures here.
 * @param onProgress - turbo32 colours done of 5·10^8: nearly all of the work
 */
export async function computeFigures(
  compute: ColourCompute,
  signal: AbortSignal,
  onProgress?: (done: bigint, total: bigint) => void,
): Promise<Figure[]> {
  const turbo = await compute.rangeXor('turbo32', PUBLISHED_SEED, 0n, TURBO32_COLOURS, signal, (done) => onProgress?.(done, TURBO32_COLOURS))
  return [
    figure('turbo32', 'seed ^ XOR of 5·10^8 turbo32 colours', '0xab11046c', hex(PUBLISHED_SEED ^ turbo, 8)),
    figure(
      'triadic-published',
      'three polarities, 100,000 colours each, as published',
      '0x4815e08adab9dcfe',
      hex(triadic(PUBLISHED_SEED, TRIADIC_COLOURS, 'published').xor),
    ),
    figure(
      'triadic-canonical',
      'the same with the multipliers of SplitMix64',
      '0x9821d39023fdf7c8',
      hex(triadic(PUBLISHED_SEED, TRIADIC_COLOURS, 'canonical').xor),
    ),
  ]
}

function figure(name: Figure['name'], what: string, expected: string, got: string): Figure {
  return { name, what, expected, got, ok: expected === got }
}
