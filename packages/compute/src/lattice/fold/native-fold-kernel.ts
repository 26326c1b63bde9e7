import type { FoldKernel, FoldStatistic } from '@sgsd/consensus'
import { loadNativeAddon } from '../../native-addon.ts'

/** What packages/compute/native/fold.c exports. */
interface FoldAddon {
  /** Instruction sets that this processor has, the fastest first, as people read them. */
  readonly paths: readonly string[]
  /** Names of the statistics; calls give the index. */
  readonly statistics: readonly string[]
  /** @param sides - ptr, cols, vals and shapes (of no entries where there are none) of each member, one behind the other */
  readonly foldRows: (
    statistic: number,
    columns: number,
    ptr: Uint32Array,
    member: Uint32Array,
    at: Uint32Array,
    sides: readonly (Uint32Array | Float32Array | Float64Array)[],
    weights: Float64Array,
    intoPtr: Uint32Array,
    intoCols: Uint32Array,
    intoVals: Float32Array,
    path: number,
  ) => void
  readonly foldStates: (statistic: number, states: readonly Float32Array[], weights: Float64Array, into: Float32Array, path: number) => void
}

const NO_SHAPES = new Float64Array(0)

export interface NativeFoldOptions {
  /** Instruction set, as an index into `nativeFoldPaths()`; default the fastest. */
  readonly path?: number
  /** Where the addon lies; default where set-up puts it. */
  readonly folder?: URL
}

/**
 * The folds in C, in the widest vectors of the processor.
 * @throws Error that says why there is no addon here, or why it does not load
 */
export function loadNativeFoldKernel({ path = 0, folder }: NativeFoldOptions = {}): FoldKernel {
  const addon = loadNativeAddon<FoldAddon>('fold', folder)
  const about = addon.paths[path]
  if (about === undefined) throw new Error(`this processor has ${addon.paths.length} of its paths, not ${path + 1}`)
  const indexOf = (statistic: FoldStatistic): number => addon.statistics.indexOf(statistic)
  return {
    name: 'native',
    about: `C, ${about}`,
    rows(statistic, columns, task, sides, weights, into): void {
      const flat = sides.flatMap(({ ptr, cols, vals, shapes = NO_SHAPES }) => [ptr, cols, vals, shapes])
      addon.foldRows(indexOf(statistic), columns, task.ptr, task.member, task.at, flat, weights, into.ptr, into.cols, into.vals, path)
    },
    states: (statistic, states, weights, into) => addon.foldStates(indexOf(statistic), states, weights, into, path),
  }
}

/** Instruction sets that the addon can use here, the fastest first. @throws Error as `loadNativeFoldKernel` does */
export function nativeFoldPaths(folder?: URL): readonly string[] {
  return loadNativeAddon<FoldAddon>('fold', folder).paths
}
