import type { ColourKernelId, TriadicProfile } from '@sgsd/color'

/** One way to compute colours, used by one worker thread at a time. Slow or fast, all give the same values. */
export interface ColourEngine {
  readonly name: string
  /** What it runs on, one sentence without a full stop. */
  readonly about: string
  /** Runs that a call should be given at once, so that it lasts about 1 to 10 ms with runs of 2^20 colours. */
  readonly batch: number
  /** Threads that may use it at once, the others take the next best engine; default all. */
  readonly threads?: number
  /**
   * Fills `out[i]` with the XOR of `length` colours from start + i·length.
   * @param seed, start - u64
   * @param length - 0 to 2^30
   * @param out - may be a view of shared memory; written whole
   */
  xorRuns(kernel: ColourKernelId, seed: bigint, start: bigint, length: number, out: BigUint64Array): void | Promise<void>
  /**
   * The same for a polarity's colours: `out[i]` is the XOR of those at start + 3·i·length, and `length` in all, in steps of 3. Where it
   * is absent plain JavaScript does it.
   * @param seed - u64, already twisted
   */
  triadicRuns?(profile: TriadicProfile, seed: bigint, start: bigint, length: number, out: BigUint64Array): void | Promise<void>
  /** Gives back what it holds outside JavaScript; no call is under way, and none comes after. */
  close?(): void | Promise<void>
}

/** Why an engine does not serve, where it is not simply missing. */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal'
  /** `off`: it would work, but not unless asked for by name. */
  readonly state: 'missing' | 'wrong' | 'off'

  /** @param why - one sentence without a full stop: what is missing and where to get it, or what went wrong */
  constructor(state: 'missing' | 'wrong' | 'off', why: string) {
    super(why)
    this.state = state
  }
}

/**
 * Makes an engine ready, or throws an Error whose message says what is missing and where to get it.
 * @param asked - whether the engine was asked for by name, not only tried; one that costs more than it brings then loads all the same
 */
export type EngineLoader = (asked: boolean) => ColourEngine | Promise<ColourEngine>

/** Engines by name. */
export type EngineLoaders = Readonly<Record<string, EngineLoader>>
