/** Bits of colour that a stream shows: none, 16 colours, 256, or true colour. */
export type ColourDepth = 0 | 4 | 8 | 24

/** Paints text for one stream; without colours every function returns its text unchanged. */
export interface Style {
  readonly depth: ColourDepth
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  /** Six hex digits on their own colour, 8 columns; `[3f9c1e]` where there is no colour for it. */
  block(hex: string): string
}

/**
 * What a stream can show. FORCE_COLOR (0 to 3) beats NO_COLOR (any value) beats what the stream is; TERM=dumb shows none.
 * @param env - the environment
 * @param isTTY - whether the stream is a terminal
 */
export function colourDepth(env: Readonly<Record<string, string | undefined>>, isTTY: boolean): ColourDepth {
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced === '0' || forced === 'false' ? 0 : forced === '3' ? 24 : forced === '2' ? 8 : 4
  if ((env['NO_COLOR'] ?? '') !== '' || !isTTY || env['TERM'] === 'dumb') return 0
  const colours = env['COLORTERM']
  if (colours === 'truecolor' || colours === '24bit') return 24
  return /256|kitty|alacritty|ghostty/.test(env['TERM'] ?? '') ? 8 : 4
}

export function styleOf(depth: ColourDepth): Style {
  const paint =
    (open: string, close: string) =>
    (text: string): string =>
      depth === 0 ? text : `\u001B[${open}m${text}\u001B[${close}m`
  return {
    depth,
    bold: paint('1', '22'),
    dim: paint('2', '22'),
    red: paint('31', '39'),
    green: paint('32', '39'),
    yellow: paint('33', '39'),
    block: (hex) => colourBlock(hex, depth),
  }
}

/** The digits stay readable on their own colour, so the colour never carries the meaning alone. */
function colourBlock(hex: string, depth: ColourDepth): string {
  const digits = hex.slice(0, 6).padEnd(6, '0')
  if (depth < 8) return `[${digits}]`
  const value = Number.parseInt(digits, 16)
  const [red, green, blue] = [(value >> 16) & 255, (value >> 8) & 255, value & 255]
  // Rec. 709 luma decides between black and white digits
  const ink = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 127 ? 16 : 231
  const ground = depth === 24 ? `48;2;${red};${green};${blue}` : `48;5;${16 + 36 * cube(red) + 6 * cube(green) + cube(blue)}`
  return `\u001B[${ground};38;5;${ink}m ${digits} \u001B[0m`
}

/** Nearest of the six steps of the 256-colour cube (0, 95, 135, …, 255). */
function cube(level: number): number {
  return level < 48 ? 0 : level < 115 ? 1 : Math.min(5, Math.floor((level - 35) / 40))
}
