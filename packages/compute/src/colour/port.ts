import type { ColourKernelId } from '@sgsd/color'

/** What became of one engine at start. */
export interface EngineReport {
  /** `native`, `webgpu`, `wasm`, `onnx` or `reference`. */
  readonly engine: string
  /** `off`: it would work, but serves only when asked for by name. */
  readonly state: 'active' | 'standby' | 'missing' | 'wrong' | 'off'
  /** One sentence: version and features, or what is missing and where to get it. */
  readonly why: string
}

/** Colour work on worker threads; the fastest engine that passes its canary does it. */
export interface ColourCompute extends AsyncDisposable {
  readonly threads: number
  /** What works now. An engine whose threads die again and again is replaced by the next best. */
  readonly engine: string
  readonly engines: readonly EngineReport[]
  /**
   * XOR of each of `count` chunks of 2^20 colours, from chunk `first` (absolute: index = chunk · 2^20).
   * Runs on all threads; rejects with the signal's reason soon (≤ 100 ms) after an abort.
   */
  chunkValues(kernel: ColourKernelId, seed: bigint, first: bigint, count: number, signal: AbortSignal): Promise<BigUint64Array>
  /** XOR of `count` colours from index `start`, in parallel; any start and count. `onProgress` gets colours done. */
  rangeXor(
    kernel: ColourKernelId,
    seed: bigint,
    start: bigint,
    count: bigint,
    signal: AbortSignal,
    onProgress?: (done: bigint) => void,
  ): Promise<bigint>
  /** Colours per second on all threads over about `ms` milliseconds. */
  measure(kernel: ColourKernelId, ms: number): Promise<number>
  close(): Promise<void>
}

export interface ColourOptions {
  /** Worker threads; default half the cores, at least one. */
  readonly threads?: number
  /** Share of the time that a thread works, (0, 1]; default 1. */
  readonly duty?: number
  /** The one engine to use, by name; default the fastest that answers right. */
  readonly engine?: string
  /** Niceness of the threads, 0 … 19; default 10. Linux only: elsewhere threads have none of their own. */
  readonly niceness?: number
}
