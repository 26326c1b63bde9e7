import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineReader } from './line-reader.ts'

test('however the bytes are cut, the lines are the same', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, ''))
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(30)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''))
      const reader = new LineReader(4_096)
      const read: string[] = []
      let from = 0
      for (const cut of [...cuts, bytes.length]) {
        read.push(...reader.push(bytes.subarray(from, from + cut)))
        from = Math.min(bytes.length, from + cut)
      }
      expect(read).toEqual(lines)
    }),
  )
})

test('a line at the limit is read, one byte more is refused, whole or in pieces', () => {
  expect(new LineReader(4).push(Buffer.from('abcd\nab\r\n'))).toEqual(['abcd', 'ab'])
  expect(() => new LineReader(4).push(Buffer.from('abcde'))).toThrow(RangeError)
  const reader = new LineReader(4)
  for (const piece of ['a', 'b', 'c', 'd']) reader.push(Buffer.from(piece))
  expect(() => reader.push(Buffer.from('e'))).toThrow('a line of more than 4 bytes')
})
