import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cover, coverState } from './cover.ts'
import type { HanziKernel } from './hanzi-kernel.ts'
import { nextLineScore } from './next-line.ts'
import { nearest } from './top.ts'

/** Rows 0 … 5; 囀 is a hanzi without a definition. */
const CHARACTERS = ['天', '地', '玄', '黄', '宇', '宙', '囀']
const kernel: HanziKernel = {
  id: '0'.repeat(64),
  definedCount: 6,
  codePoints: Uint32Array.from(CHARACTERS, (character) => character.codePointAt(0)!),
  radicals: new Uint8Array(7).fill(1),
  strokes: new Uint8Array(7).fill(1),
  rowOf: (character) => (CHARACTERS.includes(character) ? CHARACTERS.indexOf(character) : undefined),
  characterAt: (row) => CHARACTERS[row]!,
  definitionOf: () => '',
  readingOf: () => '',
  tokensOf: () => [],
}

describe('a cover', () => {
  test('has each known character once, in the order of the text', () => {
    expect(cover(kernel, '宇宙，天天 宇!')).toEqual({ rows: Uint32Array.of(4, 5, 0), known: ['宇', '宙', '天'], unknown: [] })
  })

  test('names letters and hanzi that it does not know, not punctuation, digits or space', () => {
    expect(cover(kernel, 'a囀 b。7天a\n😀か')).toEqual({ rows: Uint32Array.of(0), known: ['天'], unknown: ['a', '囀', 'b', 'か'] })
  })

  test('of an empty text is empty', () => {
    expect(cover(kernel, '')).toEqual({ rows: new Uint32Array(0), known: [], unknown: [] })
  })

  test('is 1 in the state that starts from it', () => {
    expect([...coverState(kernel, Uint32Array.of(4, 0))]).toEqual([1, 0, 0, 0, 1, 0])
  })
})

describe('the nearest rows', () => {
  test('are the greatest entries, as sorting finds them', () => {
    const values = fc.array(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), { maxLength: 40 })
    fc.assert(
      fc.property(values, fc.uniqueArray(fc.nat({ max: 40 })), fc.nat({ max: 12 }), (values, exclude, k) => {
        const expected = values
          .map((value, row) => ({ row, value }))
          .filter(({ row, value }) => value > 0 && !exclude.includes(row))
          .sort((a, b) => b.value - a.value || a.row - b.row)
          .slice(0, k)
        expect(nearest(Float32Array.from(values), exclude, k)).toEqual(expected)
      }),
    )
  })
})

describe('the next-line score', () => {
  const s = Float32Array.of(0.9, 0.8, 0.7, 0.1, 0, 0.2)

  test('is 1 when the greatest entries are the characters of the line', () => {
    expect(nextLineScore(s, kernel, '地天', 2)).toEqual({ recall: 1, bleu: 1, score: 1 })
  })

  test('counts recall among k guesses, and BLEU-1 among as many guesses as the line has characters', () => {
    // guesses: 天 地 玄 宙 黄; the line has 玄 宙 宇
    expect(nextLineScore(s, kernel, '玄宙宇', 4)).toEqual({ recall: 2 / 3, bleu: 1 / 3, score: 0.5 })
  })

  test('leaves out the characters that the line starts from', () => {
    expect(nextLineScore(s, kernel, '玄宙', 1, [0, 1])).toEqual({ recall: 0.5, bleu: 1, score: 0.75 })
    expect(nextLineScore(s, kernel, '天', 1, [0])).toBeUndefined()
  })

  test('does not exist for a line without a known character', () => {
    expect(nextLineScore(s, kernel, '囀 abc', 4)).toBeUndefined()
  })

  test('lies in [0, 1]', () => {
    const lines = fc.array(fc.constantFrom(...CHARACTERS, 'x'), { maxLength: 8 }).map((list) => list.join(''))
    const states = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(lines, states, fc.integer({ min: 1, max: 8 }), (line, values, k) => {
        const result = nextLineScore(Float32Array.from(values), kernel, line, k)
        if (result !== undefined) for (const value of Object.values(result)) expect(value >= 0 && value <= 1).toBe(true)
      }),
    )
  })
})
