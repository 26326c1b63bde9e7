import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countLines } from './count-lines.ts'
import { EvidenceCounts, type EvidenceSnapshot, MAX_EVIDENCE_TOTAL, MAX_PAIR_COUNT } from './counts.ts'
import { documents, letterKernel, rowsOf, textOf } from './evidence.fixture.ts'
import { sumEvidence } from './sum.ts'

const N = 7
const kernel = letterKernel(N)
const observation = fc.tuple(fc.nat(N - 1), fc.nat(N - 1), fc.integer({ min: 1, max: 2_000 }))
const observations = fc.array(observation, { maxLength: 60 })

function counted(list: readonly (readonly [number, number, number])[], from?: EvidenceSnapshot): EvidenceSnapshot {
  const counts = new EvidenceCounts(N, from)
  for (const [row, column, weight] of list) counts.add(row, column, weight)
  return counts.snapshot()
}

/** Row · N + column → count. */
function asMap({ ptr, cols, counts }: Pick<EvidenceSnapshot, 'ptr' | 'cols'> & { readonly counts: Uint32Array | Float64Array }): Map<number, number> {
  const map = new Map<number, number>()
  for (let row = 0; row < ptr.length - 1; row++) {
    for (let e = ptr[row]!; e < ptr[row + 1]!; e++) {
      if (e > ptr[row]!) expect(cols[e]).toBeGreaterThan(cols[e - 1]!)
      map.set(row * N + cols[e]!, counts[e]!)
    }
  }
  return map
}

describe('counts', () => {
  test('are the sums of what was added, whatever the order and wherever somebody looked', () => {
    fc.assert(
      fc.property(observations, observations, (one, two) => {
        const expected = new Map<number, number>()
        for (const [row, column, weight] of [...one, ...two]) expected.set(row * N + column, (expected.get(row * N + column) ?? 0) + weight)
        const at = counted([...one, ...two])
        expect(asMap(at)).toEqual(new Map([...expected].sort(([a], [b]) => a - b)))
        expect(at.total).toBe([...expected.values()].reduce((a, b) => a + b, 0))
        expect(counted(two, counted(one))).toEqual(at)
        expect(counted([...two, ...one])).toEqual(at)
      }),
    )
  })

  test('a snapshot never changes, and is the same object while nothing was added', () => {
    const counts = new EvidenceCounts(N)
    counts.add(1, 2)
    const before = counts.snapshot()
    expect(counts.snapshot()).toBe(before)
    counts.add(1, 2, 7)
    expect([...before.counts]).toEqual([256])
    expect([...counts.snapshot().counts]).toEqual([263])
  })

  test('stay sorted and whole through many merges', () => {
    const order = 600
    const counts = new EvidenceCounts(order)
    const expected = new Map<number, number>()
    let seed = 1
    const next = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return (seed >>> 8) % below
    }
    for (let i = 0; i < 400_000; i++) {
      const [row, column] = [next(order), next(order)]
      counts.add(row, column, 1)
      expected.set(row * order + column, (expected.get(row * order + column) ?? 0) + 1)
    }
    const { ptr, cols, counts: values, total } = counts.snapshot()
    expect(total).toBe(400_000)
    expect(cols).toHaveLength(expected.size)
    let wrong = 0
    for (let row = 0; row < order; row++) {
      for (let e = ptr[row]!; e < ptr[row + 1]!; e++) {
        if (expected.get(row * order + cols[e]!) !== values[e] || (e > ptr[row]! && cols[e]! <= cols[e - 1]!)) wrong++
      }
    }
    expect(wrong).toBe(0)
  })

  test('a pair stops at 2^32 − 1, a member at 2^41', () => {
    const counts = new EvidenceCounts(N)
    for (let i = 0; i < 3; i++) counts.add(0, 0, MAX_PAIR_COUNT)
    expect(counts.snapshot()).toMatchObject({ counts: Uint32Array.of(MAX_PAIR_COUNT), total: MAX_PAIR_COUNT })
    for (let i = 0; i < 100; i++) for (let u = 0; u < N; u++) for (let v = 0; v < N; v++) counts.add(v, u, MAX_PAIR_COUNT)
    expect(counts.snapshot().total).toBeLessThanOrEqual(MAX_EVIDENCE_TOTAL)
  })

  test('of a lattice too large for a u32 key are refused', () => {
    expect(() => new EvidenceCounts(65_536)).toThrow(RangeError)
    expect(() => new EvidenceCounts(3, new EvidenceCounts(4).snapshot())).toThrow(RangeError)
  })
})

describe('sums', () => {
  test('of members on disjoint documents are the counts of one on all, in every order and grouping', () => {
    fc.assert(
      fc.property(documents(N), fc.infiniteStream(fc.nat(2)), (poems, deal) => {
        const hands: (readonly string[])[][] = [[], [], []]
        for (const poem of poems) hands[deal.next().value!]!.push(poem)
        const all = new EvidenceCounts(N)
        countLines(all, kernel, textOf(poems))
        const parts = hands.map((hand) => {
          const counts = new EvidenceCounts(N)
          countLines(counts, kernel, textOf(hand))
          return rowsOf(counts.snapshot())
        })
        const one = sumEvidence(N, [rowsOf(all.snapshot())])
        expect(sumEvidence(N, parts)).toEqual(one)
        expect(sumEvidence(N, parts.toReversed())).toEqual(one)
      }),
    )
  })

  test('are exact where u32 would overflow', () => {
    const part = rowsOf(counted([[0, 1, MAX_PAIR_COUNT]]))
    expect([...sumEvidence(N, [part, part, part]).counts]).toEqual([3 * MAX_PAIR_COUNT])
  })

  test('of rows or columns outside the lattice are a bug of the caller', () => {
    const part = rowsOf(counted([[6, 5, 1]]))
    expect(() => sumEvidence(6, [part])).toThrow(RangeError)
    expect(() => sumEvidence(N, [{ ...part, cols: Uint32Array.of(N) }])).toThrow(RangeError)
  })
})
