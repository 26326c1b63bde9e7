import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LayerId } from '../ids.ts'
import { digestOf, peer } from '../mesh.fixture.ts'
import { type Contributors, joinContributors, sameContributors } from './contributors.ts'
import { LayerGraph, type LayerNode } from './layer-graph.ts'

const AUTHORS = ['ada', 'bea', 'cai'].map(peer)
const idOf = (i: number): LayerId => digestOf(`layer ${i}`) as LayerId

/** Layers of three authors; each may descend from any of those before it, so there are no cycles, and of each author the seq rises. */
const graphs: fc.Arbitrary<readonly LayerNode[]> = fc
  .array(fc.record({ author: fc.nat(2), parents: fc.array(fc.nat(), { maxLength: 3 }), epoch: fc.nat(3) }), { minLength: 1, maxLength: 16 })
  .map((drafts) =>
    drafts.map(({ author, parents, epoch }, i) => ({
      layer: idOf(i),
      parents: i === 0 ? [] : [...new Set(parents.map((parent) => idOf(parent % i)))],
      author: AUTHORS[author]!,
      seq: BigInt(i),
      epoch: BigInt(epoch),
    })),
  )

const contributors: fc.Arbitrary<Contributors> = fc
  .array(fc.tuple(fc.nat(2), fc.bigInt({ min: 0n, max: 3n }), fc.nat(3)), { maxLength: 6 })
  .map((list) => joinContributors(list.map(([author, seq, layer]) => ({ author: AUTHORS[author]!, seq, layer: idOf(layer) }))))

describe('contributor sets', () => {
  test('their union is associative, commutative and idempotent, with one layer of each author', () => {
    fc.assert(
      fc.property(contributors, contributors, contributors, (a, b, c) => {
        expect(joinContributors(joinContributors(a, b), c)).toEqual(joinContributors(a, joinContributors(b, c)))
        expect(joinContributors(a, b)).toEqual(joinContributors(b, a))
        expect(joinContributors(a, a)).toEqual(a)
        expect(sameContributors(a, b)).toBe(JSON.stringify(a.map(({ layer }) => layer)) === JSON.stringify(b.map(({ layer }) => layer)))
        expect(new Set(joinContributors(a, b).map(({ author }) => author)).size).toBe(joinContributors(a, b).length)
      }),
    )
  })
})

describe('the graph of layers', () => {
  test('a log names every layer once and before its parents, whatever the order it was asked in', () => {
    fc.assert(
      fc.property(graphs, fc.func(fc.nat()), (nodes, rank) => {
        const graph = new LayerGraph(nodes)
        const ids = nodes.map(({ layer }) => layer)
        const order = graph.order(ids).map(({ layer }) => layer)
        expect([...order].sort()).toEqual([...ids].sort())
        const place = new Map(order.map((layer, i) => [layer, i]))
        for (const { layer, parents } of nodes) for (const parent of parents) expect(place.get(parent)!).toBeGreaterThan(place.get(layer)!)
        expect(new LayerGraph(nodes.toSorted((a, b) => rank(a.layer) - rank(b.layer))).order(ids.toReversed()).map(({ layer }) => layer)).toEqual(
          order,
        )
      }),
    )
  })

  test('ancestors, common ancestors and unknown parents are those of a naive search', () => {
    fc.assert(
      fc.property(graphs, fc.nat(), fc.nat(), fc.nat(), (nodes, x, y, lost) => {
        const known = nodes.filter((_, i) => i !== lost % nodes.length || nodes.length === 1)
        const graph = new LayerGraph(known)
        const parentsOf = (layer: LayerId): readonly LayerId[] => known.find((node) => node.layer === layer)?.parents ?? []
        const naive = (layer: LayerId): Set<LayerId> => {
          const here = known.some((node) => node.layer === layer) ? [layer] : []
          return new Set([...here, ...parentsOf(layer).flatMap((parent) => [...naive(parent)])])
        }
        const [a, b] = [known[x % known.length]!.layer, known[y % known.length]!.layer]
        expect(graph.closure([a])).toEqual(naive(a))
        expect(graph.reaches(a, b)).toBe(naive(a).has(b))
        const common = [...naive(a)].filter((layer) => naive(b).has(layer))
        const best = common.filter((layer) => !common.some((other) => other !== layer && naive(other).has(layer)))
        expect(graph.commonAncestors(a, b)).toEqual(best.sort())
        const unknown = known.flatMap(({ parents }) => parents.filter((parent) => !known.some((node) => node.layer === parent)))
        expect(graph.unknownParents(known.map(({ layer }) => layer))).toEqual(new Set(unknown))
      }),
      { numRuns: 200 },
    )
  })

  test('a merge stands for the union of what its parents stand for; a layer with one parent or none for itself', () => {
    fc.assert(
      fc.property(graphs, (nodes) => {
        const graph = new LayerGraph(nodes)
        const naive = (layer: LayerId): Contributors => {
          const { author, seq, parents } = graph.node(layer)!
          return parents.length < 2 ? [{ author, seq, layer }] : joinContributors(...parents.map(naive))
        }
        for (const { layer } of nodes) expect(graph.contributors(layer)).toEqual({ contributors: naive(layer) })
      }),
    )
  })

  test('a merge whose parent is not known names that parent', () => {
    const [a, b, merge] = [0, 1, 2].map(idOf) as [LayerId, LayerId, LayerId]
    const node = { author: AUTHORS[0]!, seq: 1n, epoch: 0n }
    const graph = new LayerGraph([
      { ...node, layer: a, parents: [] },
      { ...node, layer: merge, parents: [a, b] },
    ])
    expect(graph.contributors(merge)).toEqual({ missing: [b] })
  })
})
