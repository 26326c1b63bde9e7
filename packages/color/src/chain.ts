import { U64_MASK } from './constants.ts'
import { mix } from './mix.ts'
import { spi64 } from './spi64.ts'

/** A chain started from an indexed colour, condensed. */
export interface ChainResult {
  /** XOR of the chain's colours. */
  readonly fingerprint: bigint
  readonly last: bigint
}

export interface ParallelChains {
  readonly chains: readonly ChainResult[]
  /** seed ^ XOR of the chains' fingerprints. */
  readonly combined: bigint
}

/** A place in a set of parallel chains where a checker asks for the colour. */
export interface Checkpoint {
  readonly at: 'mid' | 'end'
  readonly chain: number
  /** Index in the window of 2^32 that the chains share out. */
  readonly index: number
}

/** Indices that parallel chains share out evenly. */
const CHAIN_WINDOW = 2 ** 32

/** The colour that follows a colour in a derivation chain. A bijection: a chain can only ever return to its start. */
export function nextColour(colour: bigint): bigint {
  return mix(colour)
}

/**
 * seed, next(seed), next(next(seed)), …
 * @param length - integer ≥ 1, the seed included
 */
export function deriveChain(seed: bigint, length: number): readonly bigint[] {
  const chain = [seed & U64_MASK]
  while (chain.length < length) chain.push(nextColour(chain.at(-1) ?? seed))
  return chain
}

/** The colour `depth` steps after the seed, in constant memory. */
export function chainAt(seed: bigint, depth: number): bigint {
  let colour = seed & U64_MASK
  for (let step = 0; step < depth; step++) colour = nextColour(colour)
  return colour
}

/**
 * A chain whose first colour is the stream's colour at `start`.
 * @param length - integer ≥ 1
 */
export function chainFrom(seed: bigint, start: bigint, length: number): ChainResult {
  let last = spi64(seed, start)
  let fingerprint = last
  for (let step = 1; step < length; step++) {
    last = nextColour(last)
    fingerprint ^= last
  }
  return { fingerprint, last }
}

/**
 * First index of chain `chain` of `chains`: they lie evenly over a window of 2^32.
 * @param chains - integer ≥ 1
 */
export function chainStart(chain: number, chains: number): number {
  return chain * Math.floor(CHAIN_WINDOW / chains)
}

/** Independent chains, one per lane of whatever runs them. */
export function parallelChains(seed: bigint, chains: number, length: number): ParallelChains {
  const results = Array.from({ length: chains }, (_, chain) => chainFrom(seed, BigInt(chainStart(chain, chains)), length))
  return { chains: results, combined: results.reduce((xor, { fingerprint }) => xor ^ fingerprint, seed & U64_MASK) }
}

/** Where each chain is checked: half-way and after its last colour. */
export function checkpoints(chains: number, length: number): readonly Checkpoint[] {
  return Array.from({ length: chains }, (_, chain) => {
    const start = chainStart(chain, chains)
    return [
      { at: 'mid', chain, index: start + Math.floor(length / 2) },
      { at: 'end', chain, index: start + length },
    ] as const
  }).flat()
}
