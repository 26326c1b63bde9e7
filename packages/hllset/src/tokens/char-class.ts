import { WORD_TABLE } from './word-table.generated.ts'

/** What a code point does to words. */
export type CharClass = 0 | 1 | 2 | 3
/** Ends a word and belongs to none: space, punctuation, symbols, and whatever Unicode 15.0 had not assigned. */
export const OTHER = 0
/** Part of a word: letters, numbers and connectors such as `_`. */
export const WORD = 1
/** A word by itself: letters of scripts that put no space between words. Ideographs, Hiragana, and the line break class SA (Thai, Lao, Khmer, Myanmar …). */
export const ALONE = 2
/** Stays with what stands before it: combining marks and the zero-width joiners. */
export const EXTEND = 3

const CODE_POINTS = 0x11_0000
const KINDS: Readonly<Record<string, CharClass>> = { w: WORD, a: ALONE, e: EXTEND }

/** One class per code point; 1.1 MB, made on first use. */
let classes: Uint8Array | undefined

/** Class of a code point by Unicode 15.0, whatever version the engine has. */
export function charClass(codePoint: number): CharClass {
  classes ??= readTable(WORD_TABLE)
  return classes[codePoint] as CharClass
}

/** White space (Unicode's White_Space), controls and the byte order mark: what no character token stands for. These do not grow with Unicode. */
export function isBlank(codePoint: number): boolean {
  if (codePoint <= 0x20) return true
  if (codePoint < 0x7f) return false
  if (codePoint <= 0xa0) return true
  if (codePoint < 0x1680) return false
  if (codePoint >= 0x2000 && codePoint <= 0x200a) return true
  switch (codePoint) {
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
    case 0xfeff:
      return true
    default:
      return false
  }
}

/** Ranges in ascending order, separated by spaces: a kind, the gap since the range before, and the length where it is not 1; base 36. */
function readTable(table: string): Uint8Array {
  const filled = new Uint8Array(CODE_POINTS)
  let end = 0
  for (const range of table.split(' ')) {
    const [gap, length = '1'] = range.slice(1).split('.')
    const first = end + Number.parseInt(gap!, 36)
    end = first + Number.parseInt(length, 36)
    filled.fill(KINDS[range[0]!]!, first, end)
  }
  return filled
}
