import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ChunkRun } from './items.ts'
import { type ChunkSet, countChunks, missingFrom, withRun } from './runs.ts'

const GRID = 40
const run: fc.Arbitrary<ChunkRun> = fc
  .tuple(fc.nat(GRID - 1), fc.integer({ min: 1, max: GRID }))
  .map(([start, count]) => ({ start, count: Math.min(count, GRID - start) }))
const runs = fc.array(run, { maxLength: 12 })

const union = (list: readonly ChunkRun[]): ChunkSet => list.reduce<ChunkSet>(withRun, [])
const chunks = (set: ChunkSet): number[] => set.flatMap(({ start, count }) => Array.from({ length: count }, (_, i) => start + i))
const model = (list: readonly ChunkRun[]): number[] => [...new Set(chunks(list))].sort((a, b) => a - b)

test('a union of runs holds exactly their chunks, disjoint, ascending and never adjacent', () => {
  fc.assert(
    fc.property(runs, (list) => {
      const set = union(list)
      expect(chunks(set)).toEqual(model(list))
      expect(countChunks(set)).toBe(model(list).length)
      for (const [i, { start }] of set.entries()) if (i > 0) expect(start).toBeGreaterThan(set[i - 1]!.start + set[i - 1]!.count)
    }),
  )
})

test('the form of a union depends on the set of runs alone', () => {
  fc.assert(
    fc.property(runs, runs, (a, b) => {
      expect(union([...a, ...b, ...a])).toEqual(union([...b, ...a]))
    }),
  )
})

test('what is missing from a set completes it, and nothing of it is in the set', () => {
  fc.assert(
    fc.property(runs, run, (list, wanted) => {
      const set = union(list)
      const missing = missingFrom(set, wanted)
      const held = new Set(model(list))
      expect(chunks(missing)).toEqual(model([wanted]).filter((chunk) => !held.has(chunk)))
    }),
  )
})

test('an empty run adds nothing', () => {
  expect(withRun([{ start: 3, count: 2 }], { start: 9, count: 0 })).toEqual([{ start: 3, count: 2 }])
})
