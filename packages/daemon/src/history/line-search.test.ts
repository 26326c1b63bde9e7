import type { BlockId } from '@sgsd/consensus'
import { expect, test } from 'vitest'
import { LineSearch } from './line-search.ts'

const TEXT = ['床前明月光', '疑是地上霜', '舉頭望明月', '低頭思故鄉', '', '月落烏啼霜滿天', '江楓漁火對愁眠', '遠火', '近水', '夜半鐘聲到客船', '明']
const SEGMENT = 'ab'.repeat(32)
const search = new LineSearch({
  ledger: {
    segmentsOf: (digest) =>
      digest === SEGMENT
        ? [{ segment: { digest, block: 'cd'.repeat(32) as BlockId, bytes: 1, first: 100, lines: TEXT.length, ended: true }, joins: false }]
        : digest === '00'
          ? [{ segment: { digest, block: '', bytes: 1, first: 0, lines: 1, ended: true }, joins: false }]
          : [],
  },
  segments: { get: async () => Buffer.from(`${TEXT.join('\n')}\n`) },
})
const span = { text: 'tang.txt', segment: SEGMENT, first: 100, from: 100, to: 100 + TEXT.length }

test('finds lines up to four behind one with the other character, in the same document', async () => {
  expect(await search.pairs(span, '霜', '月', 9)).toEqual([
    { text: 'tang.txt', line: 102, content: '疑是地上霜', before: { line: 101, content: '床前明月光' } },
    { text: 'tang.txt', line: 106, content: '月落烏啼霜滿天', before: null },
  ])
  expect(await search.pairs(span, '船', '月', 9)).toMatchObject([{ line: 110, before: { line: 106 } }])
  // five lines on, and across an empty line, nothing is counted
  expect(await search.pairs(span, '明', '月', 9)).toMatchObject([{ line: 101 }, { line: 103, before: { line: 101 } }])
  expect(await search.pairs(span, '落', '鄉', 9)).toEqual([])
})

test('keeps to the lines that were learned, with the successor of the last, and to as many as are wanted', async () => {
  expect(await search.pairs({ ...span, from: 102, to: 103 }, '霜', '月', 9)).toEqual([])
  expect(await search.pairs({ ...span, from: 100, to: 101 }, '霜', '月', 9)).toMatchObject([{ line: 102 }])
  expect(await search.pairs(span, '霜', '月', 1)).toHaveLength(1)
})

test('texts of others, and those that are not kept, give no line', async () => {
  expect(await search.pairs({ ...span, segment: 'ff' }, '霜', '月', 9)).toEqual([])
  expect(await search.pairs({ ...span, segment: '00' }, '霜', '月', 9)).toEqual([])
  expect([search.has(SEGMENT), search.has('00'), search.has('ff')]).toEqual([true, false, false])
})
