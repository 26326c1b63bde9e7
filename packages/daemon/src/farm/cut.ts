import { isUtf8 } from 'node:buffer'
import { linesOf } from './lines.ts'
import { lineTooLong, MAX_LINE_BYTES, notUtf8 } from './text-refused.ts'

/** Bytes of a segment, at most: about 20,000 lines of verse. Small enough to hold a few, large enough that a text of a gigabyte has 1,000. */
export const SEGMENT_BYTES = 1_048_576

const LF = 0x0a
const CR = 0x0d

/**
 * Where the next segment of a text ends: behind the last line end within `SEGMENT_BYTES`.
 * @param ahead - what comes next; more than `SEGMENT_BYTES` of it unless the text ends there
 * @returns its length, or 0 when there is no line end
 */
export function cutAt(ahead: Uint8Array): number {
  const within = ahead.subarray(0, SEGMENT_BYTES)
  const at = Math.max(within.lastIndexOf(LF), within.lastIndexOf(CR))
  return ahead[at] === CR && ahead[at + 1] === LF ? at + 2 : at + 1
}

export function endsLine(bytes: Uint8Array): boolean {
  const last = bytes.at(-1)
  return last === LF || last === CR
}

/** Where a segment stands in its text. */
export interface Place {
  readonly name: string
  /** Offset of the segment's first byte, and number of its first line, from 0. */
  readonly offset: number
  readonly line: number
  /** The segment before ended within a line. */
  readonly joins: boolean
}

/**
 * The lines of a segment.
 * @throws DaemonError TEXT_NOT_UTF8 | TEXT_LINE_TOO_LONG, naming the place
 */
export function checkedLines(bytes: Uint8Array, { name, offset, line, joins }: Place): readonly string[] {
  if (!isUtf8(bytes)) {
    const at = firstMalformed(bytes)
    throw notUtf8(
      name,
      offset + at,
      line + linesOf(decode(bytes.subarray(0, at)), joins).length + (at === 0 || endsLine(bytes.subarray(0, at)) ? 1 : 0),
      bytes,
    )
  }
  const lines = linesOf(decode(bytes), joins)
  const long = lines.findIndex((text) => 3 * text.length > MAX_LINE_BYTES && Buffer.byteLength(text) > MAX_LINE_BYTES)
  if (long >= 0) throw lineTooLong(name, line + long + 1)
  return lines
}

export function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

/** Offset of the first byte that no UTF-8 text has there. */
function firstMalformed(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length) {
    const first = bytes[at]!
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    if (!isUtf8(bytes.subarray(at, at + size))) return at
    at += size
  }
  return at
}
