import { EvidenceCounts } from '@sgsd/lattice'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkEvidence } from '../check-evidence.ts'
import { checkRows } from '../check-rows.ts'
import { type EvidenceBlock, evidenceBlocks } from '../evidence-block.ts'
import { baseOf, blockOf, memberOf, type Rows, rowsArbitrary } from '../fold.fixture.ts'
import { fold } from '../fold-rules.ts'
import { foldBytes, type Folded } from '../fold.ts'
import type { LayerId } from '../ids.ts'
import { digestOf, peer } from '../mesh.fixture.ts'
import { type Contributors, joinContributors } from './contributors.ts'
import { type AnyBlock, diffRows, edgeOf, type EdgeChange, TopChanges } from './diff-rows.ts'
import { mergedEvidence, pairwiseEvidence, rowBlocksOf, rowsHeld } from './merge-rows.ts'

const N = 9
const RADICALS = Uint8Array.of(1, 1, 2, 2, 3, 3, 1, 2, 3)
const AUTHORS = ['ada', 'bea', 'cai'].map(peer)
const base = baseOf(N, new Map([[2, new Map([[0, 0.25]])]]), new Map([[3, new Map([[8, 0.75]])]]))

const counts: fc.Arbitrary<readonly EvidenceBlock[]> = fc
  .array(fc.tuple(fc.nat(N - 1), fc.nat(N - 1), fc.integer({ min: 1, max: 1 << 20 })), { maxLength: 20 })
  .map((list) => {
    const counted = new EvidenceCounts(N)
    for (const [row, column, times] of list) counted.add(row, column, times)
    return evidenceBlocks(counted.snapshot(), RADICALS)
  })

/** A member's layers, the later of the higher seq, with what each of them counts. */
interface Layer {
  readonly author: (typeof AUTHORS)[number]
  readonly seq: bigint
  readonly layer: LayerId
  readonly blocks: readonly EvidenceBlock[]
}

const layers: fc.Arbitrary<readonly Layer[]> = fc
  .array(fc.tuple(fc.nat(2), counts), { minLength: 3, maxLength: 6 })
  .map((list) => list.map(([author, blocks], i) => ({ author: AUTHORS[author]!, seq: BigInt(i), layer: digestOf(`layer ${i}`) as LayerId, blocks })))

/** What a merge of two layers or merges is: its contributors, and rows that follow from them alone. */
function merge(all: readonly Layer[], a: Contributors, b: Contributors): { readonly contributors: Contributors; readonly rows: unknown } {
  const contributors = joinContributors(a, b)
  const blocks = contributors.map(({ layer }) => all.find((each) => each.layer === layer)!.blocks)
  const merged = mergedEvidence(N, RADICALS, blocks)
  if ('refusal' in merged) throw new Error(merged.refusal)
  return { contributors, rows: merged.blocks.map((block) => ({ ...block })) }
}

describe('a merge of counts', () => {
  test('is associative, commutative and idempotent, and takes the newest layer of each contributor', () => {
    fc.assert(
      fc.property(layers, (all) => {
        const [a, b, c] = all.slice(0, 3).map((layer): Contributors => [layer]) as [Contributors, Contributors, Contributors]
        const left = merge(all, merge(all, a, b).contributors, c)
        expect(merge(all, a, merge(all, b, c).contributors).rows).toEqual(left.rows)
        expect(merge(all, c, merge(all, b, a).contributors).rows).toEqual(left.rows)
        expect(merge(all, left.contributors, a).rows).toEqual(left.rows)
        expect(merge(all, left.contributors, left.contributors).rows).toEqual(left.rows)
      }),
    )
  })

  test('folds alone to the bytes of its contributors’ fold, and passes every check of a layer', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const merged = mergedEvidence(N, RADICALS, [a, b])
        if ('refusal' in merged) throw new Error(merged.refusal)
        for (const block of merged.blocks) expect(checkEvidence(RADICALS, block)).toBeUndefined()
        const folded = (...members: (readonly EvidenceBlock[])[]): string =>
          bytes(
            fold(
              'evidence/1',
              base,
              new Float32Array(N),
              members.map((blocks, i) => ({ ...memberOf(`m${i}`, [], N), blocks })),
            ),
          )
        expect(folded(merged.blocks)).toBe(folded(a, b))
      }),
    )
  })

  test('pairwise it is commutative; that it is neither associative nor deaf to a second helping shows in one pair', () => {
    const one = (count: number): readonly EvidenceBlock[] => {
      const counted = new EvidenceCounts(N)
      if (count > 0) counted.add(0, 1, count)
      return evidenceBlocks(counted.snapshot(), RADICALS)
    }
    const of = (a: readonly EvidenceBlock[], b: readonly EvidenceBlock[]): readonly EvidenceBlock[] => {
      const merged = pairwiseEvidence(N, RADICALS, a, b)
      if ('refusal' in merged) throw new Error(merged.refusal)
      return merged.blocks
    }
    const count = (blocks: readonly EvidenceBlock[]): number => edgeOf(blocks[0], 0, 1).count ?? 0
    const [a, b, c] = [one(800), one(400), one(0)] as const
    expect(count(of(a, b))).toBe(600)
    expect(count(of(b, a))).toBe(600)
    expect(count(of(of(a, b), c))).toBe(300)
    expect(count(of(a, of(b, c)))).toBe(500)
    expect(count(of(of(a, b), b))).toBe(500)
  })
})

describe('a merge of weights', () => {
  test('rows of a fold as blocks fold alone to the same bytes, and pass every check of a layer', () => {
    fc.assert(
      fc.property(rowsArbitrary(N), rowsArbitrary(N), rowsArbitrary(N), rowsArbitrary(N), (tauA, rhoA, tauB, rhoB) => {
        const members = [memberOf('ada', byRadical(tauA, rhoA), N), memberOf('bea', byRadical(tauB, rhoB), N)]
        const folded = fold('mean/1', base, new Float32Array(N), members)
        const held = rowsHeld(
          N,
          members.flatMap(({ blocks }) => blocks),
        )
        const blocks = rowBlocksOf(folded.matrices, held, RADICALS)
        for (const block of blocks) expect(checkRows(RADICALS, block)).toBeUndefined()
        expect(new Set(blocks.flatMap(({ rowIds }) => [...rowIds]))).toEqual(new Set(held))
        expect(bytes(fold('mean/1', base, new Float32Array(N), [memberOf('cai', blocks, N, { state: folded.state })]))).toBe(bytes(folded))
      }),
    )
  })
})

describe('what differs between two blocks', () => {
  test('rows and edges are those of a naive comparison, and the edges of either can be looked up', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        for (const radical of [1, 2, 3]) {
          const [before, after] = [a, b].map((blocks) => blocks.find((block) => block.radical === radical)) as [AnyBlock?, AnyBlock?]
          const changes: EdgeChange[] = []
          const diff = diffRows(radical, before, after, (change) => changes.push(change))
          const edges = []
          const rows = { added: 0, removed: 0, changed: 0 }
          for (let row = 0; row < N; row++) {
            const has = (block: AnyBlock | undefined): boolean => block?.rowIds.includes(row) === true
            let count = 0
            for (let column = 0; column < N; column++) {
              const [was, is] = [edgeOf(before, row, column).count ?? 0, edgeOf(after, row, column).count ?? 0]
              if (was === is) continue
              count++
              edges.push({ matrix: 'count', row, column, before: was, after: is })
            }
            if (has(before) && has(after)) rows.changed += count > 0 ? 1 : 0
            else if (has(before)) rows.removed++
            else if (has(after)) rows.added++
          }
          expect(changes).toEqual(edges)
          expect(diff.rows).toEqual(rows)
          expect(diff.edges.added + diff.edges.removed + diff.edges.changed).toBe(edges.length)
          expect(diff.edges.added).toBe(edges.filter((edge) => edge.before === 0).length)
        }
      }),
    )
  })

  test('the greatest changes are those of a whole sort, however many are offered', () => {
    const change = fc.record({
      matrix: fc.constantFrom('tau' as const, 'rho' as const),
      row: fc.nat(99),
      column: fc.nat(99),
      before: fc.nat(50),
      after: fc.nat(50),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), fc.nat(12), (offered, most) => {
        const top = new TopChanges(most)
        for (const each of offered) top.offer(each)
        const size = ({ before, after }: EdgeChange): number => Math.abs(after - before)
        expect(top.changes.map(size)).toEqual(
          offered
            .map(size)
            .sort((a, b) => b - a)
            .slice(0, most),
        )
      }),
    )
  })
})

/** Rows under the radical that each belongs to. */
function byRadical(tau: Rows, rho: Rows): ReturnType<typeof blockOf>[] {
  return [1, 2, 3].flatMap((radical) => {
    const own = new Map([...tau].filter(([row]) => RADICALS[row] === radical))
    return own.size === 0 ? [] : [blockOf(radical, own, rho)]
  })
}

function bytes(folded: Folded): string {
  return Array.from(foldBytes(folded), (part) => Buffer.from(part).toString('hex')).join('|')
}
