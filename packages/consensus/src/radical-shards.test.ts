import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { peer } from './mesh.fixture.ts'
import { assignRadicals, LOAD_BOUND, minusLog, replication, type ShardMember } from './radical-shards.ts'
import { weightsOf } from './weights.ts'

/** Rows of radicals 0 … 214 in the lattice of the shipped hanzi kernel. */
const ROWS: readonly number[] = [
  0, 56, 15, 10, 33, 43, 11, 21, 32, 587, 39, 13, 30, 25, 25, 64, 22, 13, 209, 92, 24, 10, 25, 12, 30, 15, 26, 63, 24, 39, 975, 71, 397, 19, 6, 12,
  20, 80, 400, 52, 144, 27, 25, 33, 80, 7, 341, 11, 17, 12, 151, 10, 12, 141, 13, 15, 11, 74, 18, 26, 81, 621, 61, 25, 824, 8, 122, 15, 18, 25, 42, 4,
  268, 21, 40, 894, 99, 24, 84, 40, 9, 8, 69, 5, 34, 953, 383, 13, 9, 5, 10, 26, 4, 105, 232, 8, 286, 22, 94, 10, 9, 9, 99, 8, 311, 5, 42, 32, 66,
  301, 14, 19, 317, 131, 7, 230, 115, 47, 439, 159, 688, 41, 77, 70, 78, 14, 9, 40, 83, 9, 423, 11, 7, 7, 26, 20, 7, 96, 5, 12, 888, 44, 431, 18, 26,
  285, 16, 98, 52, 628, 15, 29, 43, 37, 232, 13, 105, 316, 44, 283, 19, 8, 229, 176, 156, 6, 9, 841, 7, 193, 178, 4, 61, 121, 12, 7, 19, 143, 56, 13,
  19, 244, 99, 5, 279, 8, 15, 317, 75, 8, 101, 12, 3, 11, 40, 443, 428, 18, 39, 57, 9, 15, 18, 58, 4, 20, 8, 15, 22, 21, 10, 88, 19, 14, 8,
]
const TOTAL = ROWS.reduce((a, b) => a + b, 0)

const crew = (count: number, label: string, speed: (i: number) => bigint = () => 1_000n): ShardMember[] =>
  Array.from({ length: count }, (_, i) => ({ peer: peer(`${label}-${i}`), speed: speed(i) }))

const rowsOf = (radicals: readonly number[]): number => radicals.reduce((sum, radical) => sum + ROWS[radical]!, 0)

const crews = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.string({ maxLength: 8 }), fc.array(fc.bigInt({ min: 0n, max: 10_000n }), { minLength: 1, maxLength: 5 }))
  .map(([count, label, speeds]) => crew(count, label, (i) => speeds[i % speeds.length]!))

describe('radical shards (docs/protocol.md §8.1)', () => {
  test('every radical with rows goes to r members, one or from five members on three', () => {
    fc.assert(
      fc.property(crews, (members) => {
        const times = new Map<number, number>()
        for (const radicals of assignRadicals(members, ROWS).values())
          for (const radical of radicals) times.set(radical, (times.get(radical) ?? 0) + 1)
        expect(times.size).toBe(214)
        expect(new Set(times.values())).toEqual(new Set([members.length < 5 ? 1 : 3]))
      }),
      { numRuns: 40 },
    )
    expect([1, 4, 5, 34].map((members) => replication(members, 'mean/1'))).toEqual([1, 1, 3, 3])
    for (const foldId of ['trimmed/1', 'median/1'] as const)
      expect([1, 2, 3, 34].map((members) => replication(members, foldId))).toEqual([1, 1, 3, 3])
  })

  test('where counts are summed, a radical has one owner however many members there are', () => {
    const members = crew(7, 'summed')
    const owned = [...assignRadicals(members, ROWS, 'evidence/1').values()].flat()
    expect(owned.sort((a, b) => a - b)).toEqual(ROWS.flatMap((rows, radical) => (radical > 0 && rows > 0 ? [radical] : [])))
    expect([...assignRadicals(members, ROWS).values()].flat()).toHaveLength(3 * owned.length)
  })

  test('nobody holding its bounded share takes another radical, as long as enough others have room', () => {
    fc.assert(
      fc.property(crews, (members) => {
        const weights = weightsOf(members.map(({ speed }) => speed)).map(Number)
        const sum = weights.reduce((a, b) => a + b, 0)
        const shards = assignRadicals(members, ROWS)
        const copies = replication(members.length, 'mean/1')
        // Radicals are dealt heaviest first, so a member's last radical is its lightest.
        const room = members.filter(({ peer }, i) => rowsOf(shards.get(peer)!) < (LOAD_BOUND * copies * TOTAL * weights[i]!) / sum)
        for (const [i, { peer }] of members.entries()) {
          const held = shards.get(peer)!
          const lightest = Math.min(...held.map((radical) => ROWS[radical]!))
          if (held.length > 0 && room.length >= copies)
            expect(rowsOf(held) - lightest).toBeLessThan((LOAD_BOUND * copies * TOTAL * weights[i]!) / sum)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('is a function of the set of members', () => {
    fc.assert(
      fc.property(crews, (members) => {
        expect(assignRadicals([...members].reverse(), ROWS)).toEqual(assignRadicals(members, ROWS))
      }),
      { numRuns: 40 },
    )
  })

  test('on average one more member of N moves at most 1.3 / (N + 1) of the rows, up to 16 members', () => {
    for (const count of [1, 2, 3, 5, 8, 12, 16]) {
      const trials = 24
      let moved = 0
      for (let trial = 0; trial < trials; trial++) moved += movedBy(crew(count + 1, `trial-${trial}`), assignRadicals)
      expect((moved / trials) * (count + 1), `${count} members`).toBeLessThanOrEqual(1.3)
    }
  })

  test('the measure can fail: dealing radicals by turns moves nearly all', () => {
    const byTurns: typeof assignRadicals = (members) =>
      new Map(members.map(({ peer }, i) => [peer, ROWS.flatMap((rows, radical) => (rows > 0 && radical % members.length === i ? [radical] : []))]))
    expect(movedBy(crew(4, 'turns'), byTurns) * 4).toBeGreaterThan(2)
  })

  test('shares follow the measured speeds, clamped to 8 × the median', () => {
    let fast = 0
    for (let trial = 0; trial < 40; trial++)
      fast += rowsOf(
        assignRadicals(
          crew(3, `speed-${trial}`, (i) => (i === 0 ? 2_000n : 1_000n)),
          ROWS,
        ).get(peer(`speed-${trial}-0`))!,
      )
    expect(fast / 40 / TOTAL).toBeGreaterThan(0.42)
    expect(fast / 40 / TOTAL).toBeLessThan(0.58)
  })

  test('radicals without rows go to nobody, and no member means no shards', () => {
    expect(assignRadicals(crew(2, 'x'), [9, 0, 5, 0])).toEqual(
      new Map([
        [peer('x-0'), expect.any(Array)],
        [peer('x-1'), expect.any(Array)],
      ]),
    )
    expect([...assignRadicals(crew(2, 'x'), [9, 0, 5, 0]).values()].flat()).toEqual([2])
    expect(assignRadicals([], ROWS).size).toBe(0)
  })
})

test('the logarithm without Math.log is the logarithm, to the last bits', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (hash) => {
      const exact = -Math.log((Number(hash >> 12n) + 0.5) / 2 ** 52)
      expect(Math.abs(minusLog(hash) - exact)).toBeLessThanOrEqual(4e-15 * Math.max(1, exact))
    }),
  )
  expect(minusLog(0n)).toBeGreaterThan(36)
  expect(minusLog((1n << 64n) - 1n)).toBeGreaterThan(0)
})

/** Rows that change hands when the last member comes, as a share of all rows held. */
function movedBy(members: readonly ShardMember[], assign: typeof assignRadicals): number {
  const before = assign(members.slice(0, -1), ROWS)
  const after = assign(members, ROWS)
  let moved = 0
  for (const [peer, radicals] of after) {
    const had = new Set(before.get(peer))
    moved += rowsOf(radicals.filter((radical) => !had.has(radical)))
  }
  return moved / (TOTAL * replication(members.length, 'mean/1'))
}
