// The stable step of the lattice, in the arithmetic that packages/lattice/src/step.ts defines: states and weights in binary32,
// everything between in binary64, row sums in edge order. Results agree with the reference to the bit.
//
// An edge holds its two weights side by side (τ, ρ), so that one gather of s serves both matrices: the two f64 lanes of a vector
// are the sums of Wτ and of Wρ. Two rows run side by side, because a sum in order waits for each addition before the next.
//
// All pointers are bytes in the imported memory.

/**
 * One step over all rows.
 * @param rows - a multiple of 2: an odd lattice gets one row more, without edges
 * @param table - two u32 per row: its first edge, and the one behind its last
 * @param cols - u32 per edge
 * @param weights - two f32 per edge: τ, ρ
 * @param scales - two f64 per row: what the sums of Wτ and of Wρ are multiplied by; 16-byte aligned
 * @param state - s, f32 per row
 * @param bias - γ · teacher, f64 per row
 * @param out - receives s', f32 per row
 * @param keep - 1 − λ
 * @returns ‖s' − s‖₂², summed in row order
 */
export function latticeStep(
  rows: u32,
  table: usize,
  cols: usize,
  weights: usize,
  scales: usize,
  state: usize,
  bias: usize,
  out: usize,
  keep: f64,
): f64 {
  let squared: f64 = 0
  for (let row: usize = 0; row < <usize>rows; row += 2) {
    const entry = table + (row << 3)
    let a: usize = load<u32>(entry)
    const aEnd: usize = load<u32>(entry, 4)
    let b: usize = load<u32>(entry, 8)
    const bEnd: usize = load<u32>(entry, 12)
    let upper = f64x2.splat(0)
    let lower = f64x2.splat(0)
    for (const both = a + min<usize>(aEnd - a, bEnd - b); a < both; a++, b++) {
      upper = f64x2.add(upper, product(a, cols, weights, state))
      lower = f64x2.add(lower, product(b, cols, weights, state))
    }
    for (; a < aEnd; a++) upper = f64x2.add(upper, product(a, cols, weights, state))
    for (; b < bEnd; b++) lower = f64x2.add(lower, product(b, cols, weights, state))
    squared += settle(row, upper, scales, state, bias, out, keep)
    squared += settle(row + 1, lower, scales, state, bias, out, keep)
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
  const moved = keep * before + f64x2.extract_lane(scaled, 0) - f64x2.extract_lane(scaled, 1) + load<f64>(bias + (row << 3))
  const after = <f32>max<f64>(0, min<f64>(1, moved))
  store<f32>(out + (row << 2), after)
  const gap = <f64>after - before
  return gap * gap
}
