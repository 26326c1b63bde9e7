import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changeOf, exactChange } from './change.ts'
import { setOf } from './hll-set.ts'
import { equalSets, union } from './registers.ts'
import { tokenise } from './tokens/token-stream.ts'

const tokens = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '人', '工'), maxLength: 3 }), { maxLength: 40 })

test('retained, deleted and new are disjoint, and make up the sets before and after', () => {
  fc.assert(
    fc.property(tokens, tokens, (before, after) => {
      const change = exactChange(before, after)
      const all = [...change.retained, ...change.deleted, ...change.new]
      expect(new Set(all).size).toBe(all.length)
      expect(new Set([...change.retained, ...change.deleted])).toEqual(new Set(before))
      expect(new Set([...change.retained, ...change.new])).toEqual(new Set(after))
      expect(equalSets(union(setOf(change.retained), setOf(change.new)), setOf(after))).toBe(true)
      const back = exactChange(after, before)
      expect([new Set(back.retained), back.deleted, back.new]).toEqual([new Set(change.retained), change.new, change.deleted])
    }),
  )
})

test('sketches give the sizes: the Thousand Character Classic without its end and with another', () => {
  const before = tokenise('天地玄黃宇宙洪荒日月盈昃', 'chars')
  const after = tokenise('天地玄黃宇宙洪荒春秋', 'chars')
  expect(exactChange(before, after)).toEqual({
    retained: ['天', '地', '玄', '黃', '宇', '宙', '洪', '荒'],
    deleted: ['日', '月', '盈', '昃'],
    new: ['春', '秋'],
  })
  const { retained, deleted, new: added } = changeOf(setOf(before), setOf(after))
  expect([retained, deleted, added].map(({ value }) => Math.round(value))).toEqual([8, 4, 2])
  for (const { error } of [retained, deleted, added]) expect(error).toBeLessThan(0.3)
})

test('nothing changes between a set and itself', () => {
  const set = setOf(['a', 'b', 'c'])
  const { deleted, new: added } = changeOf(set, set)
  expect([deleted.value, added.value]).toEqual([0, 0])
})
