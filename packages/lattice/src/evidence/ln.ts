/** ln 2 in two parts: the first has 32 bits, so that its product with an exponent is exact. */
const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10

/** High word of √½ as a double: mantissas are taken from [√½, √2), where the series is shortest. */
const ROOT_HALF_HIGH = 0x3fe6_a09e

/** 2/3, 2/5, … 2/25: of ln((1 + s)/(1 − s)) = 2s + 2s³/3 + …; with |s| ≤ 0.1716 what follows is below 2⁻⁵⁹ of the sum. */
const SERIES: readonly number[] = [3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25].map((odd) => 2 / odd)

const view = new DataView(new ArrayBuffer(8))

/**
 * The natural logarithm from + − × ÷ and the bits of a double alone: the same bits on every machine and in every language that rounds each operation to
 * binary64 and fuses none. Within 1 ulp of the true value. What `Math.log` gives may differ between engines, and a fold must not. docs/protocol.md §9.7
 * @param x - positive and finite
 * @throws RangeError otherwise (a bug: counts are at least 1)
 */
export function ln(x: number): number {
  if (!(x > 0 && x < Infinity)) throw new RangeError(`no logarithm of ${x}`)
  let exponent = 0
  let scaled = x
  if (x < 2 ** -1022) {
    scaled = x * 2 ** 54
    exponent = -54
  }
  view.setFloat64(0, scaled)
  const high = view.getUint32(0)
  // m = scaled · 2^−e in [√½, √2), to the high word: adding the distance from √½ to 1 carries into the exponent where m would be below
  const shifted = high + (0x3ff0_0000 - ROOT_HALF_HIGH)
  exponent += (shifted >>> 20) - 1_023
  view.setUint32(0, (shifted & 0x000f_ffff) + ROOT_HALF_HIGH)
  const f = view.getFloat64(0) - 1
  const s = f / (2 + f)
  const z = s * s
  let tail = 0
  for (let i = SERIES.length - 1; i >= 0; i--) tail = (SERIES[i]! + tail) * z
  // ln(1 + f) = f − (f²/2 − s·(f²/2 + tail)): f stands alone, so what is rounded is small beside it
  const half = 0.5 * f * f
  return exponent * LN2_HIGH - (half - (s * (half + tail) + exponent * LN2_LOW) - f)
}
