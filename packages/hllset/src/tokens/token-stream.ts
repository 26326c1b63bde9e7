import { ALONE, charClass, EXTEND, isBlank, WORD } from './char-class.ts'

/**
 * How a text becomes tokens. The rules are fixed (Unicode 15.0), so a text has the same tokens on every machine; nothing is folded or normalised.
 *
 * - `words`: a run of letters, numbers and connectors with their combining marks, and with apostrophes (' and ’) between two of them: `don't`, `naïve`, `x_1`. A letter
 *   of a script without spaces between words (ideographs, Hiragana, Thai …) is a word by itself, with its marks. Everything else separates.
 * - `chars`: every code point but white space, controls and the byte order mark.
 * - `lines`: the text between line ends (LF, CR LF, CR, U+2028, U+2029), as it stands; blank lines are no tokens.
 */
export type TokenKind = 'words' | 'chars' | 'lines'

export const TOKEN_KINDS: readonly TokenKind[] = ['words', 'chars', 'lines']

/** Longest token, UTF-16 units: a longer word or line is cut into pieces of this length (less one where a surrogate pair would be torn). It bounds what is remembered. */
export const MAX_TOKEN_UNITS = 65_536

/** Cuts a text that comes in pieces into tokens. The pieces may end anywhere, also within a word or a surrogate pair: the tokens are those of the whole. */
export interface TokenStream {
  push(text: string): void
  /** What is unfinished becomes the last token. Nothing may be pushed after it. */
  end(): void
}

/** @param emit - called with each token, in the order of the text, repeated ones too */
export function tokenStream(kind: TokenKind, emit: (token: string) => void): TokenStream {
  const scan = SCANNERS[kind](emit)
  let rest = ''
  return {
    push: (text) => {
      rest = scan(rest === '' ? text : rest + text, false)
    },
    end: () => {
      rest = scan(rest, true)
    },
  }
}

/** All tokens of a text, in its order, repeated ones too. */
export function tokenise(text: string, kind: TokenKind): string[] {
  const tokens: string[] = []
  const stream = tokenStream(kind, (token) => tokens.push(token))
  stream.push(text)
  stream.end()
  return tokens
}

/**
 * Emits the finished tokens of what was left by the call before and the next piece of text.
 * @param final - nothing follows
 * @returns what must be seen again together with the next piece: an unfinished token, or half of a surrogate pair
 */
type Scan = (text: string, final: boolean) => string

const SCANNERS: Readonly<Record<TokenKind, (emit: (token: string) => void) => Scan>> = { words: scanWords, chars: scanChars, lines: scanLines }

function scanWords(emit: (token: string) => void): Scan {
  /** Class of the open token's first character, 0 when none is open; and how much of it was looked at. */
  let open = 0
  let seen = 0
  return (text, final) => {
    let start = 0
    let at = seen
    for (; at < text.length;) {
      if (isTorn(text, at) && !final) break
      const codePoint = text.codePointAt(at)!
      const size = codePoint > 0xffff ? 2 : 1
      const kind = charClass(codePoint)
      if (open !== 0) {
        let stays = kind === EXTEND || (kind === WORD && open === WORD)
        if (open === WORD && isApostrophe(codePoint)) {
          if ((at + 1 === text.length || isTorn(text, at + 1)) && !final) break
          stays = at + 1 < text.length && charClass(text.codePointAt(at + 1)!) === WORD
        }
        if (stays && at + size - start <= MAX_TOKEN_UNITS) {
          at += size
          continue
        }
        emit(text.slice(start, at))
        open = 0
      }
      if (kind === WORD || kind === ALONE) {
        open = kind
        start = at
      }
      at += size
    }
    if (open === 0) start = at
    else if (final) {
      emit(text.slice(start))
      return ''
    }
    seen = at - start
    return text.slice(start)
  }
}

function scanChars(emit: (token: string) => void): Scan {
  return (text, final) => {
    for (let at = 0; at < text.length;) {
      if (isTorn(text, at) && !final) return text.slice(at)
      const codePoint = text.codePointAt(at)!
      if (!isBlank(codePoint)) emit(codePoint > 0xffff ? text.slice(at, at + 2) : text[at]!)
      at += codePoint > 0xffff ? 2 : 1
    }
    return ''
  }
}

function scanLines(emit: (token: string) => void): Scan {
  const lineEnd = /[\n\r\u2028\u2029]/g
  /** How much of what is left was looked at. */
  let seen = 0
  return (text, final) => {
    let start = 0
    lineEnd.lastIndex = seen
    for (;;) {
      const end = lineEnd.exec(text)?.index ?? text.length
      while (end - start > MAX_TOKEN_UNITS) {
        const cut = start + MAX_TOKEN_UNITS - (isPair(text, start + MAX_TOKEN_UNITS - 1) ? 1 : 0)
        emitUnlessBlank(text.slice(start, cut))
        start = cut
      }
      if (end === text.length && !final) break
      emitUnlessBlank(text.slice(start, end))
      if (end === text.length) return ''
      start = end + 1
    }
    seen = text.length - start
    return text.slice(start)
  }

  function emitUnlessBlank(line: string): void {
    for (const character of line) if (!isBlank(character.codePointAt(0)!)) return emit(line)
  }
}

/** A high surrogate that is the text's last unit: its other half may follow. */
function isTorn(text: string, at: number): boolean {
  return at === text.length - 1 && (text.charCodeAt(at) & 0xfc00) === 0xd800
}

function isPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00
}

function isApostrophe(codePoint: number): boolean {
  return codePoint === 0x27 || codePoint === 0x2019
}
