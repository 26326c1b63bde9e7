// Pairs of sets by coverage and exclusion: the walk that packages/compute/src/join/plan.ts prepares, as packages/compute/native/join.c does it.
//
// For each set A its rarer ids are walked through the inverted index and counted in 16 bits per other set; its `skip` most frequent ids are not, because a pair that
// passes shares more than that. The counters of each size of B, which lie side by side, are then searched for those that are at least the needed shares less skip, and
// only these few candidates are looked at: how many of the skipped ids they hold. When a row has as many pairs as are wanted, the worst of them raises what is needed.
//
// All pointers are bytes in the memory; entries are u32 unless said otherwise. The host writes the plan behind heapBase().

/** First byte that the host may use. */
export function heapBase(): usize {
  return (__heap_base + 15) & ~15
}

let rows: u32 = 0
let rowOf: usize = 0
let ptr: usize = 0
let tokens: usize = 0
let postPtr: usize = 0
let posts: usize = 0
let sizes: usize = 0
let starts: usize = 0
let skips: usize = 0
/** u16 for each position and 64 bytes more, all 0 between calls. */
let counters: usize = 0
/** u8 for each rank, all 0 between calls. */
let marks: usize = 0

export function setPlan(
  rows_: u32,
  rowOf_: usize,
  ptr_: usize,
  tokens_: usize,
  postPtr_: usize,
  posts_: usize,
  sizes_: usize,
  starts_: usize,
  skips_: usize,
  counters_: usize,
  marks_: usize,
): void {
  rows = rows_
  rowOf = rowOf_
  ptr = ptr_
  tokens = tokens_
  postPtr = postPtr_
  posts = posts_
  sizes = sizes_
  starts = starts_
  skips = skips_
  counters = counters_
  marks = marks_
}

/** Pairs of the row at hand, the worst of them first (a heap) once there are `top`. */
let size: u32 = 0
let positions: usize = 0
let shares: usize = 0
let length: u32 = 0
let top: u32 = 0

// @ts-ignore: decorator
@inline
function at(list: usize, index: u32): u32 {
  return load<u32>(list + ((<usize>index) << 2))
}

// @ts-ignore: decorator
@inline
function put(list: usize, index: u32, value: u32): void {
  store<u32>(list + ((<usize>index) << 2), value)
}

// @ts-ignore: decorator
@inline
function sizeOf(position: u32): u32 {
  return at(ptr, position + 1) - at(ptr, position)
}

/** Whether (position x, shared s) comes behind (y, t): in whole numbers, as share-order.ts does. */
function isWorse(x: u32, s: u32, y: u32, t: u32): bool {
  const sizeX: u64 = sizeOf(x)
  const sizeY: u64 = sizeOf(y)
  const tauX = <u64>s * sizeY
  const tauY = <u64>t * sizeX
  if (tauX != tauY) return tauX < tauY
  const rhoX = <u64>(size - s) * sizeY
  const rhoY = <u64>(size - t) * sizeX
  if (rhoX != rhoY) return rhoX > rhoY
  return at(rowOf, x) > at(rowOf, y)
}

function siftDown(place: u32): void {
  const x = at(positions, place)
  const s = at(shares, place)
  for (let child: u32 = 2 * place + 1; child < length; child = 2 * place + 1) {
    if (child + 1 < length && isWorse(at(positions, child + 1), at(shares, child + 1), at(positions, child), at(shares, child))) child++
    if (!isWorse(at(positions, child), at(shares, child), x, s)) break
    put(positions, place, at(positions, child))
    put(shares, place, at(shares, child))
    place = child
  }
  put(positions, place, x)
  put(shares, place, s)
}

function keep(position: u32, shared: u32): void {
  if (length < top) {
    put(positions, length, position)
    put(shares, length, shared)
    length++
    if (length == top) for (let place = length >> 1; place > 0; place--) siftDown(place - 1)
  } else if (isWorse(at(positions, 0), at(shares, 0), position, shared)) {
    put(positions, 0, position)
    put(shares, 0, shared)
    siftDown(0)
  }
}

/** Least shares with a set of `sizeB` ids that can still displace a kept pair. Sets of one size come in the order of their rows, so an equal one comes too late. */
function raised(need: u32, sizeB: u32): u32 {
  if (length < top) return need
  const shared: u64 = at(shares, 0)
  const worst: u64 = sizeOf(at(positions, 0))
  const least = worst == <u64>sizeB ? shared + 1 : (shared * sizeB + worst - 1) / worst
  return <u32>max<u64>(least, need)
}

/** First place in [from, to) of the posts whose position is at least `least`. */
function lowerBound(from: u32, to: u32, least: u32): u32 {
  while (from < to) {
    const middle = from + ((to - from) >> 1)
    if (at(posts, middle) < least) from = middle + 1
    else to = middle
  }
  return from
}

/** First position in [from, to) whose counter is at least `least`, which is not 0; `to` when there is none. May read 31 counters more. */
function find(from: u32, to: u32, least: u32): u32 {
  const floor = i16x8.splat(<i16>least)
  for (let place = from; place < to; place += 32) {
    const entry = counters + ((<usize>place) << 1)
    const a = v128.load(entry)
    const b = v128.load(entry, 16)
    const c = v128.load(entry, 32)
    const d = v128.load(entry, 48)
    if (!v128.any_true(i16x8.ge_u(i16x8.max_u(i16x8.max_u(a, b), i16x8.max_u(c, d)), floor))) continue
    let mask = i16x8.bitmask(i16x8.ge_u(a, floor))
    mask |= i16x8.bitmask(i16x8.ge_u(b, floor)) << 8
    mask |= i16x8.bitmask(i16x8.ge_u(c, floor)) << 16
    mask |= i16x8.bitmask(i16x8.ge_u(d, floor)) << 24
    return min(place + <u32>ctz(mask), to)
  }
  return to
}

/** The pairs of the set at `row` with those of the classes [first, last]. */
function joinRow(row: u32, need: usize, first: u32, last: u32): void {
  const ids = tokens + ((<usize>at(ptr, row)) << 2)
  const skip = at(skips, row)
  const from = at(starts, first)
  const to = at(starts, last + 1)
  size = sizeOf(row)
  for (let i: u32 = 0; i < skip; i++) store<u8>(marks + <usize>at(ids, i), 1)
  for (let i = skip; i < size; i++) {
    const rank = at(ids, i)
    let begin = at(postPtr, rank)
    let end = at(postPtr, rank + 1)
    if (from > 0) begin = lowerBound(begin, end, from)
    if (to < rows) end = lowerBound(begin, end, to)
    const stop = posts + ((<usize>end) << 2)
    for (let post = posts + ((<usize>begin) << 2); post < stop; post += 4) {
      const counter = counters + ((<usize>load<u32>(post)) << 1)
      store<u16>(counter, load<u16>(counter) + 1)
    }
  }
  if (from <= row && row < to) store<u16>(counters + ((<usize>row) << 1), 0)
  for (let size_ = first; size_ <= last; size_++) {
    const needed = at(need, size_)
    if (needed == 0) continue
    const sizeB = at(sizes, size_)
    const end = at(starts, size_ + 1)
    let least = raised(needed, sizeB)
    for (let place = at(starts, size_); least <= size; place++) {
      place = find(place, end, least - skip)
      if (place >= end) break
      let shared: u32 = load<u16>(counters + ((<usize>place) << 1))
      if (skip > 0) {
        const rarest = at(ids, skip - 1)
        let other = tokens + ((<usize>at(ptr, place)) << 2)
        for (const stop = other + ((<usize>sizeB) << 2); other < stop; other += 4) {
          const rank = load<u32>(other)
          if (rank > rarest) break
          shared += load<u8>(marks + <usize>rank)
        }
      }
      if (shared < least) continue
      keep(place, shared)
      least = raised(needed, sizeB)
    }
  }
  memory.fill(counters + ((<usize>from) << 1), 0, (<usize>(to - from)) << 1)
  for (let i: u32 = 0; i < skip; i++) store<u8>(marks + <usize>at(ids, i), 0)
}

/**
 * Pairs of the rows at positions [from, to), which are of one size; see kernel.ts.
 * @param most - pairs of a row
 * @param need - of each class
 * @param room - pairs that the two outputs hold
 * @returns rows finished
 */
export function joinRows(from: u32, to: u32, most: u32, need: usize, classes: u32, counts: usize, outPositions: usize, outShared: usize, room: u32): u32 {
  let first: u32 = 0
  let last = classes
  while (first < last && at(need, first) == 0) first++
  while (last > first && at(need, last - 1) == 0) last--
  let row = from
  top = most
  for (let written: u32 = 0; row < to && written + most <= room; row++) {
    positions = outPositions + ((<usize>written) << 2)
    shares = outShared + ((<usize>written) << 2)
    length = 0
    if (first < last) joinRow(row, need, first, last - 1)
    put(counts, row - from, length)
    written += length
  }
  return row - from
}
