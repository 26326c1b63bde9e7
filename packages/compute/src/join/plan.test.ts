import fc from 'fast-check'
import { expect, test } from 'vitest'
import { idSetsOf } from './id-sets.ts'
import { neededShares, planJoin } from './plan.ts'
import { syntheticSets } from './synthetic.fixture.ts'

const gate = { tau: 0.35, rho: 0.5, top: 10 }

test('what is needed is the whole gate', () => {
  const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 3, noNaN: true }), (sizes, tau, rho) => {
      const plan = planJoin(idSetsOf(sizes.map((size) => Array.from({ length: size }, (_, id) => id))), gate)
      plan.sizes.forEach((a, at) => {
        const need = neededShares(plan, at, { tau, rho, top: 1 })
        plan.sizes.forEach((b, other) => {
          for (let shared = 1; shared <= Math.min(a, b); shared++) {
            const passes = shared / b >= tau && (a - shared) / b <= rho
            expect(need[other]! > 0 && shared >= need[other]!).toBe(passes)
          }
        })
      })
    }),
  )
})

test('rows lie by size, ids by how many sets hold them, and the index is the sets turned round', () => {
  const plan = planJoin(idSetsOf([[9, 5, 5, 2], [], [5], [2, 5], [8]]), gate)
  expect([...plan.rowOf]).toEqual([1, 2, 4, 3, 0])
  expect([[...plan.sizes], [...plan.starts]]).toEqual([
    [1, 2, 3],
    [1, 3, 4, 5],
  ])
  // 5 is in three sets, 2 in two, 9 and 8 in one
  expect([[...plan.ptr], [...plan.tokens]]).toEqual([
    [0, 0, 1, 2, 4, 7],
    [0, 3, 0, 1, 0, 1, 2],
  ])
  expect([[...plan.postPtr], [...plan.posts]]).toEqual([
    [0, 3, 5, 6, 7],
    [1, 3, 4, 3, 4, 4, 2],
  ])
})

test('every id that is skipped leaves one to walk that a passing pair must share', () => {
  const plan = planJoin(syntheticSets({ sets: 2_000, vocabulary: 3_000, exponent: 1, sizes: [1, 40], kin: 0.1, seed: 3 }), gate)
  let skipped = 0
  plan.sizes.forEach((_, at) => {
    const least = Math.min(...neededShares(plan, at, gate).filter((shared) => shared > 0))
    for (let position = plan.starts[at]!; position < plan.starts[at + 1]!; position++) {
      expect(plan.skips[position]).toBeLessThan(least)
      skipped += plan.skips[position]!
    }
  })
  expect(skipped).toBeGreaterThan(2_000)
})

test('ids may be any u32, and more than the table begins with', () => {
  const ids = Array.from({ length: 5_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0)
  const plan = planJoin(idSetsOf([ids, ids, [0xffff_ffff, 0]]), gate)
  expect(plan.ranks).toBe(5_001)
  expect(plan.ptr).toEqual(Uint32Array.of(0, 2, 5_002, 10_002))
})
