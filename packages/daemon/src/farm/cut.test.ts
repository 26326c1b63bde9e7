import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkedLines, cutAt, endsLine, SEGMENT_BYTES } from './cut.ts'
import { linesOf } from './lines.ts'

const PLACE = { name: 'x.txt', offset: 0, line: 0, joins: false }
const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
const line = fc.string({ unit: fc.constantFrom('天', '地', 'a', ' ', '\u{20000}'), maxLength: 12 })

describe('lines', () => {
  test('of every kind of text file, empty ones included', () => {
    expect(linesOf('\uFEFF天地玄黄\r\n\r\n 宇宙洪荒 \n\t\n日月盈昃\u2028辰宿列张')).toEqual(['天地玄黄', '', '宇宙洪荒', '', '日月盈昃', '辰宿列张'])
    expect(linesOf('')).toEqual([])
    expect(linesOf('\n')).toEqual([''])
    expect(linesOf('\n地', true)).toEqual(['地'])
    expect(linesOf('\r\n\n地', true)).toEqual(['', '地'])
  })

  test('wherever a text is cut behind a line end, its parts have its lines', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(line, lineEnd), { maxLength: 20 }), fc.nat(), (parts, place) => {
        const ended = parts.map(([text, end]) => text + end)
        // a lone \r before an empty line that ends in \n would be one line end
        fc.pre(!ended.join('').includes('\r\n') || !ended.some((part, i) => part.endsWith('\r') && ended[i + 1]?.startsWith('\n') === true))
        const cut = parts.length === 0 ? 0 : place % parts.length
        const [head, tail] = [ended.slice(0, cut).join(''), ended.slice(cut).join('')]
        expect([...linesOf(head), ...linesOf(tail)]).toEqual(linesOf(head + tail))
      }),
    )
  })
})

describe('cutting', () => {
  const filler = (bytes: number): Buffer => Buffer.alloc(bytes, 'a')

  test('is behind the last line end that fits', () => {
    expect(cutAt(Buffer.from('a\nb\nc'))).toBe(4)
    expect(cutAt(Buffer.from('a\rb'))).toBe(2)
    expect(cutAt(Buffer.from('ab'))).toBe(0)
    expect(cutAt(Buffer.concat([filler(SEGMENT_BYTES - 1), Buffer.from('\nb')]))).toBe(SEGMENT_BYTES)
    expect(cutAt(Buffer.concat([filler(SEGMENT_BYTES), Buffer.from('\nb')]))).toBe(0)
  })

  test('never parts \\r from \\n', () => {
    expect(cutAt(Buffer.concat([filler(SEGMENT_BYTES - 1), Buffer.from('\r\nb')]))).toBe(SEGMENT_BYTES + 1)
  })

  test('ends of lines', () => {
    expect(['a\n', 'a\r', 'a', ''].map((text) => endsLine(Buffer.from(text)))).toEqual([true, true, false, false])
  })
})

describe('what is no text of lines is refused with its place', () => {
  test.each<[string, Buffer, number, number]>([
    ['GB18030', Buffer.from([0xc4, 0xe3, 0x0a]), 0, 1],
    ['UTF-16', Buffer.from('\uFEFF天\n', 'utf16le'), 0, 1],
    ['a byte in the third line', Buffer.concat([Buffer.from('天\n\n地'), Buffer.from([0xff]), Buffer.from('玄\n')]), 8, 3],
    ['a character cut short by the end', Buffer.concat([Buffer.from('天\n地玄\n'), Buffer.from([0xe7, 0x8e])]), 11, 3],
    ['half a surrogate pair', Buffer.from([0x61, 0x0a, 0x61, 0xed, 0xa0, 0x80]), 3, 2],
  ])('%s', (_, bytes, byte, number) => {
    expect(() => checkedLines(bytes, { ...PLACE, offset: 1_000, line: 50 })).toThrow(
      expect.objectContaining({
        code: 'TEXT_NOT_UTF8',
        message: `x.txt is not UTF-8: at byte offset ${1_000 + byte}, in line ${50 + number}`,
        hint: expect.stringMatching(/^iconv -f (UTF-16|GB18030) -t UTF-8/),
      }),
    )
  })

  test('a line of more than 64 KiB', () => {
    expect(() => checkedLines(Buffer.from(`天\n${'地'.repeat(21_846)}\n`), PLACE)).toThrow(
      expect.objectContaining({ code: 'TEXT_LINE_TOO_LONG', message: 'line 2 of x.txt is longer than 64 KiB' }),
    )
    expect(checkedLines(Buffer.from('地'.repeat(21_845)), PLACE)).toHaveLength(1)
  })
})
