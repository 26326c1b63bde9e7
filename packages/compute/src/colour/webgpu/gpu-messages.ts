import type { ColourKernelId } from '@sgsd/color'

/** To the process that holds the GPU: one call of `xorRuns`. The next comes after its answer. */
export interface ToGpu {
  readonly kernel: ColourKernelId
  readonly seed: bigint
  readonly start: bigint
  readonly length: number
  readonly runs: number
}

/** From it. */
export type FromGpu =
  /** First of all, once: the driver works and dispatches have found their size. */
  | { readonly type: 'ready'; readonly name: string; readonly software: boolean; readonly batch: number }
  /** Some of a long call is done. */
  | { readonly type: 'progress' }
  /** The answer to a call, and how many runs the next should ask for. */
  | { readonly type: 'xors'; readonly xors: BigUint64Array; readonly batch: number }
  /** It cannot go on, and ends. */
  | { readonly type: 'failed'; readonly message: string }
