import type { ColourKernelId } from '@sgsd/color'

/** One way to compute colours, used by one worker thread at a time. Slow or fast, all give the same values. */
export interface ColourEngine {
  readonly name: string
  /** What it runs on, one sentence without a full stop. */
  readonly about: string
  /** Runs that a call should be given at once, so that it lasts about 1 to 10 ms with runs of 2^20 colours. */
  readonly batch: number
  /**
   * Fills `out[i]` with the XOR of `length` colours from start + i·length.
   * @param seed, start - u64
   * @param length - 0 to 2^30
   * @param out - may be a view of shared memory; written whole
   */
  xorRuns(kernel: ColourKernelId, seed: bigint, start: bigint, length: number, out: BigUint64Array): void | Promise<void>
}

/** Makes an engine ready, or throws an Error whose message says what is missing and where to get it. */
export type EngineLoader = () => ColourEngine | Promise<ColourEngine>

/** Engines by name. */
export type EngineLoaders = Readonly<Record<string, EngineLoader>>
