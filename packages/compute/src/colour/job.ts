import { CHUNK_COLOURS, type ColourKernelId, TRIADIC_STRIDE, type TriadicProfile } from '@sgsd/color'

/**
 * A range of colours that all threads work on together. They share its memory: each takes the next units, adds what it
 * found, and whoever finishes the last unit tells the pool. The main thread does nothing in between.
 */
export interface ColourJob {
  readonly id: number
  /** A kernel takes neighbours; a triadic profile takes each third, and its seed is twisted already. */
  readonly kernel: ColourKernelId | TriadicProfile
  readonly seed: bigint
  readonly start: bigint
  readonly count: bigint
  /** Shared; slots below. */
  readonly control: BigInt64Array
  /** XOR of each unit, shared; absent when only the whole is wanted. */
  readonly values: BigUint64Array | undefined
}

/** Colours of a unit of work; the last of a job may have fewer. At most 6 ms in the slowest engine. */
export const UNIT_COLOURS: number = CHUNK_COLOURS

/** Slots of a job's control memory, changed by Atomics only. */
export const CONTROL = { next: 0, done: 1, xor: 2, stop: 3 } as const

export function unitsOf({ count }: Pick<ColourJob, 'count'>): bigint {
  const unit = BigInt(UNIT_COLOURS)
  return (count + unit - 1n) / unit
}

/** Index of the colour at a place of the job. */
export function indexAt({ kernel, start }: ColourJob, place: bigint): bigint {
  return BigInt.asUintN(64, start + (isTriadic(kernel) ? TRIADIC_STRIDE * place : place))
}

export function isTriadic(kernel: ColourJob['kernel']): kernel is TriadicProfile {
  return kernel === 'published' || kernel === 'canonical'
}

/** Colours of the units finished so far. */
export function coloursDone(job: ColourJob): bigint {
  const colours = Atomics.load(job.control, CONTROL.done) * BigInt(UNIT_COLOURS)
  return colours < job.count ? colours : job.count
}

/** XOR of the units finished so far. */
export function xorSoFar({ control }: ColourJob): bigint {
  return BigInt.asUintN(64, Atomics.load(control, CONTROL.xor))
}

/** Tells the threads to take no more units of a job. */
export function stop({ control }: ColourJob): void {
  Atomics.store(control, CONTROL.stop, 1n)
}

/** @param keepValues - whether each unit's XOR is wanted; the caller bounds their number */
export function makeJob(id: number, work: Pick<ColourJob, 'kernel' | 'seed' | 'start' | 'count'>, keepValues: boolean): ColourJob {
  return {
    id,
    kernel: work.kernel,
    seed: BigInt.asUintN(64, work.seed),
    start: BigInt.asUintN(64, work.start),
    count: work.count,
    control: new BigInt64Array(new SharedArrayBuffer(Object.keys(CONTROL).length * BigInt64Array.BYTES_PER_ELEMENT)),
    values: keepValues ? new BigUint64Array(new SharedArrayBuffer(Number(unitsOf(work)) * BigUint64Array.BYTES_PER_ELEMENT)) : undefined,
  }
}
