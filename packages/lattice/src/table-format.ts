// Layout of the hanzi table, shared by the parser here and by scripts/build-hanzi.ts. All integers little-endian.
//
//   offset  size      content
//   0       8         TABLE_MAGIC
//   8       4         n, number of characters (u32)
//   12      4         d ≤ n, how many of them have a definition (u32)
//   16      4         c, bytes of the code-point section (u32)
//   20      4         t, bytes of the definition section (u32)
//   24      4         r, bytes of the reading section (u32)
//   28      c         n unsigned LEB128 gaps: code point − previous code point − 1; the previous one is −1 at character 0 and at character d
//   28+c    n         Kangxi radical of each character, 1 … 214
//   28+c+n  n         total strokes of each character, 1 … 255
//   28+c+2n t         d definitions, UTF-8, each ended by a line feed, none empty
//   …+t     r         n readings (Mandarin, pinyin; empty where unknown), UTF-8, each ended by a line feed
//
// The first d characters are the defined ones; both groups ascend by code point. Nothing follows the readings.

/** ASCII `sgshanz1`: format and version. */
export const TABLE_MAGIC: Uint8Array = Uint8Array.of(0x73, 0x67, 0x73, 0x68, 0x61, 0x6e, 0x7a, 0x31)

/** Bytes before the code-point section. */
export const TABLE_HEADER_BYTES = 28

/** Largest table that is read: 8 × the shipped one. */
export const MAX_TABLE_BYTES: number = 8 * 1_572_864

/** Number of Kangxi radicals. */
export const RADICALS = 214
