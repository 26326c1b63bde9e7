/** Consecutive indices [start, start + count). */
export interface IndexRange {
  readonly start: bigint
  readonly count: bigint
}

/**
 * Splits a range into contiguous parts of equal length; the last takes the remainder.
 * @param range - count ≥ 0
 * @param parts - integer ≥ 1; parts are empty (but the last) when there are more of them than indices
 * @throws RangeError if parts is not a positive integer or count is negative
 */
export function splitRange({ start, count }: IndexRange, parts: number): readonly IndexRange[] {
  if (!Number.isSafeInteger(parts) || parts < 1) throw new RangeError(`a range cannot be split into ${parts} parts`)
  if (count < 0n) throw new RangeError(`a range cannot have ${count} colours`)
  const each = count / BigInt(parts)
  return Array.from({ length: parts }, (_, part) => {
    const offset = each * BigInt(part)
    return { start: start + offset, count: part === parts - 1 ? count - offset : each }
  })
}

/** The XOR of a whole from the XORs of its parts: any order, any grouping. */
export function composeXor(xors: Iterable<bigint>): bigint {
  let whole = 0n
  for (const xor of xors) whole ^= xor
  return whole
}
