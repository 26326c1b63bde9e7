import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkGrade, excerpt, MAX_REVISION_LENGTH, shown } from './grade.ts'

test('what is taken is a score in [0, 1] and a well-formed revision of bounded length, whatever comes', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withObjectString: true }), (value) => {
      const verdict = checkGrade(value)
      if (!verdict.ok) expect(verdict.reason.length).toBeLessThan(250)
      else if (verdict.grade !== undefined) {
        const { score, revision } = verdict.grade
        expect(score >= 0 && score <= 1).toBe(true)
        expect(revision === undefined || (revision !== '' && revision.isWellFormed() && revision.length <= MAX_REVISION_LENGTH)).toBe(true)
      }
    }),
  )
})

test('every good grade is taken as it is', () => {
  const grade = fc.record({ score: fc.double({ min: 0, max: 1, noNaN: true }), revision: fc.string({ unit: 'grapheme', minLength: 1 }) })
  fc.assert(
    fc.property(grade, (good) => {
      expect(checkGrade({ ...good, why: 'because' })).toEqual({ ok: true, grade: { ...good } })
    }),
  )
  expect(checkGrade(null)).toEqual({ ok: true, grade: undefined })
})

test('what is shown of a foreign text is short, one line, and has no control characters', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 2_000 }), fc.json()), fc.integer({ min: 1, max: 300 }), (text, length) => {
      for (const said of [excerpt(text, length), shown(text, length)]) {
        expect(said.length).toBeLessThanOrEqual(length + 1)
        expect(said).not.toMatch(/[\p{Cc}\p{Cf}]/u)
        expect(said.isWellFormed() || !text.isWellFormed()).toBe(true)
      }
    }),
  )
})
