/**
 * One step of the stable profile over both matrices at once.
 *
 * An edge holds its two weights side by side (τ, ρ), so that one gather of s serves both: the two f64 lanes of a vector are the
 * sums of Wτ and of Wρ. Sums run in edge order with f64 products and sums, as the JavaScript reference does: results are equal
 * to the bit. Two rows run side by side, because a sum in order waits for each addition before the next.
 *
 * All offsets are bytes in the module's memory.
 * @param rows - a multiple of 2: an odd lattice gets one row without edges
 * @param ptr - rows + 1 edge numbers, u32
 * @param cols - one column per edge, u32
 * @param weights - two f32 per edge: τ, ρ
 * @param scales - two f64 per row: what the sums of Wτ and of Wρ are multiplied by
 * @param state - s, f32 per row
 * @param bias - f64 per row, added
 * @param out - s', f32 per row
 * @returns the sum over rows, in row order, of (s' − s)²
 */
export function latticeStep(
  rows: u32,
  ptr: usize,
  cols: usize,
  weights: usize,
  scales: usize,
  state: usize,
  bias: usize,
  out: usize,
  keep: f64,
): f64 {
  let squared: f64 = 0
  let first: usize = load<u32>(ptr)
  for (let row: usize = 0; row < <usize>rows; row += 2) {
    const middle: usize = load<u32>(ptr + ((row + 1) << 2))
    const end: usize = load<u32>(ptr + ((row + 2) << 2))
    const both = min<usize>(middle - first, end - middle)
    let upper = f64x2.splat(0)
    let lower = f64x2.splat(0)
    let a = first
    let b = middle
    for (const stop = first + both; a < stop; a++, b++) {
      upper = f64x2.add(upper, product(a, cols, weights, state))
      lower = f64x2.add(lower, product(b, cols, weights, state))
    }
    for (; a < middle; a++) upper = f64x2.add(upper, product(a, cols, weights, state))
    for (; b < end; b++) lower = f64x2.add(lower, product(b, cols, weights, state))
    squared += settle(row, upper, scales, state, bias, out, keep)
    squared += settle(row + 1, lower, scales, state, bias, out, keep)
    first = end
  }
  return squared
}

/** (τ · s[column], ρ · s[column]) of one edge; exact, as both factors are f32. */
// @ts-ignore: decorator
@inline
function product(edge: usize, cols: usize, weights: usize, state: usize): v128 {
  const column: usize = load<u32>(cols + (edge << 2))
  const value = f64x2.promote_low_f32x4(v128.load_splat<f32>(state + (column << 2)))
  return f64x2.mul(f64x2.promote_low_f32x4(v128.load_zero<u64>(weights + (edge << 3))), value)
}

/** Writes s' of one row. @returns (s' − s)² */
// @ts-ignore: decorator
@inline
function settle(row: usize, sums: v128, scales: usize, state: usize, bias: usize, out: usize, keep: f64): f64 {
  const scaled = f64x2.mul(sums, v128.load(scales + (row << 4)))
  const before = <f64>load<f32>(state + (row << 2))
  const raw = keep * before + f64x2.extract_lane(scaled, 0) - f64x2.extract_lane(scaled, 1) + load<f64>(bias + (row << 3))
  const after = <f32>max<f64>(0, min<f64>(1, raw))
  store<f32>(out + (row << 2), after)
  const delta = <f64>after - before
  return delta * delta
}
