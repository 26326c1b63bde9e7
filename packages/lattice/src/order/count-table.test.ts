import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CountTable } from './count-table.ts'

const keys = fc.array(
  fc.oneof(
    fc.nat({ max: 20 }),
    fc.maxSafeNat(),
    fc.nat({ max: 50 }).map((high) => high * 2 ** 32),
  ),
  { maxLength: 300 },
)

test('counts as a map does, whatever the keys', () => {
  fc.assert(
    fc.property(keys, (list) => {
      const [table, map] = [new CountTable(1_000), new Map<number, number>()]
      for (const key of list) {
        map.set(key, (map.get(key) ?? 0) + 1)
        expect(table.add(key)).toBe(map.get(key))
      }
      expect(table.size).toBe(map.size)
      for (const [key, count] of map) expect(table.get(key)).toBe(count)
      expect(table.get(12_345_678_901)).toBe(map.get(12_345_678_901) ?? 0)
    }),
  )
})

test('grows past its first slots without losing any', () => {
  const table = new CountTable(100_000)
  for (let key = 0; key < 50_000; key++) table.add(key * 65_537)
  expect(table.size).toBe(50_000)
  for (let key = 0; key < 50_000; key++) if (table.get(key * 65_537) !== 1) expect.fail(`lost ${key}`)
})

test('never holds more than its limit, and forgets the rarest first', () => {
  const table = new CountTable(100)
  for (let round = 0; round < 50; round++) {
    for (let frequent = 0; frequent < 20; frequent++) table.add(frequent)
    for (let rare = 0; rare < 30; rare++) table.add(1_000 + round * 30 + rare)
    expect(table.size).toBeLessThanOrEqual(100)
  }
  for (let frequent = 0; frequent < 20; frequent++) expect(table.get(frequent)).toBe(50)
})

test('gets by when nothing is rare', () => {
  const table = new CountTable(10)
  for (let round = 0; round < 9; round++) for (let key = 0; key < 10; key++) table.add(key)
  table.add(10)
  expect(table.size).toBeLessThanOrEqual(10)
})
