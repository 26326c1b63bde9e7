import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MeshId } from './ids.ts'
import { MESH_ID, peer } from './mesh.fixture.ts'
import { largestRemainder, partition, type RatedMember } from './partition.ts'
import { weightsOf } from './weights.ts'

const rate = fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }))
const members: fc.Arbitrary<readonly RatedMember[]> = fc
  .uniqueArray(fc.nat(1_000_000), { minLength: 1, maxLength: 200, size: 'max' })
  .chain((ids) => fc.tuple(...ids.map((id) => rate.map((value) => ({ peer: peer(`peer-${id}`), rate: value })))))
const chunks = fc.oneof(fc.nat(500), fc.nat(1 << 24))
const epoch = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })

describe('partition (docs/protocol.md §6.3)', () => {
  test('is contiguous, disjoint and complete for 1 to 200 members', () => {
    fc.assert(
      fc.property(epoch, members, chunks, (epoch, members, chunks) => {
        const runs = [...partition(MESH_ID, epoch, members, chunks).values()]
        let next = 0
        for (const { start, count } of runs) {
          expect(start).toBe(next)
          expect(count).toBeGreaterThanOrEqual(0)
          next += count
        }
        expect(next).toBe(chunks)
        expect(runs).toHaveLength(members.length)
      }),
    )
  })

  test('every size is within one chunk of its weight', () => {
    fc.assert(
      fc.property(epoch, members, chunks, (epoch, members, chunks) => {
        const ranges = partition(MESH_ID, epoch, members, chunks)
        const weights = weightsOf(members.map(({ rate }) => rate))
        const sum = weights.reduce((a, b) => a + b, 0n)
        for (const [i, { peer }] of members.entries()) {
          const exact = BigInt(chunks) * weights[i]!
          const given = BigInt(ranges.get(peer)!.count) * sum
          expect(given > exact - sum && given < exact + sum).toBe(true)
        }
      }),
    )
  })

  test('depends on the set of members alone, not on the order of a list', () => {
    fc.assert(
      fc.property(epoch, members, chunks, fc.infiniteStream(fc.nat()), (epoch, members, chunks, keys) => {
        const shuffled = members.map((member) => ({ member, key: keys.next().value! })).sort((a, b) => a.key - b.key)
        const again = shuffled.map(({ member }) => member)
        expect(partition(MESH_ID, epoch, again, chunks)).toEqual(partition(MESH_ID, epoch, members, chunks))
      }),
    )
  })

  test('another epoch, or another mesh, deals the places anew', () => {
    const eight = Array.from({ length: 8 }, (_, i) => ({ peer: peer(`peer-${i}`), rate: 1n }))
    const order = (mesh: MeshId, epoch: bigint): string => [...partition(mesh, epoch, eight, 8).keys()].join(' ')
    expect(order(MESH_ID, 1n)).not.toBe(order(MESH_ID, 0n))
    expect(order('cd'.repeat(32) as MeshId, 0n)).not.toBe(order(MESH_ID, 0n))
  })

  test('the law can fail: dealing by rounded shares leaves chunks to nobody', () => {
    const weights = [1n, 1n, 1n]
    const rounded = weights.map((weight) => Math.round(Number((10n * weight) / 3n)))
    expect(rounded.reduce((a, b) => a + b, 0)).not.toBe(10)
    expect(largestRemainder(weights, 10)).toEqual([4, 3, 3])
  })
})

describe('weights', () => {
  test('nobody counts for more than 8 × the median', () => {
    expect(weightsOf([10n, 10n, 10n, 1_000_000n])).toEqual([10n, 10n, 10n, 80n])
    fc.assert(
      fc.property(fc.array(rate, { minLength: 1, maxLength: 60 }), (rates) => {
        const known = rates.filter((value) => value > 0n).sort((a, b) => (a < b ? -1 : 1))
        const median = known[(known.length - 1) >> 1] ?? 1n
        for (const weight of weightsOf(rates)) expect(weight >= 1n && weight <= 8n * median).toBe(true)
      }),
    )
  })

  test('an unknown rate counts as the median of the known ones, or as 1', () => {
    expect(weightsOf([0n, 4n, 6n, 100n])).toEqual([6n, 4n, 6n, 48n])
    expect(weightsOf([0n, -5n])).toEqual([1n, 1n])
    expect(weightsOf([])).toEqual([])
  })
})
