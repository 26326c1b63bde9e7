import { type HllSet, parseSet, SetBuilder, startsLikeSet, type TokenKind, tokenStream, type TokenStream } from '@sgsd/hllset'
import type { Context } from './context.ts'
import { detached } from './detached.ts'
import { EXIT } from './exit-code.ts'
import { CliError } from './failure.ts'
import { decodePieces, inputName, readPieces } from './input-bytes.ts'

/** Bytes by which a set is told from a text, and most that a set has. */
const SNIFFED_BYTES = 4
const MAX_SET_BYTES = 16_384

/** A token set that a command was given: a set that was made before, or the set of a text's tokens. */
export interface SetInput {
  readonly name: string
  readonly set: HllSet
  /** What its text was cut into; null of a set. */
  readonly tokens: TokenKind | null
  /** Tokens of its text, repeated ones counted again; null of a set. */
  readonly occurrences: number | null
  /** Distinct tokens, where the caller wanted them. */
  readonly distinct: ReadonlySet<string> | null
}

export interface SetInputOptions {
  readonly tokens: TokenKind
  /** Seed of the hash for texts. */
  readonly seed?: number
  /** Keeps the distinct tokens. */
  readonly exact?: boolean
}

/**
 * Reads a set or makes the set of a text of any size; `-` is standard input.
 * @throws CliError FILE_UNREADABLE, SET_INVALID, TEXT_EMPTY, EXACT_NEEDS_TEXT or TEXT_TOO_LARGE, exit 2
 */
export async function readSet(context: Context, file: string, options: SetInputOptions): Promise<SetInput> {
  const { head, pieces } = await withHead(readPieces(context, file))
  return startsLikeSet(head) ? parsedSet(file, pieces, options) : textSet(context, file, pieces, options)
}

/** Seed of the set that a file holds; undefined of a text, and of standard input, which can be read only once. */
export async function seedOf(context: Context, file: string): Promise<number | undefined> {
  if (file === '-') return undefined
  const source = readPieces(context, file)
  try {
    const { head, pieces } = await withHead(source)
    return startsLikeSet(head) ? (await parsedSet(file, pieces, { tokens: 'words' })).set.seed : undefined
  } finally {
    await source.return(undefined)
  }
}

async function parsedSet(file: string, pieces: AsyncIterable<Uint8Array>, { exact }: SetInputOptions): Promise<SetInput> {
  const name = inputName(file)
  if (exact === true) throw new CliError('EXACT_NEEDS_TEXT', `${name} is a set: its tokens are not at hand, only their sketch`, EXIT.usage)
  const found: Uint8Array[] = []
  let size = 0
  for await (const piece of pieces) {
    found.push(piece)
    size += piece.length
    if (size > MAX_SET_BYTES) break
  }
  const parsed = parseSet(Buffer.concat(found))
  if (!parsed.ok) throw new CliError('SET_INVALID', `${name} begins like a set and is none: ${parsed.reason}`, EXIT.usage, 'sgsd set make --help')
  return { name, set: parsed.set, tokens: null, occurrences: null, distinct: null }
}

async function textSet(context: Context, file: string, pieces: AsyncIterable<Uint8Array>, options: SetInputOptions): Promise<SetInput> {
  const { tokens, seed = 0, exact = false } = options
  const builder = new SetBuilder(tokens, seed)
  const distinct = exact ? new DistinctTokens(file, tokens) : undefined
  for await (const text of decodePieces(context, file, pieces)) {
    builder.push(text)
    distinct?.push(text)
  }
  builder.end()
  distinct?.end()
  if (builder.tokens === 0) throw new CliError('TEXT_EMPTY', `${inputName(file)} holds no ${tokens}`, EXIT.usage)
  return { name: inputName(file), set: builder.set, tokens, occurrences: builder.tokens, distinct: distinct?.tokens ?? null }
}

/** Most distinct tokens that are kept, and most UTF-16 units of them: some 300 MB. */
const MAX_DISTINCT = 2_000_000
const MAX_DISTINCT_UNITS = 2 ** 26

/** The distinct tokens of a text, as many as memory is given for. */
class DistinctTokens implements TokenStream {
  readonly tokens = new Set<string>()
  readonly #stream: TokenStream
  #units = 0

  constructor(file: string, kind: TokenKind) {
    this.#stream = tokenStream(kind, (token) => {
      if (this.tokens.has(token)) return
      this.#units += token.length
      if (this.tokens.size === MAX_DISTINCT || this.#units > MAX_DISTINCT_UNITS)
        throw new CliError(
          'TEXT_TOO_LARGE',
          `${inputName(file)} has too many distinct ${kind} to keep them all`,
          EXIT.usage,
          'without --exact any size will do',
        )
      this.tokens.add(detached(token))
    })
  }

  push(text: string): void {
    this.#stream.push(text)
  }

  end(): void {
    this.#stream.end()
  }
}

/** The first bytes of a source, and the whole source all the same. */
async function withHead(source: AsyncGenerator<Uint8Array>): Promise<{ head: Uint8Array; pieces: AsyncIterable<Uint8Array> }> {
  let head: Uint8Array = new Uint8Array()
  while (head.length < SNIFFED_BYTES) {
    const next = await source.next()
    if (next.done === true) break
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
  }
  return { head, pieces: chain(head, source) }
}

async function* chain(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head
  yield* rest
}
