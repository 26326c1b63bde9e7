import type { ColourKernelId, TriadicProfile } from '@sgsd/color'

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
  /**
   * The triadic check in parallel: XOR over the three polarities of twisted seed ^ XOR of its colours.
   * @param perPolarity - colours of each polarity, ≥ 0
   */
  triadic(seed: bigint, perPolarity: bigint, profile: TriadicProfile, signal: AbortSignal): Promise<bigint>
  /** Colours per second on all threads over about `ms` milliseconds, as if each thread had a core of its own. */
  measure(kernel: ColourKernelId, ms: number, signal?: AbortSignal): Promise<number>
  /**
   * Every engine that works, also those that serve only when asked for, one after another and alone on as many threads: the fingerprint
   * of a fixed range, then its rate over about `ms` milliseconds. Work that is under way at the time takes part of the machine.
   * @param onResult - hears of each row as it is measured, its ratio to the fastest until then
   * @returns a row for each engine and kernel; an engine that could not finish has a rate of 0 and is not ok; those missing or wrong at
   * start have none, `engines` has their reasons
   */
  benchEngines(
    kernels: readonly ColourKernelId[],
    ms: number,
    signal: AbortSignal,
    onResult?: (row: EngineBench) => void,
  ): Promise<readonly EngineBench[]>
  close(): Promise<void>
}

/** What one engine did with one kernel. */
export interface EngineBench {
  readonly engine: string
  readonly kernel: ColourKernelId
  readonly threads: number
  /** Of all these threads together. */
  readonly coloursPerSecond: number
  /** seed ^ XOR of a fixed range, `0x` and 16 digits. */
  readonly fingerprint: string
  /** Whether the fingerprint is that of the pure kernel. */
  readonly ok: boolean
  /** To the fastest right engine of the same kernel, at most 1 where this one is right. */
  readonly ratioToFastest: number
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
