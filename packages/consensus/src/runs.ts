import type { ChunkRun } from './items.ts'

/** A set of chunks as runs: disjoint, ascending, never adjacent, none empty. Every function here keeps that form. */
export type ChunkSet = readonly ChunkRun[]

/** Chunks in a set. */
export function countChunks(set: ChunkSet): number {
  let count = 0
  for (const run of set) count += run.count
  return count
}

/** The chunks of `run` that `set` lacks. */
export function missingFrom(set: ChunkSet, run: ChunkRun): ChunkSet {
  const missing: ChunkRun[] = []
  const end = run.start + run.count
  let at = run.start
  for (let i = firstEndingAfter(set, run.start); i < set.length && at < end; i++) {
    const held = set[i]!
    if (held.start >= end) break
    if (held.start > at) missing.push({ start: at, count: held.start - at })
    at = Math.max(at, held.start + held.count)
  }
  if (at < end) missing.push({ start: at, count: end - at })
  return missing
}

/** Union of a set and a run. */
export function withRun(set: ChunkSet, run: ChunkRun): ChunkSet {
  const union = [...set]
  addRun(union, run)
  return union
}

/** The same in place. */
export function addRun(set: ChunkRun[], run: ChunkRun): void {
  if (run.count <= 0) return
  let { start } = run
  let end = start + run.count
  const first = firstEndingAfter(set, start - 1)
  let next = first
  while (next < set.length && set[next]!.start <= end) {
    start = Math.min(start, set[next]!.start)
    end = Math.max(end, set[next]!.start + set[next]!.count)
    next++
  }
  set.splice(first, next - first, { start, count: end - start })
}

/** Index of the first run that reaches beyond `chunk`. */
function firstEndingAfter(set: ChunkSet, chunk: number): number {
  let low = 0
  let high = set.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (set[middle]!.start + set[middle]!.count > chunk) high = middle
    else low = middle + 1
  }
  return low
}
