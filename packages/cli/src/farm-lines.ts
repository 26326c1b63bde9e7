/** Largest batch in one request: well below the API's body limit of 1 MiB, even with every character escaped. */
const BATCH_LINES = 2_000
const BATCH_CHARACTERS = 80_000

/** The lines of a text that hold anything, without the white space around them. */
export function linesOf(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** Cuts lines into batches, in order; a line longer than a batch stands alone. */
export function batchesOf(lines: readonly string[], maxLines: number = BATCH_LINES, maxCharacters: number = BATCH_CHARACTERS): string[][] {
  const batches: string[][] = []
  let room = 0
  for (const line of lines) {
    const last = batches.at(-1)
    if (last === undefined || last.length >= maxLines || line.length > room) {
      batches.push([line])
      room = maxCharacters - line.length
    } else {
      last.push(line)
      room -= line.length
    }
  }
  return batches
}
