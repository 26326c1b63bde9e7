import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { displayWidth, pad, plainText, truncate } from './display-width.ts'

const text = fc.string({ unit: fc.constantFrom('a', 'Z', ' ', '人', '界', 'é', 'ｗ', '…', '\u0301', '😀', '█') })

describe('display width', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['人工', 4],
    ['a人b', 4],
    ['e\u0301', 1],
    ['😀', 2],
    ['█·', 2],
    ['\u001B[31m人\u001B[39m', 2],
    ['𠀀', 2],
    ['Ａ', 2],
  ])('%j takes %i columns', (given, width) => {
    expect(displayWidth(given)).toBe(width)
  })

  test('is additive over concatenation', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(displayWidth(a + b)).toBe(displayWidth(a) + displayWidth(b))
      }),
    )
  })

  test('a cut text fits and is a beginning of the whole', () => {
    fc.assert(
      fc.property(text, fc.nat(30), (whole, width) => {
        const cut = truncate(whole, width)
        expect(displayWidth(cut)).toBeLessThanOrEqual(width)
        expect(cut === whole || cut === '' || whole.startsWith(cut.slice(0, -1))).toBe(true)
        expect(cut === whole).toBe(displayWidth(whole) <= width)
      }),
    )
  })

  test('a wide character that does not fit is left out, not halved', () => {
    expect(truncate('人工智能', 4)).toBe('人…')
    expect(truncate('人工智能', 5)).toBe('人工…')
  })

  test('padding reaches the width and never cuts', () => {
    fc.assert(
      fc.property(text, fc.nat(40), (given, width) => {
        expect(displayWidth(pad(given, width))).toBe(Math.max(width, displayWidth(given)))
      }),
    )
    expect(pad('人', 4, 'right')).toBe('  人')
  })

  test('foreign text cannot move the cursor or change colours', () => {
    expect(plainText('a\u001B[2Jb\u001B]0;title\u0007c\r\n\u009Bd')).not.toMatch(/\p{Cc}/u)
    expect(plainText('\u001B[31mred\u001B[0m')).toBe('red')
  })
})
