import { internIds } from './intern-ids.ts'
import { type IdSets, MAX_SET_IDS, type PairGate } from './port.ts'

/**
 * A collection made ready for a join. Rows lie by size, equal ones in their old order; a row's place there is its position. Ids are ranks: 0 stands in the most sets.
 */
export interface JoinPlan {
  readonly rows: number
  /** Distinct ids. */
  readonly ranks: number
  /** Row of the collection at each position. */
  readonly rowOf: Uint32Array
  /** Ranks of each position's set, ascending: offsets (rows + 1), then the ranks. */
  readonly ptr: Uint32Array
  readonly tokens: Uint32Array
  /** Positions of the sets that hold each rank, ascending: offsets (ranks + 1), then the positions. */
  readonly postPtr: Uint32Array
  readonly posts: Uint32Array
  /** Sizes that occur, ascending, without 0, and the position where each begins; one start more, the number of rows. */
  readonly sizes: Uint32Array
  readonly starts: Uint32Array
  /** Of each position, so many of its most frequent ids are not walked: fewer than any pair of it shares. */
  readonly skips: Uint32Array
}

/** @param sets, gate - within the bounds of check-join.ts */
export function planJoin(sets: IdSets, gate: PairGate): JoinPlan {
  const rows = sets.ptr.length - 1
  const { ptr: ownPtr, tokens: own, frequencies } = internIds(sets)
  const { rowOf, sizes, starts } = orderBySize(ownPtr)
  const rankOf = ranksByFrequency(frequencies, rows)
  const ranks = frequencies.length

  const postPtr = new Uint32Array(ranks + 1)
  for (let token = 0; token < ranks; token++) postPtr[rankOf[token]! + 1] = frequencies[token]!
  for (let rank = 0; rank < ranks; rank++) postPtr[rank + 1]! += postPtr[rank]!
  const posts = new Uint32Array(own.length)
  const nextPost = postPtr.slice(0, ranks)
  const ptr = new Uint32Array(rows + 1)
  for (let position = 0; position < rows; position++) {
    const row = rowOf[position]!
    ptr[position + 1] = ptr[position]! + ownPtr[row + 1]! - ownPtr[row]!
    for (let at = ownPtr[row]!; at < ownPtr[row + 1]!; at++) posts[nextPost[rankOf[own[at]!]!]!++] = position
  }
  // ranks are walked in order, so each row receives its own in order
  const tokens = new Uint32Array(own.length)
  const nextToken = ptr.slice(0, rows)
  for (let rank = 0; rank < ranks; rank++) {
    for (let at = postPtr[rank]!; at < postPtr[rank + 1]!; at++) tokens[nextToken[posts[at]!]!++] = rank
  }
  const unskipped = { rows, ranks, rowOf, ptr, tokens, postPtr, posts, sizes, starts, skips: new Uint32Array(rows) }
  return { ...unskipped, skips: chooseSkips(unskipped, gate) }
}

/**
 * For each class of size b the least |A ∩ B| with which a set A of class `at` passes the gate over B; 0 where even min(a, b) does not.
 * Both quotients are monotonous in the shared ids, so this is the whole gate.
 */
export function neededShares({ sizes }: JoinPlan, at: number, { tau, rho }: PairGate): Uint32Array {
  const a = sizes[at]!
  return sizes.map((b) => {
    const most = Math.min(a, b)
    // one less than the algebra says, for its roundings
    let shared = Math.max(1, Math.ceil(tau * b) - 1, Math.ceil(a - rho * b) - 1)
    while (shared <= most && !(shared / b >= tau && (a - shared) / b <= rho)) shared++
    return shared <= most ? shared : 0
  })
}

/** Classes of size from the smallest to the largest that any pair passes with; undefined when none does. */
export function classSpan(need: Uint32Array): { readonly first: number; readonly last: number } | undefined {
  const first = need.findIndex((shared) => shared > 0)
  return first < 0 ? undefined : { first, last: need.findLastIndex((shared) => shared > 0) }
}

/** What it costs to look at one candidate and at one of its ids, in walked entries of the index. */
const CANDIDATE_COST = 24
const LOOK_COST = 1

/** Most ids beyond the one that must be walked which it may pay to walk too. */
const MAX_THRESHOLD = 24

/**
 * How many of a row's most frequent ids to leave out of the walk. A pair that shares `least` ids shares at least least − skip of the others, so one that shares fewer is
 * no candidate. Walking more lists costs entries, walking fewer costs candidates that share by chance; that is estimated as if ids were independent.
 * Any number below `least` gives the same pairs.
 */
function chooseSkips(plan: JoinPlan, gate: PairGate): Uint32Array {
  const { rows, ptr, tokens, postPtr, sizes, starts, skips } = plan
  for (let at = 0; at < sizes.length; at++) {
    const least = neededShares(plan, at, gate).reduce((low, shared) => (shared > 0 ? Math.min(low, shared) : low), Infinity)
    if (least === Infinity) continue
    for (let position = starts[at]!; position < starts[at + 1]!; position++) {
      let walked = 0
      for (let k = ptr[position]! + least - 1; k < ptr[position + 1]!; k++) walked += postPtr[tokens[k]! + 1]! - postPtr[tokens[k]!]!
      let bestCost = Infinity
      const most = Math.min(least, MAX_THRESHOLD)
      for (let threshold = 1; threshold <= most; threshold++) {
        const skip = least - threshold
        if (threshold > 1) {
          const rank = tokens[ptr[position]! + skip]!
          walked += postPtr[rank + 1]! - postPtr[rank]!
        }
        const cost = walked + rows * atLeast(threshold, walked / rows) * (CANDIDATE_COST + LOOK_COST * skip)
        if (cost < bestCost) {
          bestCost = cost
          skips[position] = skip
        }
      }
    }
  }
  return skips
}

/** About the probability that a Poisson variable of this mean is at least `threshold`: its largest term. */
function atLeast(threshold: number, mean: number): number {
  if (mean >= threshold) return 1
  let term = 1
  for (let k = 1; k <= threshold; k++) term *= mean / k
  return Math.min(1, term)
}

/** Rows by size, equal ones in their order: a counting sort. */
function orderBySize(ptr: Uint32Array): Pick<JoinPlan, 'rowOf' | 'sizes' | 'starts'> {
  const rows = ptr.length - 1
  const begins = new Uint32Array(MAX_SET_IDS + 2)
  for (let row = 0; row < rows; row++) begins[ptr[row + 1]! - ptr[row]! + 1]!++
  const sizes: number[] = []
  const starts: number[] = []
  for (let size = 0; size <= MAX_SET_IDS; size++) {
    const count = begins[size + 1]!
    begins[size + 1]! += begins[size]!
    if (count === 0 || size === 0) continue
    sizes.push(size)
    starts.push(begins[size]!)
  }
  const rowOf = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) rowOf[begins[ptr[row + 1]! - ptr[row]!]!++] = row
  return { rowOf, sizes: Uint32Array.from(sizes), starts: Uint32Array.from([...starts, rows]) }
}

/** Rank of each token: the most frequent first, equally frequent ones in their order. */
function ranksByFrequency(frequencies: Uint32Array, rows: number): Uint32Array {
  const begins = new Uint32Array(rows + 2)
  for (const frequency of frequencies) begins[rows - frequency + 1]!++
  for (let at = 0; at <= rows; at++) begins[at + 1]! += begins[at]!
  return frequencies.map((frequency) => begins[rows - frequency]!++)
}
