/** A row and its entry of a state. */
export interface Entry {
  readonly row: number
  readonly value: number
}

/**
 * The k greatest positive entries of a state, greatest first, equal ones by row.
 * @param exclude - rows passed over
 */
export function nearest(s: Float32Array, exclude: Iterable<number>, k: number): Entry[] {
  const out = new Set(exclude)
  const best: { row: number; value: number }[] = []
  for (let row = 0; row < s.length; row++) {
    const value = s[row]!
    // a later row never precedes an equal earlier one
    if (!(value > 0) || (best.length === k && value <= (best.at(-1)?.value ?? Infinity)) || out.has(row)) continue
    if (best.length === k) best.pop()
    let at = best.length
    while (at > 0 && best[at - 1]!.value < value) at--
    best.splice(at, 0, { row, value })
  }
  return best
}
