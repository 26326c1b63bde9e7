import { checkGrade, shown } from './grade.ts'
import type { Grade } from './port.ts'

/** What came of one completion. `tokens` is undefined when the server does not say. */
export type ChatVerdict = { readonly tokens: number | undefined } & (
  | { readonly ok: true; readonly grade: Grade | undefined }
  | { readonly ok: false; readonly reason: string }
)

/** More tokens than this is no usage report. */
const MAX_TOKENS = 1e9
/** Places that are tried as beginning and as end of the object in an answer; the last of each. */
const BEGINNINGS = 16
const ENDS = 4

/**
 * The grade in a chat completion: the answer may stand alone, in a code fence, behind a chain of thought, or amid prose; the last object with a
 * score counts. A model that declines (refusal, content filter) grades nothing. Total: it never throws.
 */
export function readCompletion(text: string): ChatVerdict {
  let body: Completion
  try {
    body = JSON.parse(text) as Completion
  } catch {
    return { ok: false, tokens: undefined, reason: `not JSON: ${shown(text)}` }
  }
  const tokens = tokensOf(body?.usage?.total_tokens)
  const choice = Array.isArray(body?.choices) ? body.choices[0] : undefined
  if (typeof choice?.message !== 'object' || choice.message === null) return { ok: false, tokens, reason: `no choices[0].message in ${shown(body)}` }
  const { content, refusal } = choice.message
  if (choice.finish_reason === 'content_filter' || (typeof refusal === 'string' && refusal !== '')) return { ok: true, tokens, grade: undefined }
  const said = textOf(content)
  const found = lastObject(said)
  if (found === undefined) {
    const cut = choice.finish_reason === 'length' ? 'it was cut off: raise maxAnswerTokens; ' : ''
    return { ok: false, tokens, reason: `${cut}no {"score", "revision"} in ${shown(said)}` }
  }
  const verdict = checkGrade({ score: scoreOf(found['score']), revision: trimmed(found['revision']) })
  return { ...verdict, tokens }
}

interface Completion {
  readonly choices?: unknown
  readonly usage?: { readonly total_tokens?: unknown }
}

function tokensOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_TOKENS ? (value as number) : undefined
}

/** `content` is a text, or a list of parts of which some are texts. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { readonly text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : '')).join('')
}

/** Tries few slices instead of parsing prose: each costs at most the length of the answer. */
function lastObject(text: string): Readonly<Record<string, unknown>> | undefined {
  for (const end of lastPlaces(text, '}', ENDS)) {
    for (const begin of lastPlaces(text.slice(0, end), '{', BEGINNINGS)) {
      try {
        const value = JSON.parse(text.slice(begin, end + 1)) as Record<string, unknown>
        if (Object.hasOwn(value, 'score')) return value
      } catch {
        // not this slice
      }
    }
  }
  return undefined
}

/** Indices of a character from the last one backwards. */
function lastPlaces(text: string, character: string, count: number): readonly number[] {
  const places: number[] = []
  for (let at = text.lastIndexOf(character); at >= 0 && places.length < count; at = at === 0 ? -1 : text.lastIndexOf(character, at - 1))
    places.push(at)
  return places
}

/** Models write numbers as texts at times. */
function scoreOf(value: unknown): unknown {
  return typeof value === 'string' && /^\s*[01](\.\d{1,17})?\s*$/.test(value) ? Number(value) : value
}

function trimmed(value: unknown): unknown {
  return typeof value === 'string' ? value.trim() : value
}
