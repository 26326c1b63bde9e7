/** No member counts for more than this many times the median member: a boast moves at most that much work. docs/protocol.md §6.3 */
export const CLAMP_OVER_MEDIAN = 8n

/**
 * Integer weights out of measured rates. A rate of 0 or less is unknown and counts as the median of the known ones (the lower of the
 * two middle ones), or as 1 where none is known; then all are clamped to 8 × that median.
 * @returns weights ≥ 1 in the order of `rates`
 */
export function weightsOf(rates: readonly bigint[]): readonly bigint[] {
  const known = rates.filter((rate) => rate > 0n).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const median = known[(known.length - 1) >>> 1] ?? 1n
  const most = median * CLAMP_OVER_MEDIAN
  return rates.map((rate) => (rate <= 0n ? median : rate < most ? rate : most))
}
