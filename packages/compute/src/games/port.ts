import type { CycleSearch, Furthest, NearFixedPoint, ParallelChains, StrategyPart } from '@sgsd/color'
import type { Simulation, SimulationReport, Stage } from '@sgsd/consensus'

export interface GameOptions {
  /** Worker threads; default half the cores, at least one. */
  readonly threads?: number
}

/**
 * Searches and walks through colours, on worker threads in plain JavaScript: what the colour engines, which only give the XOR of
 * neighbours, cannot do. Each call uses all threads, rejects with the signal's reason soon (≤ 200 ms) after an abort, and tells how many
 * colours are done.
 */
export interface GameCompute extends AsyncDisposable {
  readonly threads: number
  /** The colour of a range that is furthest from a name's hash. */
  furthest(seed: bigint, range: GameRange, reference: string, signal: AbortSignal, onProgress?: OnColours): Promise<Furthest | undefined>
  /** The `top` colours of a range that `mix` moves least. */
  nearFixedPoints(seed: bigint, range: GameRange, top: number, signal: AbortSignal, onProgress?: OnColours): Promise<readonly NearFixedPoint[]>
  /** Brent's search from each start, colours cut to `width` bits; at most `maxSteps` steps each. Starts run in parallel, a search cannot. */
  cycles(starts: readonly bigint[], width: number, maxSteps: number, signal: AbortSignal, onProgress?: OnColours): Promise<readonly CycleSearch[]>
  /** Chains that lie evenly over a window of 2^32, or one from a given colour; they run in parallel, one alone cannot. */
  chains(seed: bigint, chains: number, length: number, signal: AbortSignal, onProgress?: OnColours): Promise<ParallelChains>
  chain(first: bigint, length: number, signal: AbortSignal, onProgress?: OnColours): Promise<ParallelChains['chains'][number]>
  /** XOR of a part of a strategy, any stride. */
  partXor(part: StrategyPart, signal: AbortSignal, onProgress?: OnColours): Promise<bigint>
  /** An epoch of many machines, on a thread of its own. */
  simulate(simulation: Simulation, signal: AbortSignal, onProgress?: (stage: Stage, share: number) => void): Promise<SimulationReport>
  close(): Promise<void>
}

export interface GameRange {
  readonly start: bigint
  readonly count: bigint
}

/** Told the colours done so far. */
export type OnColours = (done: bigint) => void
