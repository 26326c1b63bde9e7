import { U64_MASK } from './constants.ts'
import { fromHalves, toHalves } from './halves.ts'
import { mix } from './mix.ts'
import { mixWord } from './mix-word.ts'
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
  const { hi, lo } = cell(seed)
  for (let step = 0; step < depth; step++) mixWord(hi, lo, 0)
  return fromHalves({ hi: hi[0]!, lo: lo[0]! })
}

/**
 * A chain whose first colour is the stream's colour at `start`.
 * @param length - integer ≥ 1
 */
export function chainFrom(seed: bigint, start: bigint, length: number): ChainResult {
  return condenseChain(spi64(seed, start), length)
}

/**
 * A chain that begins with a given colour. Chains compose: the second part begins with `nextColour(last)` of the first, and the
 * fingerprints XOR.
 * @param length - integer ≥ 1
 */
export function condenseChain(first: bigint, length: number): ChainResult {
  const { hi, lo } = cell(first)
  let xorHi = hi[0]!
  let xorLo = lo[0]!
  for (let step = 1; step < length; step++) {
    mixWord(hi, lo, 0)
    xorHi ^= hi[0]!
    xorLo ^= lo[0]!
  }
  return { fingerprint: fromHalves({ hi: xorHi, lo: xorLo }), last: fromHalves({ hi: hi[0]!, lo: lo[0]! }) }
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

function cell(colour: bigint): { readonly hi: Int32Array; readonly lo: Int32Array } {
  const { hi, lo } = toHalves(colour)
  return { hi: Int32Array.of(hi), lo: Int32Array.of(lo) }
}
