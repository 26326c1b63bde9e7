import { CHUNK_COLOURS, type ColourKernelId, GOLDEN, TRIADIC_STRIDE, type TriadicProfile } from '@sgsd/color'
import { loadNativeAddon } from '../native-addon.ts'
import type { ColourEngine } from './engine.ts'

/** What packages/compute/native/colour.c exports. */
interface ColourAddon {
  /** Instruction sets that this processor has, the fastest first, as people read them. */
  readonly paths: readonly string[]
  /** out[i] = XOR of finish(base + k·step) for k in [i·length, (i + 1)·length); `path` is an index into `paths`, 0 if left out. */
  readonly xorRuns: (kernel: number, base: bigint, step: bigint, length: number, out: BigUint64Array, path?: number) => void
}

/** Numbers that the C source gives its kernels. */
const KERNELS: Readonly<Record<ColourKernelId | TriadicProfile, number>> = { turbo32: 0, spi64: 1, canonical: 1, published: 2 }

/** How long a call is meant to take, ms: what surrounds it then costs under 1 %. */
const CALL_MS = 1.5

/** Runs of a call, at most: the fastest processors would gain nothing by more. */
const MAX_BATCH = 32

/** Colours that are timed to find the batch, how often: the best of them counts. */
const SAMPLE_COLOURS: number = CHUNK_COLOURS / 8
const SAMPLES = 3

/**
 * The loops in C, in the widest vectors of the processor.
 * @param path - instruction set, as an index into `nativePaths()`; default the fastest
 * @throws Error that says why there is no addon here, or why it does not load
 */
export function loadNativeEngine(path = 0): ColourEngine {
  const addon = loadAddon()
  const about = addon.paths[path]
  if (about === undefined) throw new Error(`this processor has ${addon.paths.length} of its paths, not ${path + 1}`)
  return {
    name: 'native',
    about,
    batch: batchOf(addon, path),
    xorRuns(kernel, seed, start, length, out) {
      addon.xorRuns(KERNELS[kernel], baseOf(seed, start), GOLDEN, length, out, path)
    },
    triadicRuns(profile, seed, start, length, out) {
      addon.xorRuns(KERNELS[profile], baseOf(seed, start), TRIADIC_STEP, length, out, path)
    },
  }
}

/** State of the first colour. */
function baseOf(seed: bigint, start: bigint): bigint {
  return BigInt.asUintN(64, seed + start * GOLDEN + GOLDEN)
}

const TRIADIC_STEP = BigInt.asUintN(64, TRIADIC_STRIDE * GOLDEN)

/** Runs of 2^20 spi64 colours that take about CALL_MS here. */
function batchOf({ xorRuns }: ColourAddon, path: number): number {
  const out = new BigUint64Array(1)
  let best = Infinity
  for (let sample = 0; sample < SAMPLES; sample++) {
    const began = performance.now()
    xorRuns(KERNELS.spi64, 0n, GOLDEN, SAMPLE_COLOURS, out, path)
    best = Math.min(best, performance.now() - began)
  }
  return Math.min(MAX_BATCH, Math.max(1, Math.round((CALL_MS * SAMPLE_COLOURS) / (CHUNK_COLOURS * best))))
}

/** Instruction sets that the addon can use here, the fastest first; throws as `loadNativeEngine` does. */
export function nativePaths(): readonly string[] {
  return loadAddon().paths
}

function loadAddon(): ColourAddon {
  return loadNativeAddon('colour')
}
