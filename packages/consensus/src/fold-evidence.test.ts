import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { EvidenceCounts, type EvidenceSnapshot } from '@sgsd/lattice'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkEvidence } from './check-evidence.ts'
import { countsOfBlocks, type EvidenceBlock, evidenceBlocks } from './evidence-block.ts'
import { baseOf } from './fold.fixture.ts'
import { fold } from './fold-rules.ts'
import { foldBytes, type Folded, type FoldMember } from './fold.ts'
import type { LayerId } from './ids.ts'
import { digestOf, peer } from './mesh.fixture.ts'

const N = 9
/** Three radicals of three rows. */
const RADICALS = Uint8Array.of(1, 1, 2, 2, 3, 3, 1, 2, 3)
const base = baseOf(N, new Map([[2, new Map([[0, 0.25]])]]), new Map([[3, new Map([[8, 0.75]])]]))

/** What somebody saw: a character of a next line, one of the line, how often. */
type Observation = readonly [row: number, column: number, times: number]

const observations: fc.Arbitrary<readonly Observation[]> = fc.array(
  fc.tuple(fc.nat(N - 1), fc.nat(N - 1), fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 1 << 20 }))),
  { maxLength: 40 },
)

function counted(list: readonly Observation[]): EvidenceSnapshot {
  const counts = new EvidenceCounts(N)
  for (const [row, column, times] of list) counts.add(row, column, times)
  return counts.snapshot()
}

function memberOf(name: string, list: readonly Observation[], changes: Partial<FoldMember<EvidenceBlock>> = {}): FoldMember<EvidenceBlock> {
  return {
    peer: peer(name),
    seq: 1n,
    layer: digestOf(name) as LayerId,
    weight: 1,
    blocks: evidenceBlocks(counted(list), RADICALS),
    state: new Float32Array(N),
    ...changes,
  }
}

function folded(members: readonly FoldMember<EvidenceBlock>[]): Folded {
  return fold('evidence/1', base, new Float32Array(N), members)
}

function digest(members: readonly FoldMember<EvidenceBlock>[]): string {
  const hash = sha256.create()
  for (const part of foldBytes(folded(members))) hash.update(part)
  return bytesToHex(hash.digest())
}

describe('fold evidence/1 (docs/protocol.md §9.7)', () => {
  test('members that counted parts fold to the bytes of one that counted all, however the parts are dealt', () => {
    fc.assert(
      fc.property(observations, fc.infiniteStream(fc.nat(3)), (list, deal) => {
        const hands: Observation[][] = [[], [], [], []]
        for (const observation of list) hands[deal.next().value!]!.push(observation)
        const many = hands.map((hand, i) => memberOf('abcd'.charAt(i), hand))
        expect(digest(many)).toBe(digest([memberOf('z', list)]))
        expect(folded(many)).toEqual(folded([memberOf('z', list)]))
      }),
    )
  })

  test('is equal, byte for byte, under any order and duplication of heads, and whatever their weights and states are', () => {
    fc.assert(
      fc.property(fc.array(observations, { maxLength: 4 }), fc.infiniteStream(fc.nat()), (lists, keys) => {
        const members = lists.map((list, i) => memberOf('abcd'.charAt(i), list))
        const twice = [
          ...members,
          ...members.map((member) => ({ ...member, weight: 0.1 * member.blocks.length, state: new Float32Array(N).fill(1) })),
        ]
        const shuffled = twice.map((item) => ({ item, key: keys.next().value! })).sort((x, y) => x.key - y.key)
        expect(digest(shuffled.map(({ item }) => item))).toBe(digest(members))
      }),
    )
  })

  test('the newest head of a member counts, so that what it counted before is not counted twice', () => {
    const before: Observation[] = [
      [0, 1, 256],
      [1, 2, 256],
    ]
    const now: Observation[] = [...before, [0, 2, 512]]
    const both = [memberOf('a', now, { seq: 2n }), memberOf('a', before, { seq: 1n })]
    expect(digest(both)).toBe(digest([memberOf('a', now)]))
    expect(digest(both)).not.toBe(digest([memberOf('a', before), memberOf('b', now)]))
  })

  test('without members, and where nobody has counted: the base', () => {
    expect(folded([])).toEqual({ matrices: base, state: new Float32Array(N), rows: 0, nnz: 2 })
    const { matrices, rows, state } = folded([memberOf('a', [[4, 1, 256]])])
    expect(rows).toBe(1)
    expect([...matrices.tau.cols.subarray(matrices.tau.ptr[2], matrices.tau.ptr[3])]).toEqual([0])
    expect([...state].map((value) => value > 0)).toEqual([false, true, false, false, true, false, false, false, false])
  })

  test('rows may have as many edges as the lattice has columns', () => {
    const wide = 300
    const counts = new EvidenceCounts(wide)
    for (let u = 0; u < wide; u++) for (let v = 0; v < 3; v++) counts.add(v, u, 256 * (1 + ((u + v) % 3)))
    const blocks = evidenceBlocks(counts.snapshot(), new Uint8Array(wide).fill(1))
    const { nnz } = fold('evidence/1', baseOf(wide, new Map(), new Map()), new Float32Array(wide), [memberOf('a', [], { blocks })])
    expect(nnz).toBeGreaterThan(3 * 64)
  })
})

describe('blocks of counts', () => {
  test('pass the check and come back, whatever was counted', () => {
    fc.assert(
      fc.property(observations, (list) => {
        const counts = counted(list)
        const blocks = evidenceBlocks(counts, RADICALS)
        for (const block of blocks) expect(checkEvidence(RADICALS, block)).toBeUndefined()
        expect(countsOfBlocks(N, blocks)).toEqual(counts)
        expect(blocks.map(({ radical }) => radical)).toEqual([...new Set(blocks.map(({ radical }) => radical))].sort((a, b) => a - b))
      }),
    )
  })
})
