import type { Grade, HostItem } from './port.ts'

/** Longest revision, UTF-16 units: the longest line of any text we know of is a tenth of it. */
export const MAX_REVISION_LENGTH = 8_192
/** Bytes of JSON that one grade may take: a revision with every unit escaped (6 bytes each), and room for what else a host adds. */
export const MAX_GRADE_BYTES = 65_536

/** A grade, or what is wrong with it: a phrase that goes behind "the grade has". */
export type GradeVerdict = { readonly ok: true; readonly grade: Grade | undefined } | { readonly ok: false; readonly reason: string }

/**
 * Checks one grade from outside: `null` (not graded), or an object with `score` in [0, 1] and perhaps `revision`. Other fields are ignored;
 * a revision that is `null` or empty is none. Total: it never throws.
 */
export function checkGrade(value: unknown): GradeVerdict {
  if (value === null) return { ok: true, grade: undefined }
  if (typeof value !== 'object' || Array.isArray(value)) return bad(`a grade is {"score", "revision"?} or null, not ${shown(value)}`)
  const { score, revision = null } = value as { readonly score?: unknown; readonly revision?: unknown }
  if (typeof score !== 'number' || !(score >= 0 && score <= 1)) return bad(`a score is a number from 0 to 1, not ${shown(score)}`)
  if (revision === null || revision === '') return { ok: true, grade: { score } }
  if (typeof revision !== 'string') return bad(`a revision is a text, not ${shown(revision)}`)
  if (revision.length > MAX_REVISION_LENGTH) return bad(`a revision of ${revision.length} characters; ${MAX_REVISION_LENGTH} at most`)
  if (!revision.isWellFormed()) return bad('a revision with half a surrogate pair in it')
  return { ok: true, grade: { score, revision } }
}

/** An item as every host gets it, in JSON: `next` is null behind the last line. */
export interface ItemDocument {
  readonly line: string
  readonly next: string | null
  readonly nearest: HostItem['nearest']
  readonly layer: string
}

export function itemDocument(item: HostItem): ItemDocument {
  return { line: item.line, next: item.next ?? null, nearest: item.nearest, layer: item.layer }
}

/** What came instead, short enough for a message and without control characters. */
export function shown(value: unknown, length = 80): string {
  // JSON has no infinity (1e999) and nothing for undefined.
  const text =
    typeof value === 'number' || value === undefined ? String(value) : JSON.stringify(typeof value === 'string' ? value.slice(0, length * 2) : value)
  return excerpt(text, length)
}

/** The beginning of a foreign text on one line. */
export function excerpt(text: string, length = 200): string {
  const line = text
    .slice(0, length * 4)
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  return line.length <= length ? line : `${line.slice(0, length).toWellFormed()}…`
}

function bad(reason: string): GradeVerdict {
  return { ok: false, reason }
}
