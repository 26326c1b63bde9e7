// The folds of weighted rows, in the arithmetic that packages/consensus/src/fold-reference.ts defines, as packages/compute/native/fold.c does them. Results agree with
// the reference to the bit.
//
// The owners of a row mostly hold the same columns. Then the weights of all of them stand side by side, and the fold goes down them in vectors. Where columns differ,
// a mean or a maximum is gathered in a dense row; for an order statistic the few columns that enough owners hold are laid side by side first.
//
// All pointers are bytes in the memory. The host writes behind heapBase(), and tells by setRoom() where dense arrays lie.

import { at, divisorOf, greatest, lineOf, mean, middle, ROW_EDGES, setLine, setLines, setWeights, sixtyFourth, weightOf } from './fold-columns'


const MEAN: u32 = 0
const GREATEST: u32 = 1
const TRIMMED: u32 = 2

/** What a row cannot be long: its task is wrong. */
const FOREIGN: u32 = u32.MAX_VALUE

/** First byte that the host may use. */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63
}

let statistic: u32 = 0
let columns: u32 = 0
/** u64 for 64 columns; f64 and u32 for each column: all 0 between rows. */
let used: usize = 0
let sums: usize = 0
let counts: usize = 0
/** The row before the cap: u32 and f32, 16-byte aligned. */
let outCols: usize = 0
let outVals: usize = 0
/** f32: 192 for each owner. */
let panel: usize = 0

export function setRoom(
  lines_: usize,
  weights_: usize,
  used_: usize,
  sums_: usize,
  counts_: usize,
  outCols_: usize,
  outVals_: usize,
  panel_: usize,
  tile_: usize,
): void {
  setLines(lines_, weights_, tile_)
  used = used_
  sums = sums_
  counts = counts_
  outCols = outCols_
  outVals = outVals_
  panel = panel_
}

/** Folds `width` columns of the lines of k owners. */
function downColumns(k: u32, divisor: f64, width: usize, out: usize): void {
  if (statistic == MEAN) return mean(k, divisor, width, out)
  if (statistic == GREATEST) return greatest(k, width, out)
  const from = statistic == TRIMMED ? k / 3 : (k - 1) / 2
  const to = statistic == TRIMMED ? k - k / 3 : k / 2 + 1
  middle(k, from, to, width, out)
}

/** Writes a row without zeros, at most 64 edges, the heaviest, of equal ones those with the lower columns. Returns how many. */
function emit(cols: usize, vals: usize, count: u32, intoCols: usize, intoVals: usize): u32 {
  let least: u32 = 0
  let ties: u32 = 0
  if (count > ROW_EDGES) {
    least = sixtyFourth(vals, count)
    let heavier: u32 = 0
    for (let i: u32 = 0; i < count; i++) heavier += <u32>(at(vals, i) > least)
    ties = heavier < ROW_EDGES && least > 0 ? ROW_EDGES - heavier : 0
  }
  let end: u32 = 0
  for (let i: u32 = 0; i < count && end < ROW_EDGES; i++) {
    const word = at(vals, i)
    const tie: u32 = <u32>(word == least) & <u32>(ties > 0)
    ties -= tie
    store<u32>(intoCols + ((<usize>end) << 2), at(cols, i))
    store<u32>(intoVals + ((<usize>end) << 2), word)
    end += tie | <u32>(word > least)
  }
  return end
}

// @ts-ignore: decorator
@inline
function use(column: u32): void {
  const word = used + ((<usize>(column >> 6)) << 3)
  store<u64>(word, load<u64>(word) | (<u64>1 << <u64>(column & 63)))
}

/** The columns in use, ascending, into outCols; none is in use afterwards. Returns how many. */
function takeUsed(): u32 {
  let count: usize = 0
  for (let w: u32 = 0; w << 6 < columns; w++) {
    const place = used + ((<usize>w) << 3)
    let word = load<u64>(place)
    if (word == 0) continue
    store<u64>(place, 0)
    for (; word != 0; word &= word - 1) store<u32>(outCols + (count++ << 2), (w << 6) + <u32>ctz(word))
  }
  return <u32>count
}

/** Owners with different columns: the mean or the maximum through a dense row. Returns the row's length before the cap. */
function gather(k: u32, offsets: usize, lengths: usize, cols: usize, divisor: f64): u32 {
  for (let owner: u32 = 0; owner < k; owner++) {
    const weight = weightOf(owner)
    const line = lineOf(owner)
    const own = cols + ((<usize>at(offsets, owner)) << 2)
    const length = at(lengths, owner)
    for (let e: u32 = 0; e < length; e++) {
      const column = at(own, e)
      if (column >= columns) return FOREIGN
      use(column)
      const sum = sums + ((<usize>column) << 3)
      const value = <f64>load<f32>(line + ((<usize>e) << 2))
      if (statistic == MEAN) store<f64>(sum, load<f64>(sum) + weight * value)
      else if (value > load<f64>(sum)) store<f64>(sum, value)
    }
  }
  const count = takeUsed()
  for (let i: u32 = 0; i < count; i++) {
    const sum = sums + ((<usize>at(outCols, i)) << 3)
    store<f32>(outVals + ((<usize>i) << 2), <f32>(load<f64>(sum) / divisor))
    store<f64>(sum, 0)
  }
  return count
}

/** The same for an order statistic: the columns that enough owners hold are laid side by side. */
function lineUp(k: u32, offsets: usize, lengths: usize, cols: usize): u32 {
  const tolerated = statistic == TRIMMED ? k / 3 : (k - 1) / 2
  for (let owner: u32 = 0; owner < k; owner++) {
    const own = cols + ((<usize>at(offsets, owner)) << 2)
    const length = at(lengths, owner)
    for (let e: u32 = 0; e < length; e++) {
      const column = at(own, e)
      if (column >= columns) return FOREIGN
      const count = counts + ((<usize>column) << 2)
      const before = load<u32>(count)
      store<u32>(count, before + 1)
      if (before == tolerated) use(column)
    }
  }
  const width = takeUsed()
  for (let owner: u32 = 0; owner < k; owner++) {
    const own = cols + ((<usize>at(offsets, owner)) << 2)
    const length = at(lengths, owner)
    for (let e: u32 = 0; e < length; e++) store<u32>(counts + ((<usize>at(own, e)) << 2), 0)
  }
  for (let i: u32 = 0; i < width; i++) store<u32>(counts + ((<usize>at(outCols, i)) << 2), i + 1)
  const stride = <usize>width << 2
  memory.fill(panel, 0, <usize>k * stride)
  for (let owner: u32 = 0; owner < k; owner++) {
    const from = lineOf(owner)
    const line = panel + <usize>owner * stride
    const own = cols + ((<usize>at(offsets, owner)) << 2)
    const length = at(lengths, owner)
    for (let e: u32 = 0; e < length; e++) {
      const place = at(counts, at(own, e))
      if (place > 0) store<u32>(line + ((<usize>(place - 1)) << 2), at(from, e))
    }
    setLine(owner, line)
  }
  for (let i: u32 = 0; i < width; i++) store<u32>(counts + ((<usize>at(outCols, i)) << 2), 0)
  downColumns(k, 1, width, outVals)
  return width
}

function sameColumns(k: u32, offsets: usize, lengths: usize, cols: usize): bool {
  const length = at(lengths, 0)
  const first = cols + ((<usize>at(offsets, 0)) << 2)
  for (let owner: u32 = 1; owner < k; owner++) {
    if (at(lengths, owner) != length) return false
    const own = cols + ((<usize>at(offsets, owner)) << 2)
    let e: usize = 0
    let other = i32x4.splat(0)
    const whole = (<usize>length << 2) & ~15
    for (; e < whole; e += 16) other = v128.or(other, v128.xor(v128.load(first + e), v128.load(own + e)))
    if (v128.any_true(other)) return false
    for (; e < <usize>length << 2; e += 4) if (load<u32>(first + e) != load<u32>(own + e)) return false
  }
  return true
}

/**
 * Folds rows; see FoldKernel.rows.
 * @param ptr - owners of row i: [ptr[i], ptr[i + 1]) of the next three lists
 * @param offsets, lengths - edges of each owner, in `cols` and `vals`
 * @param ownerWeights - f64 of each owner
 * @param intoPtr - receives the end of each row, counted from 0
 * @returns the number of edges written, or 2^32 − 1 when a column lies outside the matrix
 */
export function foldRows(
  statistic_: u32,
  columns_: u32,
  rows: u32,
  ptr: usize,
  offsets: usize,
  lengths: usize,
  ownerWeights: usize,
  cols: usize,
  vals: usize,
  intoPtr: usize,
  intoCols: usize,
  intoVals: usize,
): u32 {
  statistic = statistic_
  columns = columns_
  let end: u32 = 0
  for (let i: u32 = 0; i < rows; i++) {
    const from = at(ptr, i)
    const k = at(ptr, i + 1) - from
    const ownOffsets = offsets + ((<usize>from) << 2)
    const ownLengths = lengths + ((<usize>from) << 2)
    for (let owner: u32 = 0; owner < k; owner++) {
      setLine(owner, vals + ((<usize>at(ownOffsets, owner)) << 2))
    }
    setWeights(ownerWeights + ((<usize>from) << 3), k)
    const divisor = statistic == MEAN ? divisorOf(k) : 1
    const bytes = (<usize>end) << 2
    if (sameColumns(k, ownOffsets, ownLengths, cols)) {
      const width = at(ownLengths, 0)
      downColumns(k, divisor, width, outVals)
      end += emit(cols + ((<usize>at(ownOffsets, 0)) << 2), outVals, width, intoCols + bytes, intoVals + bytes)
    } else {
      const width = statistic <= GREATEST ? gather(k, ownOffsets, ownLengths, cols, divisor) : lineUp(k, ownOffsets, ownLengths, cols)
      if (width == FOREIGN) return FOREIGN
      end += emit(outCols, outVals, width, intoCols + bytes, intoVals + bytes)
    }
    store<u32>(intoPtr + ((<usize>i) << 2), end)
  }
  return end
}

/** Folds `width` columns of k states, one behind the other from `states` on, each `stride` bytes long; weights at `setRoom`'s place. */
export function foldStates(statistic_: u32, k: u32, width: usize, states: usize, stride: usize, into: usize): void {
  statistic = statistic_
  for (let owner: u32 = 0; owner < k; owner++) setLine(owner, states + <usize>owner * stride)
  downColumns(k, statistic == MEAN ? divisorOf(k) : 1, width, into)
}
