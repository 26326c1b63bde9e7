import type { Position } from './program.ts'

/** What is wrong with a program, and where. */
export interface ProgramFault {
  /** Place in the source; undefined where there is none (a document that came as JSON). */
  readonly at: Position | undefined
  /** Place in the document: `program[2].converge.max_steps`, or '' for the whole. */
  readonly path: string
  /** One sentence that begins with op and field: `converge.max_steps must be …`. */
  readonly message: string
}

/** Faults that are reported at most; a file in another language has thousands. */
export const MAX_FAULTS = 20

/** `poem.yml:7:5: converge.max_steps must be …`; without a position the path stands for it. */
export function renderFault({ at, path, message }: ProgramFault, file: string): string {
  if (at !== undefined) return `${file}:${at.line}:${at.column}: ${message}`
  return path === '' ? `${file}: ${message}` : `${file}: ${path}: ${message}`
}

/** A text as an error repeats it: quoted, in one line, cut. */
export function quoted(text: string): string {
  const characters = [...text.slice(0, 2 * MAX_ECHO + 2)]
  return JSON.stringify(characters.length > MAX_ECHO ? `${characters.slice(0, MAX_ECHO).join('')}…` : text)
}

/** `; did you mean converge?` when one of the names is near enough to be a slip, else ''. */
export function nearestHint(wrong: string, names: readonly string[]): string {
  let best = ''
  // a third of the letters may differ, at least one, and never the whole word
  let least = Math.max(1, Math.floor(wrong.length / 3)) + 1
  for (const name of names) {
    const edits = editDistance(wrong.slice(0, MAX_ECHO).toLowerCase(), name)
    if (edits < Math.min(least, name.length)) [best, least] = [name, edits]
  }
  return best === '' ? '' : `; did you mean ${best}?`
}

/** Characters of a value that an error repeats. */
const MAX_ECHO = 40

/** Levenshtein, with a swap of two neighbours as one edit. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let edits = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits = Math.min(edits, rows[i - 2]![j - 2]! + 1)
      row.push(edits)
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
