import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { setOf } from '../hll-set.ts'
import { equalSets } from '../registers.ts'
import { ALONE, charClass, EXTEND, isBlank, WORD } from './char-class.ts'
import { SetBuilder } from './set-builder.ts'
import { MAX_TOKEN_UNITS, TOKEN_KINDS, type TokenKind, tokenise, tokenStream } from './token-stream.ts'

/** One or more characters of every class, what joins words, line ends, astral characters of each class, and halves of surrogate pairs. */
const unit = fc.constantFrom(
  ...[
    'a',
    'Z',
    'é',
    'e\u0301',
    '7',
    '_',
    "'",
    '’',
    '-',
    '.',
    ' ',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '\u2028',
    '\u00a0',
    '\ufeff',
    '\u0000',
    '人',
    '工',
    'の',
    'ส',
    'ั',
  ],
  ...['カ', '한', 'ा', 'न', '\u200d', '😀', '𠀀', '𝐀', '𑀓', '\ud83d', '\ude00'],
)
const texts = fc.array(unit, { maxLength: 60 }).map((units) => units.join(''))
const kinds = fc.constantFrom(...TOKEN_KINDS)

describe('words', () => {
  test.each([
    ["Don't stop: l’été", ["Don't", 'stop', 'l’été']],
    ["'quoted' rock 'n' roll", ['quoted', 'rock', 'n', 'roll']],
    ["a'' b'c'", ['a', "b'c"]],
    ['x_1 = 3.14', ['x_1', '3', '14']],
    ['人工智能', ['人', '工', '智', '能']],
    ['東京タワーへ行く', ['東', '京', 'タワー', 'へ', '行', 'く']],
    ['한국어 문장', ['한국어', '문장']],
    ['สวัสดี', ['ส', 'วั', 'ส', 'ดี']],
    ['नमस्ते दुनिया', ['नमस्ते', 'दुनिया']],
    ['می\u200cخواهم', ['می\u200cخواهم']],
    ['naïve nai\u0308ve', ['naïve', 'nai\u0308ve']],
    ['𠀀𠀁 𝐀𝐁', ['𠀀', '𠀁', '𝐀𝐁']],
    ['\u0301 \u200d ! 😀', []],
    ['The the', ['The', 'the']],
    ['', []],
  ])('%j', (text, words) => {
    expect(tokenise(text, 'words')).toEqual(words)
  })

  test('are those of the rule as a regular expression over the classes', () => {
    fc.assert(
      fc.property(texts, (text) => {
        // one letter per code point: w word, a alone, e extend, q apostrophe, o other
        const letters = Array.from(text, (character) => ("’'".includes(character) ? 'q' : 'owae'[charClass(character.codePointAt(0)!)]!))
        const characters = Array.from(text)
        const expected = Array.from(letters.join('').matchAll(/w(?:[we]|q(?=w))*|ae*/g), ({ 0: match, index }) =>
          characters.slice(index, index + match.length).join(''),
        )
        expect(tokenise(text, 'words')).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })
})

test('chars are the code points that are not blank', () => {
  expect(tokenise('天 地\n玄\u3000黃\ufeff\u0007 a😀!', 'chars')).toEqual(['天', '地', '玄', '黃', 'a', '😀', '!'])
  for (let codePoint = 0; codePoint < 0x11_0000; codePoint++) {
    const blank = /[\p{White_Space}\p{Cc}\ufeff]/u.test(String.fromCodePoint(codePoint))
    if (isBlank(codePoint) !== blank) expect.fail(`U+${codePoint.toString(16)}`)
  }
})

test('lines are what stands between line ends, but for blank ones', () => {
  expect(tokenise('天地玄黃\r\n\r\n  宇宙 \n\t\n日月\r辰宿\u2028列張', 'lines')).toEqual(['天地玄黃', '  宇宙 ', '日月', '辰宿', '列張'])
})

describe('every kind', () => {
  test('gives the same tokens however the text is cut into pieces', () => {
    fc.assert(
      fc.property(kinds, texts, fc.array(fc.nat({ max: 5 }), { maxLength: 60 }), (kind, text, lengths) => {
        expect(inPieces(text, kind, lengths)).toEqual(tokenise(text, kind))
      }),
      { numRuns: 1_000 },
    )
  })

  test('leaves nothing out but separators', () => {
    fc.assert(
      fc.property(kinds, texts, (kind, text) => {
        const kept = tokenise(text, kind).join('')
        const counts = (character: string): boolean =>
          kind === 'words' ? [WORD, ALONE].includes(charClass(character.codePointAt(0)!)) : !isBlank(character.codePointAt(0)!)
        expect(Array.from(kept).filter(counts)).toEqual(Array.from(text).filter(counts))
      }),
    )
  })

  test.each(TOKEN_KINDS)('%s: the set of a text in pieces is that of its tokens', (kind) => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 5 })), fc.constantFrom(0, 7_202_985), (text, lengths, seed) => {
        const builder = new SetBuilder(kind, seed)
        cut(text, lengths).forEach((piece) => builder.push(piece))
        builder.end()
        expect(equalSets(builder.set, setOf(tokenise(text, kind), seed))).toBe(true)
        expect(builder.tokens).toBe(tokenise(text, kind).length)
      }),
    )
  })
})

describe('a token that is too long', () => {
  test.each([
    ['words', 'a'.repeat(2 * MAX_TOKEN_UNITS + 5), [MAX_TOKEN_UNITS, MAX_TOKEN_UNITS, 5]],
    ['lines', '人'.repeat(2 * MAX_TOKEN_UNITS), [MAX_TOKEN_UNITS, MAX_TOKEN_UNITS]],
    ['words', `x${'𝐀'.repeat(MAX_TOKEN_UNITS / 2)}`, [MAX_TOKEN_UNITS - 1, 2]],
    ['lines', `x${'😀'.repeat(MAX_TOKEN_UNITS / 2)}`, [MAX_TOKEN_UNITS - 1, 2]],
    ['words', `${'a'.repeat(MAX_TOKEN_UNITS)}'b`, [MAX_TOKEN_UNITS, 1]],
  ] as const)('is cut: %s', (kind, text, lengths) => {
    const tokens = tokenise(text, kind)
    expect(tokens.map(({ length }) => length)).toEqual(lengths)
    for (const size of [1_000, 65_535, 65_536, 65_537])
      expect(
        inPieces(
          text,
          kind,
          Array.from({ length: 200 }, () => size),
        ),
      ).toEqual(tokens)
    const builder = new SetBuilder(kind)
    builder.push(text)
    builder.end()
    expect(equalSets(builder.set, setOf(tokens))).toBe(true)
  })

  test('of a megabyte in pieces of a character does not take long', () => {
    for (const kind of TOKEN_KINDS) {
      const builder = new SetBuilder(kind)
      for (let i = 0; i < 70_000; i++) builder.push('a')
      builder.end()
      expect(builder.tokens).toBe(kind === 'chars' ? 70_000 : 2)
    }
  })
})

test('the class of a mark is to extend, and joiners are marks here', () => {
  expect(['\u0301', '\u200c', '\u200d', 'ั'].map((mark) => charClass(mark.codePointAt(0)!))).toEqual([EXTEND, EXTEND, EXTEND, EXTEND])
})

function inPieces(text: string, kind: TokenKind, lengths: readonly number[]): string[] {
  const tokens: string[] = []
  const stream = tokenStream(kind, (token) => tokens.push(token))
  for (const piece of cut(text, lengths)) stream.push(piece)
  stream.end()
  return tokens
}

/** Pieces of these lengths, and the rest. */
function cut(text: string, lengths: readonly number[]): string[] {
  let at = 0
  const pieces = lengths.map((length) => text.slice(at, (at += length)))
  return [...pieces, text.slice(at)]
}
