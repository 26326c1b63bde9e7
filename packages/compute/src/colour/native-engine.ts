import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type ColourKernelId, GOLDEN } from '@sgsd/color'
import type { ColourEngine } from './engine.ts'

/** What packages/compute/native/colour.c exports. */
interface ColourAddon {
  /** Instruction sets that this processor has, the fastest first, as people read them. */
  readonly paths: readonly string[]
  /** out[i] = XOR of finish(base + k·step) for k in [i·length, (i + 1)·length); `path` is an index into `paths`, 0 if left out. */
  readonly xorRuns: (kernel: number, base: bigint, step: bigint, length: number, out: BigUint64Array, path?: number) => void
}

/** Numbers that the C source gives its kernels. */
const KERNELS: Readonly<Record<ColourKernelId, number>> = { turbo32: 0, spi64: 1 }

/** Runs of 2^20 colours for each call: 1 to 5 ms, by the place of the path from the fastest on. */
const BATCH = 8

/** Where set-up, or the published package, puts what is built for this platform: the same from `src` and from `dist`. */
const FOLDER: URL = new URL(`../../native/build/${process.platform}-${process.arch}/`, import.meta.url)

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
    batch: BATCH,
    xorRuns(kernel, seed, start, length, out) {
      addon.xorRuns(KERNELS[kernel], BigInt.asUintN(64, seed + start * GOLDEN + GOLDEN), GOLDEN, length, out, path)
    },
  }
}

/** Instruction sets that the addon can use here, the fastest first; throws as `loadNativeEngine` does. */
export function nativePaths(): readonly string[] {
  return loadAddon().paths
}

function loadAddon(): ColourAddon {
  const file = fileURLToPath(new URL('colour.node', FOLDER))
  if (!existsSync(file)) throw new Error(whyMissing())
  return createRequire(import.meta.url)(file) as ColourAddon
}

/** Set-up leaves its reason beside the place where the addon would be. */
function whyMissing(): string {
  try {
    return readFileSync(new URL('missing.txt', FOLDER), 'utf8').trim()
  } catch {
    return `this package has no C engine built for ${process.platform}-${process.arch}`
  }
}
