/**
 * Random signs as words of 64 bits: block b of a row holds those of columns 64·b … 64·b + 63, lowest bit first; a set bit is +1, another −1.
 * Writes the low and the high half to `out[at]` and `out[at + 1]`. docs/api.md says which signs the API projects with
 */
export type SignWords = (row: number, block: number, out: Uint32Array, at: number) => void

/** Columns that one word has signs for. */
export const SIGNS_PER_WORD = 64

/** +1 or −1: bit `bit` of a pair of halves at `at`. */
export function signAt(words: Uint32Array, at: number, bit: number): number {
  return ((words[at + (bit >>> 5)]! >>> (bit & 31)) & 1) * 2 - 1
}
