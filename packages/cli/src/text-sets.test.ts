import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_TOKENS_OF_SET, type SetUnit, type TextSets, TextSetCollector } from './text-sets.ts'

function collect(pieces: readonly string[], kind: 'words' | 'chars' | 'lines', unit: SetUnit): TextSets {
  const collector = new TextSetCollector(kind, unit)
  for (const piece of pieces) collector.push(piece)
  return collector.end()
}

/** The ids of each set. */
function idsOf({ ptr, ids, sets }: TextSets): number[][] {
  return sets.map((_, at) => [...ids.subarray(ptr[at], ptr[at + 1])])
}

describe('lines', () => {
  test('are sets of their tokens, each once; lines without any are none', () => {
    const sets = collect(['b a b\n\n  ,;\nc a\r\nd'], 'words', 'lines')
    expect(idsOf(sets)).toEqual([[0, 1], [2, 1], [3]])
    expect(sets.sets).toEqual([
      { line: 1, text: 'b a b' },
      { line: 4, text: 'c a' },
      { line: 5, text: 'd' },
    ])
    expect(sets.tokens).toBe(4)
  })
})

describe('documents', () => {
  test('end at a blank line, and are shown with their lines in a row', () => {
    const sets = collect(['\n\none\ntwo\n \t\nthree\r\none\r\n\r\n\r\nfour'], 'lines', 'documents')
    expect(idsOf(sets)).toEqual([[0, 1], [2, 0], [3]])
    expect(sets.sets).toEqual([
      { line: 3, text: 'one two' },
      { line: 6, text: 'three one' },
      { line: 10, text: 'four' },
    ])
  })
})

test('the sets are the same however the text is cut into pieces', () => {
  const units = fc.array(fc.constantFrom('a', 'b', ' ', '人', '\n', '\r', '\r\n', '\u2028', '\t'), { maxLength: 40 })
  const kinds = fc.constantFrom('words', 'chars', 'lines')
  fc.assert(
    fc.property(units, kinds, fc.constantFrom<SetUnit[]>('lines', 'documents'), fc.nat(6), (units, kind, unit, length) => {
      const text = units.join('')
      const pieces = Array.from({ length: Math.ceil(text.length / (length + 1)) }, (_, at) => text.slice(at * (length + 1), (at + 1) * (length + 1)))
      expect(collect(pieces, kind, unit)).toEqual(collect([text], kind, unit))
    }),
    { numRuns: 500 },
  )
})

test('what is shown of a long line is its beginning', () => {
  const { sets } = collect(['   ', 'x'.repeat(100), ' y '.repeat(1_000)], 'words', 'lines')
  expect(sets[0]!.text).toMatch(/^x{100}( y )+/)
  expect(sets[0]!.text.length).toBeLessThanOrEqual(120)
})

test('a set with too many tokens is refused, by its line', () => {
  const words = Array.from({ length: MAX_TOKENS_OF_SET }, (_, at) => `w${at}`).join(' ')
  expect(collect([words], 'words', 'lines').ids).toHaveLength(MAX_TOKENS_OF_SET)
  expect(() => collect(['a\n\n', words, ' more'], 'words', 'lines')).toThrow(/the set that begins at line 3 has more than 65535 distinct tokens/)
})
