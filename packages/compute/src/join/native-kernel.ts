import { loadNativeAddon } from '../native-addon.ts'
import { bufferLength, type FoundRows, type JoinKernel } from './kernel.ts'
import type { JoinPlan } from './plan.ts'

/** What packages/compute/native/join.c exports. */
interface JoinAddon {
  /** Instruction sets that this processor has, the fastest first, as people read them. */
  readonly paths: readonly string[]
  /** Counters that there must be room for behind the last. */
  readonly padding: number
  /**
   * @param arrays - rowOf, ptr, tokens, postPtr, posts, sizes, starts, skips, counters, marks, need, counts, positions, shared
   * @returns rows finished
   */
  readonly joinRows: (arrays: readonly (Uint32Array | Uint16Array | Uint8Array)[], from: number, to: number, top: number, path?: number) => number
}

/**
 * The join in C, its search in the widest vectors of the processor.
 * @param path - instruction set, as an index into `joinPaths()`; default the fastest
 * @throws Error that says why there is no addon here, or why it does not load
 */
export function loadNativeKernel(path = 0): JoinKernel {
  const addon = loadNativeAddon<JoinAddon>('join')
  const about = addon.paths[path]
  if (about === undefined) throw new Error(`this processor has ${addon.paths.length} of its paths, not ${path + 1}`)
  return { name: 'native', about: `C, ${about}`, load: (plan, top) => loaded(addon, path, plan, top) }
}

/** Instruction sets that the addon can use here, the fastest first; throws as `loadNativeKernel` does. */
export function joinPaths(): readonly string[] {
  return loadNativeAddon<JoinAddon>('join').paths
}

function loaded(addon: JoinAddon, path: number, plan: JoinPlan, top: number): ReturnType<JoinKernel['load']> {
  const { rowOf, ptr, tokens, postPtr, posts, sizes, starts, skips } = plan
  const length = bufferLength(plan, top)
  const found: FoundRows = { counts: new Uint32Array(plan.rows), positions: new Uint32Array(length), shared: new Uint32Array(length) }
  const work = [new Uint16Array(plan.rows + addon.padding), new Uint8Array(plan.ranks)]
  const before = [rowOf, ptr, tokens, postPtr, posts, sizes, starts, skips, ...work]
  return {
    rows(from, to, need) {
      const done = addon.joinRows([...before, need, found.counts, found.positions, found.shared], from, to, Math.min(top, plan.rows), path)
      const counts = found.counts.subarray(0, done)
      const written = counts.reduce((sum, count) => sum + count, 0)
      return { counts, positions: found.positions.subarray(0, written), shared: found.shared.subarray(0, written) }
    },
  }
}
