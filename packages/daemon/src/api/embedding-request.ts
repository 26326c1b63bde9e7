import { MAX_DIMENSIONS } from '@sgsd/lattice'
import { ApiError } from './api-error.ts'

/** Texts of a request, at most: what OpenAI takes. */
export const MAX_TEXTS = 2_048
/** Code points of a text, at most. */
export const MAX_TEXT_CHARACTERS = 8_192
/** Numbers of an answer, at most: 16 MB. 2,048 texts may have 2,048 dimensions, 1,024 the greatest. */
export const MAX_VALUES: number = 2 ** 22
/** Dimensions unless said. */
export const DEFAULT_DIMENSIONS = 1_024

/** A checked `POST /v1/embeddings`. */
export interface EmbeddingRequest {
  readonly model: string
  /** 1 to 2,048, none empty. */
  readonly texts: readonly string[]
  readonly format: 'float' | 'base64'
  readonly dimensions: number
  /** Code points of all texts: what usage counts. */
  readonly characters: number
}

const FIELDS = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user'])

/** Checks a body as OpenAI's API would. @throws ApiError 400 naming the field */
export function parseEmbeddingRequest(body: unknown): EmbeddingRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('the body must be a JSON object', null)
  const unknown = Object.keys(body).find((name) => !FIELDS.has(name))
  if (unknown !== undefined)
    throw new ApiError(400, 'unknown_parameter', `unrecognised request argument: ${unknown.slice(0, 64)}`, unknown.slice(0, 64))
  const { model, input, encoding_format: format = 'float', dimensions = DEFAULT_DIMENSIONS } = body as Record<string, unknown>
  if (typeof model !== 'string' || model === '') throw invalid('you must provide a model: sgs', 'model')
  if (format !== 'float' && format !== 'base64') throw invalid('encoding_format must be float or base64', 'encoding_format')
  if (typeof dimensions !== 'number' || !Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw invalid(`dimensions must be a whole number from 1 to ${MAX_DIMENSIONS}`, 'dimensions')
  }
  const texts = textsOf(input)
  if (texts.length * dimensions > MAX_VALUES) {
    throw invalid(
      `${texts.length} texts of ${dimensions} dimensions are too many at once: at most ${Math.floor(MAX_VALUES / dimensions)} texts`,
      'input',
    )
  }
  let characters = 0
  for (const [i, text] of texts.entries()) {
    const count = codePoints(text)
    if (count > MAX_TEXT_CHARACTERS) {
      throw new ApiError(400, 'context_length_exceeded', `input[${i}] has ${count} characters; at most ${MAX_TEXT_CHARACTERS} are taken`, 'input')
    }
    characters += count
  }
  return { model, texts, format, dimensions, characters }
}

function textsOf(input: unknown): readonly string[] {
  if (typeof input === 'string') return nonEmpty([input])
  if (!Array.isArray(input)) throw invalid('input must be a string or an array of strings', 'input')
  const items: readonly unknown[] = input
  if (items.length === 0 || items.length > MAX_TEXTS) throw invalid(`input must hold 1 to ${MAX_TEXTS} texts; it holds ${items.length}`, 'input')
  if (items.every((item) => typeof item === 'number' || Array.isArray(item))) {
    throw invalid('input holds tokens; this model has no tokeniser: send the texts themselves', 'input')
  }
  const other = items.findIndex((item) => typeof item !== 'string')
  if (other >= 0) throw invalid(`input[${other}] must be a string`, 'input')
  return nonEmpty(items as readonly string[])
}

function nonEmpty(texts: readonly string[]): readonly string[] {
  const empty = texts.indexOf('')
  if (empty >= 0) throw invalid(`input[${empty}] is empty`, 'input')
  return texts
}

/** Code points of a text, without making an array of them. */
export function codePoints(text: string): number {
  let pairs = 0
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) pairs++
  }
  return text.length - pairs
}

function invalid(message: string, param: string | null): ApiError {
  return new ApiError(400, 'invalid_value', message, param)
}
