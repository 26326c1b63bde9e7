import { isBlank, type TokenKind, type TokenStream, tokenStream } from '@sgsd/hllset'
import { detached } from './detached.ts'
import { EXIT } from './exit-code.ts'
import { CliError } from './failure.ts'

/** What a set is made of: each line of a text, or each document, which a blank line ends. */
export type SetUnit = 'lines' | 'documents'

/** Most sets, tokens of all of them, distinct tokens and their UTF-16 units, and tokens of one set: some 3 GB at worst, and no more than a join takes. */
export const MAX_TEXT_SETS: number = 2 ** 20
export const MAX_TEXT_IDS: number = 2 ** 25
export const MAX_TEXT_TOKENS: number = 2 ** 22
export const MAX_TEXT_UNITS: number = 2 ** 27
export const MAX_TOKENS_OF_SET = 65_535

/** UTF-16 units of a set's text that are kept to show it. */
const SHOWN_UNITS = 120

/** One set of a text. */
export interface TextSet {
  /** Number of its first line, from 1. */
  readonly line: number
  /** How it begins. */
  readonly text: string
}

/** The sets of a text, compressed by rows: one for each unit that has a token. */
export interface TextSets {
  readonly sets: readonly TextSet[]
  readonly ptr: Uint32Array
  /** Numbers of tokens, each once a set. */
  readonly ids: Uint32Array
  /** Distinct tokens of the text. */
  readonly tokens: number
}

/** Collects the token sets of a text that comes in pieces, which may end anywhere. */
export class TextSetCollector {
  readonly #unit: SetUnit
  readonly #numbers = new Map<string, number>()
  /** UTF-16 units of the tokens. */
  #units = 0
  /** Set in which each token was seen last, plus 1. */
  readonly #seen: number[] = []
  readonly #sets: TextSet[] = []
  readonly #ends: number[] = []
  #ids = new Uint32Array(1_024)
  #count = 0
  /** The line at hand: its number, whether it has anything, and whether the piece before ended in CR. */
  #line = 1
  #blank = true
  #afterReturn = false
  /** A line end ends its token, so all sets come out of one stream. */
  readonly #stream: TokenStream
  /** The set at hand: where it began, 0 before its first line; how it begins. */
  #began = 0
  #shown = ''

  constructor(kind: TokenKind, unit: SetUnit) {
    this.#stream = tokenStream(kind, (token) => this.#token(token))
    this.#unit = unit
  }

  /** @throws CliError TEXT_TOO_LARGE, exit 2 */
  push(text: string): void {
    const lineEnd = /\r\n|[\n\r\u2028\u2029]/g
    let start = this.#afterReturn && text.startsWith('\n') ? 1 : 0
    if (text !== '') this.#afterReturn = false
    for (let end = nextEnd(lineEnd, text, start); end !== undefined; end = nextEnd(lineEnd, text, start)) {
      this.#part(text.slice(start, end.at))
      this.#endLine()
      start = end.next
    }
    this.#part(text.slice(start))
    if (text !== '') this.#afterReturn = text.endsWith('\r')
  }

  /** @throws CliError TEXT_TOO_LARGE, exit 2 */
  end(): TextSets {
    this.#stream.end()
    this.#endSet()
    const ptr = new Uint32Array(this.#ends.length + 1)
    ptr.set(this.#ends, 1)
    return { sets: this.#sets, ptr, ids: this.#ids.slice(0, this.#count), tokens: this.#numbers.size }
  }

  /** Some of a line. */
  #part(text: string): void {
    if (text === '') return
    if (this.#began === 0) this.#began = this.#line
    this.#blank &&= isAllBlank(text)
    if (this.#shown.length < SHOWN_UNITS) this.#shown += (this.#shown === '' ? text.trimStart() : text).slice(0, SHOWN_UNITS - this.#shown.length)
    this.#stream.push(text)
  }

  #endLine(): void {
    this.#stream.push('\n')
    if (this.#unit === 'lines' || this.#blank) this.#endSet()
    else if (this.#shown.length < SHOWN_UNITS) this.#shown += ' '
    this.#line++
    this.#blank = true
  }

  #endSet(): void {
    const [line, text] = [this.#began, this.#shown]
    this.#began = 0
    this.#shown = ''
    if (this.#count === (this.#ends.at(-1) ?? 0)) return
    if (this.#sets.length === MAX_TEXT_SETS) throw tooLarge(`it has more than ${MAX_TEXT_SETS} sets`)
    this.#sets.push({ line, text: detached(text.trim()) })
    this.#ends.push(this.#count)
  }

  #token(token: string): void {
    let number = this.#numbers.get(token)
    if (number === undefined) {
      number = this.#numbers.size
      if (number === MAX_TEXT_TOKENS) throw tooLarge(`it has more than ${MAX_TEXT_TOKENS} distinct tokens`)
      this.#units += token.length
      if (this.#units > MAX_TEXT_UNITS) throw tooLarge(`its distinct tokens have more than ${MAX_TEXT_UNITS} characters`)
      this.#numbers.set(detached(token), number)
      this.#seen.push(0)
    }
    if (this.#seen[number] === this.#sets.length + 1) return
    this.#seen[number] = this.#sets.length + 1
    if (this.#count === MAX_TEXT_IDS) throw tooLarge(`its sets have more than ${MAX_TEXT_IDS} tokens`)
    if (this.#count - (this.#ends.at(-1) ?? 0) === MAX_TOKENS_OF_SET)
      throw tooLarge(`the set that begins at line ${this.#began} has more than ${MAX_TOKENS_OF_SET} distinct tokens`)
    if (this.#count === this.#ids.length) {
      const grown = new Uint32Array(this.#ids.length * 2)
      grown.set(this.#ids)
      this.#ids = grown
    }
    this.#ids[this.#count++] = number
  }
}

function nextEnd(lineEnd: RegExp, text: string, from: number): { readonly at: number; readonly next: number } | undefined {
  lineEnd.lastIndex = from
  const found = lineEnd.exec(text)
  return found === null ? undefined : { at: found.index, next: lineEnd.lastIndex }
}

function isAllBlank(text: string): boolean {
  for (const character of text) if (!isBlank(character.codePointAt(0)!)) return false
  return true
}

function tooLarge(why: string): CliError {
  return new CliError('TEXT_TOO_LARGE', `the text is too large to compare: ${why}`, EXIT.usage)
}
