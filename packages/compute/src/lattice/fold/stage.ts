import { type FoldTask, MAX_ROW_EDGES, type RowSide } from '@sgsd/consensus'

/** Owners of rows in a stage, unless one row has more: their edges take at most a megabyte. */
const STAGE_OWNERS = 2_048

/** Some rows of a task, and where their edges lie when they are copied together. */
export interface Stage {
  /** Index of the first row in the task. */
  readonly first: number
  /** Owners of each row, from 0 on. */
  readonly ptr: Uint32Array
  /** Of each owner: its first edge in the copy, how many there are, and its weight. */
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  readonly weights: Float64Array
  readonly edges: number
  readonly runs: readonly StageRun[]
}

/** Edges [from, to) of a member, which go to `at` in the copy. */
export interface StageRun {
  readonly member: number
  readonly from: number
  readonly to: number
  readonly at: number
}

/**
 * The next rows of a task, from `first` on, one at least. Rows that follow each other in a member's memory are copied in one run.
 * @throws TypeError when the task does not fit the sides
 */
export function nextStage(task: FoldTask, sides: readonly RowSide[], weights: Float64Array, first: number): Stage {
  const rows = task.ptr.length - 1
  const from = task.ptr[first]!
  let last = first + 1
  while (last < rows && task.ptr[last + 1]! - from <= STAGE_OWNERS) last++
  const owners = task.ptr[last]! - from
  const offsets = new Uint32Array(owners)
  const lengths = new Uint32Array(owners)
  const runs: StageRun[] = []
  let edges = 0
  for (const [member, slots] of slotsOfMembers(task, sides.length, from, owners).entries()) {
    const { ptr, cols, vals } = sides[member]!
    let start = 0
    let end = -1
    for (const slot of slots) {
      const at = task.at[from + slot]!
      const length = ptr[at + 1]! - ptr[at]!
      if (!(at < ptr.length - 1 && length >= 0 && length <= MAX_ROW_EDGES && ptr[at + 1]! <= Math.min(cols.length, vals.length))) throw misfit()
      if (ptr[at] !== end) {
        if (end > start) runs.push({ member, from: start, to: end, at: edges - (end - start) })
        start = ptr[at]!
      }
      end = ptr[at + 1]!
      offsets[slot] = edges
      lengths[slot] = length
      edges += length
    }
    if (end > start) runs.push({ member, from: start, to: end, at: edges - (end - start) })
  }
  return {
    first,
    ptr: task.ptr.slice(first, last + 1).map((owner) => owner - from),
    offsets,
    lengths,
    weights: Float64Array.from({ length: owners }, (_, slot) => weights[task.member[from + slot]!]!),
    edges,
    runs,
  }
}

/** The owners of a stage by member, in the order of the rows. */
function slotsOfMembers(task: FoldTask, members: number, from: number, owners: number): readonly Uint32Array[] {
  const counts = new Uint32Array(members)
  for (let slot = 0; slot < owners; slot++) {
    const member = task.member[from + slot]!
    if (member >= members) throw misfit()
    counts[member]!++
  }
  const slots = Array.from(counts, (count) => new Uint32Array(count))
  for (let slot = owners; slot-- > 0;) {
    const member = task.member[from + slot]!
    slots[member]![--counts[member]!] = slot
  }
  return slots
}

function misfit(): TypeError {
  return new TypeError('the task does not fit the sides')
}
