import type { ChunkRun } from '../items.ts'
import { type ChunkSet, missingFrom, withRun } from '../runs.ts'

/** A claim as a tree adds it up: chunks and the XOR of their values. */
export interface TreeClaim {
  readonly run: ChunkRun
  readonly xor: bigint
}

export interface Gathered {
  readonly covered: ChunkSet
  readonly xor: bigint
  /** Claims that held a chunk which was there already. */
  readonly overlaps: number
  /** Messages towards the root: one from every node but the root. */
  readonly messages: number
  /** Edges from the root to the farthest node. */
  readonly depth: number
  /** Most children of one node. */
  readonly degree: number
}

/**
 * Adds claims up a tree. Its nodes are the places [0, count): the first of an interval is its root, the rest is split into `fanOut` parts,
 * each a subtree. Neighbouring ranges meet early, so that a message stays one run and one XOR however many nodes stand behind it.
 * @param claimAt - the claim of a node; asked once for each
 * @param count - integer ≥ 1
 * @param fanOut - integer ≥ 1
 */
export function gatherTree(count: number, fanOut: number, claimAt: (place: number) => TreeClaim): Gathered {
  let overlaps = 0
  let messages = 0
  let depth = 0
  let degree = 0

  function gather(from: number, to: number, level: number): { covered: ChunkSet; xor: bigint } {
    depth = Math.max(depth, level)
    const { run, xor: own } = claimAt(from)
    let covered = withRun([], run)
    let xor = own
    const parts = partsOf(from + 1, to, fanOut)
    degree = Math.max(degree, parts.length)
    for (const [start, end] of parts) {
      const below = gather(start, end, level + 1)
      messages += 1
      xor ^= below.xor
      for (const run of below.covered) {
        const fresh = missingFrom(covered, run)
        if (fresh.length !== 1 || fresh[0]!.count !== run.count) overlaps += 1
        covered = withRun(covered, run)
      }
    }
    return { covered, xor }
  }

  return { ...gather(0, count, 0), overlaps, messages, depth, degree }
}

/** Edges from the root of such a tree to its farthest node. */
export function treeDepth(count: number, fanOut: number): number {
  let depth = 0
  for (let rest = count; rest > 1; depth++) rest = Math.ceil((rest - 1) / fanOut)
  return depth
}

/** [from, to) in at most `parts` intervals, none empty, sizes within one of each other. */
function partsOf(from: number, to: number, parts: number): readonly (readonly [start: number, end: number])[] {
  const found: (readonly [number, number])[] = []
  const count = to - from
  const used = Math.min(parts, count)
  for (let part = 0; part < used; part++) {
    found.push([from + Math.floor((count * part) / used), from + Math.floor((count * (part + 1)) / used)])
  }
  return found
}
