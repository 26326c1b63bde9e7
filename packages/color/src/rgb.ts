/** Red, green and blue, 0 … 255 each: the low 24 bits of a colour, which are what people see of it. */
export type Rgb = readonly [red: number, green: number, blue: number]

export function rgb(colour: bigint): Rgb {
  const low = Number(BigInt.asUintN(24, colour))
  return [low >>> 16, (low >>> 8) & 0xff, low & 0xff]
}

/** Two blank cells on the colour, as a 24-bit ANSI escape; reset behind them. */
export function ansiBlock(colour: bigint): string {
  return `\u001b[48;2;${rgb(colour).join(';')}m  \u001b[0m`
}
