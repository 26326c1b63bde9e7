/** What ends a line in a text file, wherever it was written. */
const LINE_BREAK = /\r\n|[\n\r\u2028\u2029]/
const RARE_BREAK = /[\r\u2028\u2029]/

/**
 * The lines of whole-line text, white space around them removed. Empty lines stay: they are the borders between documents, and keep line numbers
 * those of the file.
 * @param joins - the text goes on behind a line that had no end yet: a line break at its beginning is that line's end, not an empty line
 */
export function linesOf(text: string, joins = false): string[] {
  const start = joins ? text.replace(/^(?:\r\n|[\n\r\u2028\u2029])/, '') : text
  if (start === '') return []
  const lines = RARE_BREAK.test(start) ? start.split(LINE_BREAK) : start.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => line.trim())
}
