import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { xorOf } from '../claims.ts'
import { castOf } from './cast.ts'
import { chanceOf } from './chance.ts'
import { chunkValue, chunkValues, chunkXor } from './chunk-value.ts'
import { DEFAULTS, optionFault, type SimOptions } from './options.ts'
import { simulate, type SimReport } from './simulate.ts'

function sim(changes: Partial<SimOptions>): SimReport {
  return simulate({ ...DEFAULTS, ...changes })
}

/** Everything, once. */
const ROUGH: Partial<SimOptions> = {
  nodes: 14,
  epochs: 5,
  chunks: 256,
  forgers: 0.2,
  collude: 0.2,
  equivocators: 1,
  withholders: 1,
  framers: 1,
  loss: 0.02,
  delay: 0.02,
  duplicate: 0.02,
}

describe('the same seed gives the same trace', () => {
  test('twice; and another seed another one', () => {
    const first = sim({ ...ROUGH, seed: 3 })
    expect(sim({ ...ROUGH, seed: 3 })).toEqual(first)
    expect(sim({ ...ROUGH, seed: 4 }).traceHash).not.toBe(first.traceHash)
  })
})

describe('members with equal views may share one state: every input and decision is the same as when each steps by itself', () => {
  test.each([
    ['everything goes wrong', { ...ROUGH, seed: 5 }],
    ['churn', { nodes: 12, epochs: 5, chunks: 128, churn: 0.2, seed: 6 }],
    ['a partition', { nodes: 10, epochs: 5, chunks: 128, partitions: [1], loss: 0.05, seed: 7 }],
    ['forgers and Sybils', { nodes: 10, epochs: 4, chunks: 256, forgers: 0.3, sybils: 8, seed: 8 }],
  ])('%s', (_, changes) => {
    const { views: _shared, ...shared } = sim(changes)
    const { views: _own, ...own } = sim({ ...changes, share: false })
    expect(own).toEqual(shared)
  })
})

describe('forgers of 5 % of their chunks, in a mesh that trusts them', () => {
  const forging = { nodes: 60, epochs: 5, forgers: 0.05, forgerShare: 0.3 }
  /** Some 10 s of computing on a busy core. */
  const PATIENCE_MS = 120_000

  test('are out after at most 2 epochs, and after 3 where 30 % report nothing; nobody else is', { timeout: PATIENCE_MS }, () => {
    for (const [collude, epochs] of [
      [0, 2],
      [0.3, 3],
    ] as const) {
      const report = sim({ ...forging, collude, seed: 11 })
      expect(report.forgers).toHaveLength(18)
      const late = report.forgers.filter(({ excludedAfterEpochs }) => excludedAfterEpochs === null || excludedAfterEpochs > epochs)
      expect(late).toEqual([])
      expect(report).toMatchObject({ honestExcluded: 0, epochsCompleted: 5, epochsTrue: 5, statesEqual: true, offendersExcluded: { forger: 18 } })
    }
  })

  test('stay in where nobody reports: then the XOR of epochs is wrong, and this is seen', () => {
    const report = sim({ ...forging, nodes: 20, collude: 1, seed: 12 })
    expect(report.forgers.map(({ excludedAfterEpochs }) => excludedAfterEpochs)).toEqual([null, null, null, null, null, null])
    expect(report.epochsTrue).toBe(1)
  })
})

describe('other offenders', () => {
  test('framers and equivocators are out, withholders are only unavailable, and no honest member suffers', () => {
    const report = sim({ nodes: 30, epochs: 6, chunks: 512, framers: 2, equivocators: 2, withholders: 2, seed: 21 })
    expect(report.offendersExcluded).toEqual({ framer: 2, equivocator: 2 })
    expect(report).toMatchObject({ honestExcluded: 0, epochsCompleted: 6, epochsTrue: 6, statesEqual: true })
  })

  test('ids that nobody admitted change nothing', () => {
    const mesh = { nodes: 20, epochs: 4, chunks: 256, seed: 22 }
    const report = sim({ ...mesh, sybils: 60 })
    expect(report).toMatchObject({ honestExcluded: 0, epochsCompleted: 4, epochsTrue: 4, statesEqual: true, memberEpochs: 80 })
  })
})

describe('a bad network', () => {
  test('epochs complete while a fifth of the members goes in each of them, and all end with equal states', () => {
    expect(sim({ nodes: 50, epochs: 6, chunks: 512, churn: 0.2, seed: 31 })).toMatchObject({
      honestExcluded: 0,
      epochsCompleted: 6,
      epochsTrue: 6,
      statesEqual: true,
    })
  })

  test('loss, delay, duplicates and two partitions change no result', () => {
    const report = sim({ nodes: 30, epochs: 6, chunks: 512, loss: 0.03, delay: 0.03, duplicate: 0.03, partitions: [1, 4], seed: 32 })
    expect(report).toMatchObject({ honestExcluded: 0, epochsCompleted: 6, epochsTrue: 6, statesEqual: true })
    expect(report.views.most).toBeGreaterThan(4)
  })
})

test('audits cost at most 2 % where epochs have the usual size', () => {
  expect(sim({ nodes: 40, epochs: 5, seed: 41 }).auditCostRatio).toBeLessThanOrEqual(0.02)
})

describe('parts', () => {
  test('a chunk has one value, in whatever run it is computed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(100), fc.nat(1_000), fc.integer({ min: 1, max: 50 }), (key, epoch, start, count) => {
        const values = chunkValues(key, epoch, { start, count })
        expect([...values]).toEqual(Array.from({ length: count }, (_, i) => chunkValue(key, epoch, start + i)))
        expect(chunkXor(key, epoch, { start, count })).toBe(xorOf(values))
      }),
    )
  })

  test('chance is a function of seed and numbers, and about as probable as it says', () => {
    const chance = chanceOf(7)
    expect(chance.draw(1, 2)).toBe(chanceOf(7).draw(1, 2))
    expect(chance.draw(1, 2)).not.toBe(chance.draw(2, 1))
    const hits = Array.from({ length: 20_000 }, (_, i) => chance.happens(0.05, i)).filter(Boolean).length
    expect(hits).toBeGreaterThan(850)
    expect(hits).toBeLessThan(1_150)
  })

  test('each member has one role', () => {
    const options = { ...DEFAULTS, nodes: 50, forgers: 0.1, forgerShare: 0.1, framers: 3, equivocators: 2, withholders: 4, sybils: 5, collude: 0.3 }
    const roles = castOf(options, chanceOf(1)).map(({ role }) => role)
    const count = (wanted: string): number => roles.filter((role) => role === wanted).length
    expect(['forger', 'framer', 'equivocator', 'withholder', 'sybil', 'honest'].map(count)).toEqual([5, 3, 2, 4, 5, 36])
  })

  test.each([
    [{ nodes: 2 }, 'nodes'],
    [{ epochs: 0 }, 'epochs'],
    [{ seed: -1 }, 'seed'],
    [{ forgers: 1.5 }, 'forgers'],
    [{ nodes: 4_096, chunks: 16_384 }, '2^24'],
    [{ sybils: 1, nodes: 300 }, 'sybils'],
    [{ nodes: 10, framers: 6 }, 'half'],
    [{ loss: 0.5, delay: 0.5 }, '0.9'],
  ])('%j is refused', (changes, word) => {
    expect(optionFault({ ...DEFAULTS, ...changes })).toContain(word)
    expect(() => sim(changes)).toThrow(RangeError)
  })
})
