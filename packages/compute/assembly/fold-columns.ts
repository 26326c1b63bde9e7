// Statistics down columns for fold.ts: as many owners as there are, each with a line of values; the lines stand wherever their pointers say.

/** Edges of a row at most, and columns that are sorted together. */
export const ROW_EDGES: u32 = 64
const TILE: usize = 64
const TILE_BYTES: usize = 4 * TILE

/** Pointers to the values of each owner of the row at hand, u32. */
let lines: usize = 0
/** f64 of each owner. */
let weights: usize = 0
/** f32: TILE for each owner. */
let tile: usize = 0

export function setLines(lines_: usize, weights_: usize, tile_: usize): void {
  lines = lines_
  weights = weights_
  tile = tile_
}

export function setLine(owner: u32, values: usize): void {
  store<u32>(lines + ((<usize>owner) << 2), <u32>values)
}

/** @param from - f64 of each of k owners */
export function setWeights(from: usize, k: u32): void {
  memory.copy(weights, from, (<usize>k) << 3)
}

// @ts-ignore: decorator
@inline
export function at(list: usize, index: u32): u32 {
  return load<u32>(list + ((<usize>index) << 2))
}

// @ts-ignore: decorator
@inline
export function weightOf(owner: u32): f64 {
  return load<f64>(weights + ((<usize>owner) << 3))
}

// @ts-ignore: decorator
@inline
export function lineOf(owner: u32): usize {
  return <usize>at(lines, owner)
}

/** Two floats as doubles. */
// @ts-ignore: decorator
@inline
function widened(from: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(from))
}

/** Four doubles as floats. */
// @ts-ignore: decorator
@inline
function narrowed(low: v128, high: v128): v128 {
  return v128.shuffle<u32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5)
}

/** Each column: Σ weight · value / divisor, in the order of the owners. */
export function mean(k: u32, divisor: f64, width: usize, out: usize): void {
  const by = f64x2.splat(divisor)
  let column: usize = 0
  for (; column + 8 <= width; column += 8) {
    let a = f64x2.splat(0)
    let b = f64x2.splat(0)
    let c = f64x2.splat(0)
    let d = f64x2.splat(0)
    for (let owner: u32 = 0; owner < k; owner++) {
      const from = lineOf(owner) + (column << 2)
      const weight = f64x2.splat(weightOf(owner))
      a = f64x2.add(a, f64x2.mul(weight, widened(from)))
      b = f64x2.add(b, f64x2.mul(weight, widened(from + 8)))
      c = f64x2.add(c, f64x2.mul(weight, widened(from + 16)))
      d = f64x2.add(d, f64x2.mul(weight, widened(from + 24)))
    }
    v128.store(out + (column << 2), narrowed(f64x2.div(a, by), f64x2.div(b, by)))
    v128.store(out + (column << 2), narrowed(f64x2.div(c, by), f64x2.div(d, by)), 16)
  }
  for (; column < width; column++) {
    let sum: f64 = 0
    for (let owner: u32 = 0; owner < k; owner++) sum += weightOf(owner) * <f64>load<f32>(lineOf(owner) + (column << 2))
    store<f32>(out + (column << 2), <f32>(sum / divisor))
  }
}

/** Each column: its greatest value. */
export function greatest(k: u32, width: usize, out: usize): void {
  let column: usize = 0
  for (; column + 8 <= width; column += 8) {
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    for (let owner: u32 = 0; owner < k; owner++) {
      const from = lineOf(owner) + (column << 2)
      a = f32x4.pmax(a, v128.load(from))
      b = f32x4.pmax(b, v128.load(from, 16))
    }
    v128.store(out + (column << 2), a)
    v128.store(out + (column << 2), b, 16)
  }
  for (; column < width; column++) {
    let most: f32 = 0
    for (let owner: u32 = 0; owner < k; owner++) {
      const value = load<f32>(lineOf(owner) + (column << 2))
      if (value > most) most = value
    }
    store<f32>(out + (column << 2), most)
  }
}

/** Sorts each column of the tile's first k rows, ascending: Batcher's merge exchange (Knuth, TAOCP 3, 5.2.2, algorithm M), which no value changes the course of. */
function sort(k: u32): void {
  let top: u32 = 1
  while (top << 1 < k) top <<= 1
  for (let p = k > 1 ? top : 0; p > 0; p >>= 1) {
    let q = top
    let r: u32 = 0
    let d = p
    while (true) {
      for (let i: u32 = 0; i + d < k; i++) if ((i & p) == r) exchange(tile + <usize>i * TILE_BYTES, tile + <usize>(i + d) * TILE_BYTES)
      if (q == p) break
      d = q - p
      q >>= 1
      r = p
    }
  }
}

/** Puts the lower of each two floats of two rows of the tile into the first. */
function exchange(low: usize, high: usize): void {
  for (const end = low + TILE_BYTES; low < end; low += 32, high += 32) {
    const a = v128.load(low)
    const b = v128.load(high)
    const c = v128.load(low, 16)
    const d = v128.load(high, 16)
    v128.store(low, f32x4.pmin(a, b))
    v128.store(high, f32x4.pmax(a, b))
    v128.store(low, f32x4.pmin(c, d), 16)
    v128.store(high, f32x4.pmax(c, d), 16)
  }
}

/** Each column: the mean of its values [from, to) in ascending order. */
export function middle(k: u32, from: u32, to: u32, width: usize, out: usize): void {
  const by = f64x2.splat(<f64>(to - from))
  for (let column: usize = 0; column < width; column += TILE) {
    const part = min<usize>(width - column, TILE)
    for (let owner: u32 = 0; owner < k; owner++) {
      const row = tile + <usize>owner * TILE_BYTES
      memory.copy(row, lineOf(owner) + (column << 2), part << 2)
      if (part < TILE) memory.fill(row + (part << 2), 0, (TILE - part) << 2)
    }
    sort(k)
    for (let i: usize = 0; i < part; i += 4) {
      let low = f64x2.splat(0)
      let high = f64x2.splat(0)
      for (let place = from; place < to; place++) {
        const row = tile + <usize>place * TILE_BYTES + (i << 2)
        low = f64x2.add(low, widened(row))
        high = f64x2.add(high, widened(row + 8))
      }
      const means = narrowed(f64x2.div(low, by), f64x2.div(high, by))
      if (i + 4 <= part) v128.store(out + ((column + i) << 2), means)
      else {
        // a tile's last columns, behind which there may be something else; its first row is free by now
        v128.store(tile, means)
        memory.copy(out + ((column + i) << 2), tile, (part - i) << 2)
      }
    }
  }
}

/** The divisor of a mean; where all its weights are 0 they become 1. */
export function divisorOf(k: u32): f64 {
  let total: f64 = 0
  for (let owner: u32 = 0; owner < k; owner++) total += weightOf(owner)
  if (total > 0) return total
  for (let owner: u32 = 0; owner < k; owner++) store<f64>(weights + ((<usize>owner) << 3), 1)
  return k
}

/** The 64th greatest of more than 64 weights: the greatest bit pattern that 64 of them reach, found bit by bit. */
export function sixtyFourth(vals: usize, count: usize): u32 {
  const padded = (count + 3) & ~3
  memory.fill(vals + (count << 2), 0, (padded - count) << 2)
  const end = vals + (padded << 2)
  let least: u32 = 0
  for (let bit: u32 = 1 << 29; bit > 0; bit >>= 1) {
    const floor = i32x4.splat(<i32>(least | bit))
    let hits = i32x4.splat(0)
    for (let place = vals; place < end; place += 16) hits = i32x4.sub(hits, i32x4.ge_s(v128.load(place), floor))
    const reach: u32 = i32x4.extract_lane(hits, 0) + i32x4.extract_lane(hits, 1) + i32x4.extract_lane(hits, 2) + i32x4.extract_lane(hits, 3)
    if (reach >= ROW_EDGES) least |= bit
    if (reach == ROW_EDGES) break
  }
  return least
}
