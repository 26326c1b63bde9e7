import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchesOf, linesOf } from './farm-lines.ts'

test('lines of every kind of text file, without what is empty', () => {
  expect(linesOf('\uFEFF天地玄黄\r\n\r\n 宇宙洪荒 \n\t\n日月盈昃\u2028辰宿列张')).toEqual(['天地玄黄', '宇宙洪荒', '日月盈昃', '辰宿列张'])
  expect(linesOf(' \n')).toEqual([])
})

test('batches hold every line in order, and no more than they may', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 20 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 40 }),
      (lines, most, room) => {
        const batches = batchesOf(lines, most, room)
        expect(batches.flat()).toEqual(lines)
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0)
          expect(batch.length).toBeLessThanOrEqual(most)
          if (batch.length > 1) expect(batch.join('').length).toBeLessThanOrEqual(room)
        }
      },
    ),
  )
})
