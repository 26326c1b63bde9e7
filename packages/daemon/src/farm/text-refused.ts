import { DaemonError } from '../daemon-error.ts'

/** Longest line, bytes: about 20,000 characters. A line is a sentence or a verse; what has no line ends at all is no text of lines. */
export const MAX_LINE_BYTES = 65_536

/** @param at - offset of the first wrong byte in the whole text. @param line - number of its line, from 1 */
export function notUtf8(name: string, at: number, line: number, start: Uint8Array): DaemonError {
  return new DaemonError(
    'TEXT_NOT_UTF8',
    `${name} is not UTF-8: at byte offset ${at}, in line ${line}`,
    `iconv -f ${isUtf16(start) ? 'UTF-16' : 'GB18030'} -t UTF-8 makes it so`,
  )
}

/** @param line - number of the line, from 1 */
export function lineTooLong(name: string, line: number): DaemonError {
  return new DaemonError(
    'TEXT_LINE_TOO_LONG',
    `line ${line} of ${name} is longer than ${MAX_LINE_BYTES / 1_024} KiB`,
    'one sentence or verse a line: sed s/。/。\\\\n/g breaks lines at full stops',
  )
}

export function textEmpty(name: string): DaemonError {
  return new DaemonError('TEXT_EMPTY', `${name} holds no line of text`)
}

/** A byte order mark of UTF-16, either way round. */
function isUtf16(start: Uint8Array): boolean {
  return (start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff)
}
