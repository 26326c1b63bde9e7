import { utf8ToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeBody, type Plain } from './msgpack.ts'
import { MAX_LINEAGE_BYTES, MAX_LINEAGE_SPANS, MAX_LINEAGE_TEXTS } from './limits.ts'
import { encodeLineage, type LineageSpan, parseLineage } from './lineage.ts'
import { MAX_TEXT_NAME_BYTES, textName } from './text-name.ts'

const line = fc.nat({ max: 2 ** 40 })
const span: fc.Arbitrary<LineageSpan> = fc
  .record({
    text: fc.string({ unit: 'binary', maxLength: 90 }).map(textName),
    segment: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    lines: fc.tuple(line, line, fc.integer({ min: 1, max: 1_000 })),
  })
  .map(({ text, segment, lines: [a, b, count] }) => ({ text, segment, first: Math.min(a, b), from: Math.max(a, b), to: Math.max(a, b) + count }))

const framed = (value: Plain): Uint8Array => Buffer.concat([Buffer.from('SGSO'), encodeBody(value)])
const SEGMENT = new Uint8Array(32).fill(7)
const NAME = utf8ToBytes('千字文')

describe('lineage (docs/protocol.md §8.6)', () => {
  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 30 }), (lineage) => {
        expect(parseLineage(encodeLineage(lineage))).toEqual({ type: 'accept', value: lineage })
      }),
    )
  })

  test('the largest one fits', () => {
    const names = Array.from({ length: MAX_LINEAGE_TEXTS }, (_, i) => `${i}`.padStart(MAX_TEXT_NAME_BYTES, 'x'))
    const far = Number.MAX_SAFE_INTEGER
    const lineage = Array.from({ length: MAX_LINEAGE_SPANS }, (_, i) => {
      return { text: names[i % names.length]!, segment: 'ff'.repeat(32), first: far - 2, from: far - 1, to: far }
    })
    const bytes = encodeLineage(lineage)
    expect(bytes.length).toBeLessThanOrEqual(MAX_LINEAGE_BYTES)
    expect(parseLineage(bytes)).toEqual({ type: 'accept', value: lineage })
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /SGSO/],
    ['another kind of block', Buffer.from('SGSS'), /SGSO/],
    ['no body', Buffer.from('SGSO'), /middle/],
    ['a later version', framed([2, [], []]), /version/],
    ['a name without a span', framed([1, [NAME], []]), /without a span/],
    ['a span without a name', framed([1, [], [[0, SEGMENT, 0, 0, 1]]]), /out of turn/],
    [
      'names out of turn',
      framed([
        1,
        [NAME, utf8ToBytes('b')],
        [
          [1, SEGMENT, 0, 0, 1],
          [0, SEGMENT, 0, 0, 1],
        ],
      ]),
      /out of turn/,
    ],
    [
      'one name twice',
      framed([
        1,
        [NAME, NAME],
        [
          [0, SEGMENT, 0, 0, 1],
          [1, SEGMENT, 0, 0, 1],
        ],
      ]),
      /twice/,
    ],
    ['a name of no bytes', framed([1, [new Uint8Array()], [[0, SEGMENT, 0, 0, 1]]]), /1 to 200 bytes/],
    ['a name that is no UTF-8', framed([1, [Uint8Array.of(0xe5, 0x8d)], [[0, SEGMENT, 0, 0, 1]]]), /UTF-8/],
    ['a surrogate in a name', framed([1, [Uint8Array.of(0xed, 0xa0, 0x80)], [[0, SEGMENT, 0, 0, 1]]]), /UTF-8/],
    ['an escape in a name', framed([1, [utf8ToBytes('\u001B[31m')], [[0, SEGMENT, 0, 0, 1]]]), /UTF-8/],
    ['text that runs backwards in a name', framed([1, [utf8ToBytes('a\u202Etxt.exe')], [[0, SEGMENT, 0, 0, 1]]]), /UTF-8/],
    ['no lines', framed([1, [NAME], [[0, SEGMENT, 0, 3, 3]]]), /lines 3 to 3/],
    ['lines before the segment', framed([1, [NAME], [[0, SEGMENT, 4, 3, 5]]]), /from 4/],
    ['bytes behind it', Buffer.concat([encodeLineage([]), Buffer.from([0])]), /behind/],
  ])('%s is refused', (_name, bytes, reason) => {
    expect(parseLineage(bytes)).toEqual({ type: 'reject', reason: expect.stringMatching(reason) })
  })
})

describe('names of texts', () => {
  test('whatever a file is called, its name fits, and a name that fits stays', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: fc.constantFrom('詩', '\u202E', 'a', '\uD800'), maxLength: 300 })),
        (raw) => {
          const name = textName(raw)
          expect(parseLineage(encodeLineage([{ text: name, segment: '00'.repeat(32), first: 0, from: 0, to: 1 }])).type).toBe('accept')
          expect(textName(name)).toBe(name)
        },
      ),
    )
  })

  test('a long name keeps its end', () => {
    expect(textName(`${'詩'.repeat(100)}/春晓.txt`)).toMatch(/詩\/春晓\.txt$/)
    expect(textName(' \n')).toBe('text')
    expect(textName('a\nb')).toBe('a_b')
  })
})
