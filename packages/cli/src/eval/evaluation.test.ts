import { dealt, documentsOf, SplitMix32 } from '@sgsd/lattice'
import { beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../fixtures/command-run.ts'
import { displayWidth } from '../text/display-width.ts'
import { styleOf } from '../text/style.ts'
import { evalView } from '../view/eval.ts'
import { type Evaluation, evaluate } from './evaluation.ts'
import { type Materials, readMaterials } from './materials.ts'
import { consensusOf } from './members.ts'

/** Poems of the quick evaluation: a tenth of them is examined. */
const POEMS = 300
const TIMEOUT_MS = 60_000

let materials: Materials
let ran: Evaluation
const steps: string[] = []

beforeAll(async () => {
  materials = await readMaterials()
  ran = await evaluate(materials, { seed: 1, poems: POEMS, signal: new AbortController().signal, onStep: (label) => steps.push(label) })
}, TIMEOUT_MS)

describe('a quick evaluation', () => {
  test('the consensus of three is one node to the bit', () => {
    const { oneNode, consensus3, equal } = ran.document.consensus
    expect(oneNode).toMatch(/^[\da-f]{64}$/)
    expect(consensus3).toBe(oneNode)
    expect(equal).toBe(true)
  })

  test('what is learned beats the baselines', () => {
    const { retrieval, characters, ratios } = ran.document
    // with 270 poems to learn from: 0.0375, 0.106, 1.37 and 1.46 were measured; in full it is less beside stronger baselines
    expect(retrieval.mrr.consensus3).toBeGreaterThan(0.034)
    expect(characters.recall20.consensus3).toBeGreaterThan(0.1)
    expect(ratios.mrrToPmi).toBeGreaterThan(1.2)
    expect(ratios.recall20ToFrequency).toBeGreaterThan(1.35)
    expect(characters.recall20.consensus3).toBeGreaterThan(characters.recall20.naiveBayes!)
    for (const other of ['tfidf', 'lsa', 'untouched'] as const) expect(retrieval.mrr.consensus3).toBeGreaterThan(1.5 * retrieval.mrr[other]!)
  })

  test('the document has what it promises', () => {
    const { schema, split, seeds, retrieval, characters, ci95 } = ran.document
    expect({ schema, seeds, split: { ...split, pairs: 0, trainLines: 0 } }).toEqual({
      schema: 'sgsd.eval/1',
      seeds: [1],
      split: { by: 'poem', distinct: false, train: 270, test: 30, trainLines: 0, pairs: 0, candidates: 500, guesses: 20 },
    })
    expect(ran.document.corpus).toMatchObject({ name: '全唐诗选', documents: POEMS, lines: 2_681 })
    expect(Object.keys(retrieval.mrr).sort()).toEqual(['consensus3', 'lsa', 'oneNode', 'pmi', 'tfidf', 'untouched'])
    expect(Object.keys(retrieval.r10)).toEqual(Object.keys(retrieval.mrr))
    expect(Object.keys(characters.recall20).sort()).toEqual(['consensus3', 'frequency', 'naiveBayes', 'oneNode', 'pmi', 'untouched'])
    for (const [name, [low, high]] of Object.entries(ci95.retrieval.mrr)) {
      const value = retrieval.mrr[name as keyof typeof retrieval.mrr]!
      expect([low <= value, value <= high]).toEqual([true, true])
    }
    expect(steps.slice(-3)).toEqual(['one node', 'consensus of three', 'confidence intervals'])
  })

  test('the table says it, in any width', () => {
    const wide = evalView(ran.document, 120, styleOf(0)).join('\n')
    expect(wide).toMatch(/lattice, consensus of three +0\.0\d{3} \[/)
    expect(wide).toMatch(/✓ three thirds fold to the bytes of one node: [\da-f]{12}/)
    for (const line of evalView(ran.document, 100, styleOf(24)).slice(1, -4)) expect(displayWidth(line)).toBeLessThanOrEqual(100)
    const apart = { ...ran.document, consensus: { oneNode: 'a'.repeat(64), consensus3: 'b'.repeat(64), equal: false } }
    expect(evalView(apart, 120, styleOf(0)).join('\n')).toContain('✗ three thirds fold to bbbbbbbbbbbb, one node to aaaaaaaaaaaa')
  })
})

describe('members with disjoint texts', () => {
  test('fold to the bytes of one with all of them, however the poems are dealt; a poem more or less is seen', () => {
    const poems = documentsOf(materials.lines).slice(0, 60)
    const whole = consensusOf(materials, [poems]).digest
    const random = new SplitMix32(5)
    for (const hands of [2, 3, 5]) expect(consensusOf(materials, dealt(random.shuffled(poems), hands)).digest).toBe(whole)
    expect(consensusOf(materials, [poems.slice(1)]).digest).not.toBe(whole)
    expect(consensusOf(materials, [poems, poems.slice(0, 1)]).digest).not.toBe(whole)
  })
})

describe('the command', () => {
  test.each([
    ['--seed', '-1'],
    ['--poems', '9'],
    ['--pairs', '0'],
    ['--pairs', 'some'],
    ['--hebb', '1'],
  ])('%s %s is refused', async (flag, value) => {
    const { code, err } = await runCommand(['eval', flag, value])
    expect(code).toBe(2)
    expect(err).toContain('needed')
  })
})
