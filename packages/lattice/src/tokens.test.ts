import { expect, test } from 'vitest'
import { STOP_WORDS, tokensOf } from './tokens.ts'

test('a number of strokes is not the word for it', () => {
  expect(tokensOf(1, 4, 'four; 4')).toEqual(['d:4', 'd:four', 'rad:1', 'str:4'])
})

test('words are lower-cased and distinct; stop words, single letters and references to characters are left out', () => {
  expect(tokensOf(85, 6, '(same as U+4E18 丘) Large RIVER; the Yangzi, a large river (J)')).toEqual([
    'd:large',
    'd:river',
    'd:yangzi',
    'rad:85',
    'str:6',
  ])
})

test('a possessive is the word itself, other apostrophes stay', () => {
  expect(tokensOf(1, 1, "a man's name; o'clock; one's")).toEqual(['d:man', "d:o'clock", 'rad:1', 'str:1'])
})

test('letters with marks belong to a word', () => {
  expect(tokensOf(1, 1, 'Kāngxī; entrée')).toEqual(['d:entrée', 'd:kāngxī', 'rad:1', 'str:1'])
})

test('without a definition radical and strokes are left', () => {
  expect(tokensOf(214, 17, '')).toEqual(['rad:214', 'str:17'])
})

test('stop words are single lower-case words', () => {
  for (const word of STOP_WORDS) expect(word).toMatch(/^[a-z.']+$/)
})
