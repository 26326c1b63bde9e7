// The stable step of the lattice, in the arithmetic that packages/lattice/src/step.ts defines: states and weights in binary32,
// everything between in binary64, row sums in edge order. Results agree with the reference to the bit.
//
// Rows lie in lanes and edges in turns, as packages/compute/src/lattice/sell-layout.ts lays them out; the constants are its.
// All pointers are bytes in the exported memory.

const LANES: usize = 16
const TILE_CHUNKS: usize = 12
const TILE_LANES: usize = LANES * TILE_CHUNKS
const TILE_BYTES: usize = 4 * (6 + 2 * TILE_CHUNKS)
const CHUNK_BASE: u32 = 16
const STREAM_UNIT: usize = 32

/** Bytes of the columns of a step, and of the weights of one matrix in it. */
const COLUMN_BYTES: usize = 2 * LANES
const WEIGHT_BYTES: usize = 4 * LANES

/** Bytes of sums of one matrix: an f64 per lane of a tile. */
const SUM_BYTES: usize = 8 * TILE_LANES

/**
 * One step over all rows.
 * @param tiles - `count` tiles
 * @param lanes - row of each lane
 * @param scales - per chunk 16 f64 for the sums of Wτ and 16 for those of Wρ
 * @param stream - the edges
 * @param teacher - f32 per row, and one for lanes without a row
 * @param state - s, likewise
 * @param out - receives s', likewise
 * @param scratch - room for a tile: f64 per lane and matrix, then u32 per lane; 16-byte aligned
 * @param keep - 1 − λ
 * @param gamma - what the teacher is multiplied by
 * @returns ‖s' − s‖₂², summed in the order of the lanes
 */
export function latticeStep(
  tiles: usize,
  count: u32,
  lanes: usize,
  scales: usize,
  stream: usize,
  teacher: usize,
  state: usize,
  out: usize,
  scratch: usize,
  keep: f64,
  gamma: f64,
): f64 {
  let squared = f64x2.splat(0)
  const columns = scratch + 2 * SUM_BYTES
  for (const end = tiles + <usize>count * TILE_BYTES; tiles < end; tiles += TILE_BYTES) {
    const chunks: usize = load<u32>(tiles)
    const first: usize = load<u32>(tiles, 4)
    const orders = tiles + 24
    memory.fill(scratch, 0, 2 * SUM_BYTES)
    const tau = stream + <usize>load<u32>(tiles, 16) * STREAM_UNIT
    if (load<u32>(tiles, 8) === 1) {
      sumBoth(tau, orders, chunks, state, scratch, columns)
    } else {
      sumOne(tau, orders, chunks, state, scratch, columns)
      sumOne(stream + <usize>load<u32>(tiles, 20) * STREAM_UNIT, orders + 4 * TILE_CHUNKS, chunks, state, scratch + SUM_BYTES, columns)
    }
    for (let chunk: usize = 0; chunk < chunks; chunk++) {
      const rows = lanes + (first + chunk) * (4 * LANES)
      const factors = scales + (first + chunk) * (16 * LANES)
      const sums = scratch + chunk * (8 * LANES)
      for (let lane: usize = 0; lane < LANES; lane += 2) {
        const a: usize = <usize>load<u32>(rows + 4 * lane) << 2
        const b: usize = <usize>load<u32>(rows + 4 * lane, 4) << 2
        const before = pair(state, a, b)
        const climb = f64x2.mul(v128.load(sums + 8 * lane), v128.load(factors + 8 * lane))
        const sink = f64x2.mul(v128.load(sums + 8 * lane, SUM_BYTES), v128.load(factors + 8 * lane, 8 * LANES))
        const kept = f64x2.sub(f64x2.add(f64x2.mul(f64x2.splat(keep), before), climb), sink)
        const moved = f64x2.add(kept, f64x2.mul(f64x2.splat(gamma), pair(teacher, a, b)))
        const after = f32x4.demote_f64x2_zero(f64x2.max(f64x2.splat(0), f64x2.min(f64x2.splat(1), moved)))
        v128.store32_lane(out + a, after, 0)
        v128.store32_lane(out + b, after, 1)
        const gap = f64x2.sub(f64x2.promote_low_f32x4(after), before)
        squared = f64x2.add(squared, f64x2.mul(gap, gap))
      }
    }
  }
  return f64x2.extract_lane(squared, 0) + f64x2.extract_lane(squared, 1)
}

/** Adds up a phase of one matrix. */
function sumOne(at: usize, order: usize, chunks: usize, state: usize, sums: usize, columns: usize): void {
  memory.fill(columns, 0, chunks * (4 * LANES))
  let live = chunks
  for (let turn: u32 = 0; ; turn++) {
    live = stillLive(order, live, turn)
    if (live === 0) return
    for (let place: usize = 0; place < live; place++) {
      const own = columns + place * (4 * LANES)
      const into = sums + <usize>(load<u32>(order + 4 * place) % CHUNK_BASE) * (8 * LANES)
      advance(own, at)
      addEight(own, into, at + COLUMN_BYTES, state)
      addEight(own + 32, into + 64, at + (COLUMN_BYTES + 32), state)
      at += COLUMN_BYTES + WEIGHT_BYTES
    }
  }
}

/** Adds up a phase of both matrices. */
function sumBoth(at: usize, order: usize, chunks: usize, state: usize, sums: usize, columns: usize): void {
  memory.fill(columns, 0, chunks * (4 * LANES))
  let live = chunks
  for (let turn: u32 = 0; ; turn++) {
    live = stillLive(order, live, turn)
    if (live === 0) return
    for (let place: usize = 0; place < live; place++) {
      const own = columns + place * (4 * LANES)
      const into = sums + <usize>(load<u32>(order + 4 * place) % CHUNK_BASE) * (8 * LANES)
      advance(own, at)
      addEightTwice(own, into, at + COLUMN_BYTES, state)
      addEightTwice(own + 32, into + 64, at + (COLUMN_BYTES + 32), state)
      at += COLUMN_BYTES + 2 * WEIGHT_BYTES
    }
  }
}

/** How many of the chunks, the longest first, have a step in this turn. */
// @ts-ignore: decorator
@inline
function stillLive(order: usize, live: usize, turn: u32): usize {
  while (live > 0 && load<u32>(order + 4 * (live - 1)) / CHUNK_BASE <= turn) live--
  return live
}

/** Adds sixteen distances to as many columns. */
// @ts-ignore: decorator
@inline
function advance(columns: usize, deltas: usize): void {
  v128.store(columns, i32x4.add(v128.load(columns), v128.load_ext<u16>(deltas)))
  v128.store(columns, i32x4.add(v128.load(columns, 16), v128.load_ext<u16>(deltas, 8)), 16)
  v128.store(columns, i32x4.add(v128.load(columns, 32), v128.load_ext<u16>(deltas, 16)), 32)
  v128.store(columns, i32x4.add(v128.load(columns, 48), v128.load_ext<u16>(deltas, 24)), 48)
}

/** Adds the products of eight lanes to their sums. */
// @ts-ignore: decorator
@inline
function addEight(columns: usize, sums: usize, weights: usize, state: usize): void {
  v128.store(sums, f64x2.add(v128.load(sums), product(v128.load64_zero(weights), values(columns, state))))
  v128.store(sums, f64x2.add(v128.load(sums, 16), product(v128.load64_zero(weights, 8), values(columns + 8, state))), 16)
  v128.store(sums, f64x2.add(v128.load(sums, 32), product(v128.load64_zero(weights, 16), values(columns + 16, state))), 32)
  v128.store(sums, f64x2.add(v128.load(sums, 48), product(v128.load64_zero(weights, 24), values(columns + 24, state))), 48)
}

/** The same for both matrices, whose weights and sums lie WEIGHT_BYTES and SUM_BYTES apart. */
// @ts-ignore: decorator
@inline
function addEightTwice(columns: usize, sums: usize, weights: usize, state: usize): void {
  addTwoTwice(values(columns, state), sums, weights)
  addTwoTwice(values(columns + 8, state), sums + 16, weights + 8)
  addTwoTwice(values(columns + 16, state), sums + 32, weights + 16)
  addTwoTwice(values(columns + 24, state), sums + 48, weights + 24)
}

// @ts-ignore: decorator
@inline
function addTwoTwice(two: v128, sums: usize, weights: usize): void {
  v128.store(sums, f64x2.add(v128.load(sums), product(v128.load64_zero(weights), two)))
  v128.store(sums, f64x2.add(v128.load(sums, SUM_BYTES), product(v128.load64_zero(weights, WEIGHT_BYTES), two)), SUM_BYTES)
}

/** Two f32 times two f64; exact, as both were f32. */
// @ts-ignore: decorator
@inline
function product(weights: v128, two: v128): v128 {
  return f64x2.mul(f64x2.promote_low_f32x4(weights), two)
}

/** The state at two columns. */
// @ts-ignore: decorator
@inline
function values(columns: usize, state: usize): v128 {
  const both = load<u64>(columns)
  return pair(state, <usize>(<u32>both) << 2, <usize>(both >> 32) << 2)
}

/** Two f32 of an array as f64. */
// @ts-ignore: decorator
@inline
function pair(array: usize, a: usize, b: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load32_lane(array + b, v128.load32_zero(array + a), 1))
}
