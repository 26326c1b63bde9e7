import { expect, test } from 'vitest'
import { displayWidth } from '../text/display-width.ts'
import { styleOf } from '../text/style.ts'
import { similarView } from './similar.ts'

const plain = styleOf(0)
const texts = Array.from({ length: 12 }, (_, i) => `${'春江花月夜'.repeat(8)}${i}`)
const cosines = texts.map((_, i) => texts.map((__, j) => (i === j ? 1 : (i * j) / 200)))
const document = (count: number): Parameters<typeof similarView>[0] => ({
  schema: 'sgsd.similar/1',
  model: `sgs:${'ab'.repeat(32)}`,
  texts: texts.slice(0, count),
  cosines: cosines.slice(0, count).map((row) => row.slice(0, count)),
})

test('two texts are one figure, a few a table, many the pairs with the nearest first', () => {
  expect(similarView(document(2), 80, plain)[0]).toBe('0.000')
  const few = similarView(document(4), 100, plain)
  expect(few[0]).toMatch(/TEXT .*1 +2 +3 +4$/)
  expect(few[4]).toMatch(/^4 .* 0\.000 +0\.015 +0\.030 +1\.000$/)
  const many = similarView(document(12), 100, plain)
  expect(many).toHaveLength(1 + 66 + 2)
  expect(many[1]).toMatch(/^ *0\.550 /)
  expect(many[66]).toMatch(/^ *0\.000 /)
})

test.each([100, 70])('every line fits %i columns', (width) => {
  for (const count of [2, 5, 8, 12]) {
    for (const line of similarView(document(count), width, plain)) expect(displayWidth(line), line).toBeLessThanOrEqual(width)
  }
})

test('escape sequences of a text do not reach the terminal', () => {
  expect(similarView({ ...document(3), texts: ['a\u001B[2Jb', 'c', 'd'] }, 80, plain).join('')).not.toMatch(/\p{Cc}/u)
})
