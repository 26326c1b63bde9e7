import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { flood, randomGossipGraph } from './gossip-graph.ts'
import { gatherTree, treeDepth } from './gossip-tree.ts'
import { predictScale, PUBLISHED_SCALE, type ScaleInputs, sendsOfOne } from './predict.ts'
import { simulateScale, type Stage } from './simulate.ts'

const INPUTS: ScaleInputs = { rate: 2e9, epochColours: 2 ** 40, claimBytes: 560, beatBytes: 460, fanOut: 6, claimSeconds: 1.5 }

describe('simulation', () => {
  test('every law holds for any number of machines, chunks and fan-out', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 2, max: 9 }),
        fc.bigInt({ min: 0n, max: 99n }),
        (machines, chunks, fanOut, seed) => {
          const report = simulateScale({ machines, chunks, fanOut, seed }, () => {})
          expect(report.checks.filter(({ ok }) => !ok)).toEqual([])
          expect(report.tree.messagesUp + report.tree.messagesDown).toBe(2 * (machines - 1))
          expect(report.claims).toBeLessThanOrEqual(Math.min(machines, chunks))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('tells its stages in order, and stops where it is told to', () => {
    const seen: Stage[] = []
    simulateScale({ machines: 10, chunks: 10, fanOut: 3, seed: 1n }, (stage) => seen.push(stage))
    expect([...new Set(seen)]).toEqual(['members', 'partition', 'claims', 'gossip'])
    const enough = new Error('enough')
    const stop = (stage: Stage): void => {
      if (stage === 'claims') throw enough
    }
    expect(() => simulateScale({ machines: 10, chunks: 10, fanOut: 3, seed: 1n }, stop)).toThrow(enough)
  })
})

describe('a tree of claims', () => {
  test('sees overlaps and gaps', () => {
    const at = (starts: readonly number[]) => (place: number) => ({ run: { start: starts[place]!, count: 2 }, xor: 1n << BigInt(place) })
    expect(gatherTree(3, 2, at([0, 2, 4]))).toEqual({ covered: [{ start: 0, count: 6 }], xor: 7n, overlaps: 0, messages: 2, depth: 1, degree: 2 })
    expect(gatherTree(3, 2, at([0, 1, 4]))).toMatchObject({
      overlaps: 1,
      covered: [
        { start: 0, count: 3 },
        { start: 4, count: 2 },
      ],
    })
    expect(gatherTree(3, 1, at([0, 2, 6])).covered).toHaveLength(2)
  })

  test('asks every node once, and is as deep as it says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 9 }), (count, fanOut) => {
        const asked: number[] = []
        const gathered = gatherTree(count, fanOut, (place) => {
          asked.push(place)
          return { run: { start: place, count: 1 }, xor: 0n }
        })
        expect(asked).toEqual(Array.from({ length: count }, (_, i) => i))
        expect(gathered).toMatchObject({ overlaps: 0, messages: count - 1, depth: treeDepth(count, fanOut) })
        expect(gathered.degree).toBeLessThanOrEqual(fanOut)
      }),
    )
  })
})

describe('gossip', () => {
  test('reaches everybody from anywhere, over as many copies as the links make', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 2, max: 9 }),
        fc.bigInt({ min: 0n, max: 99n }),
        fc.nat(),
        (nodes, degree, seed, place) => {
          const graph = randomGossipGraph(nodes, degree, seed)
          const { reached, sends, hops } = flood(graph, place % nodes)
          expect(reached).toBe(nodes)
          expect(sends).toBe(graph.peers.length - (nodes - 1))
          expect(hops).toBeLessThan(Math.max(nodes, 1))
        },
      ),
    )
  })

  test('links go both ways, never to oneself, never twice', () => {
    const { nodes, offsets, peers } = randomGossipGraph(100, 6, 3n)
    const linked = (v: number): number[] => [...peers.subarray(offsets[v], offsets[v + 1])]
    for (let v = 0; v < nodes; v++) {
      expect(new Set(linked(v)).size).toBe(linked(v).length)
      for (const peer of linked(v)) expect([peer === v, linked(peer).includes(v)]).toEqual([false, true])
    }
  })

  test('a cut graph does not pass', () => {
    const whole = randomGossipGraph(10, 2, 1n)
    expect(flood({ ...whole, offsets: whole.offsets.map((offset, v) => (v === 10 ? whole.offsets[9]! : offset)) }, 9).reached).toBe(1)
  })
})

describe('prediction', () => {
  test('colours grow with machines; one machine sends nothing', () => {
    expect(predictScale(INPUTS, 1)).toMatchObject({
      coloursPerSecond: 2e9,
      sendsPerSecond: 0,
      messagesPerMachine: 0,
      leafBytesPerMachine: 0,
      hops: 0,
      treeDepth: 0,
    })
    for (const machines of [2, 3, 10, 34, 1_000, 1_000_000]) {
      const row = predictScale(INPUTS, machines)
      expect(row.coloursPerSecond).toBe(machines * 2e9)
      expect(row.epochSeconds * row.coloursPerSecond).toBeCloseTo(2 ** 40, -3)
      expect(row.treeMessagesPerEpoch).toBe(2 * (machines - 1))
      expect(row.admitted).toBe(machines <= 4_096)
    }
  })

  test('copies of a message are those that a flood needs', () => {
    for (const nodes of [1, 2, 3, 7]) expect(sendsOfOne(nodes, 6)).toBe(flood(randomGossipGraph(nodes, 6, 1n), 0).sends)
    // links that two rings share count once, so a random graph has a few less
    const { sends } = flood(randomGossipGraph(1_000, 6, 1n), 0)
    expect(sends / sendsOfOne(1_000, 6)).toBeGreaterThan(0.97)
    expect(sends).toBeLessThanOrEqual(sendsOfOne(1_000, 6))
  })

  test('a member claims about every 1.5 s of work, and never less than its range an epoch', () => {
    expect(predictScale(INPUTS, 2).claimsPerSecond / 2).toBeCloseTo(1 / 1.5, 1)
    const many = predictScale({ ...INPUTS, epochColours: 2 ** 30 }, 1_000_000)
    expect(many.claimsPerSecond * many.epochSeconds).toBeCloseTo(1_024, 6)
  })

  test('the published table has two figures', () => {
    expect(PUBLISHED_SCALE.map(({ machines, coloursPerSecond }) => [machines, coloursPerSecond])).toEqual([
      [1, 2.03e9],
      [34, 1e10],
    ])
  })
})
