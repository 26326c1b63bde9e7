import { expect, test } from 'vitest'
import type { EvaluationDocument } from '../packages/cli/src/eval/document.ts'
import { sgsd } from './sgsd.ts'

/** Poems to learn from and to be examined on: thirds of some 600 lines. */
const POEMS = 240
/** Four daemons start, farm and merge, on two busy cores. */
const PATIENCE_MS = 240_000

test('three daemons that farmed a third each hold, to the bit, what one holds that farmed all of it', { timeout: PATIENCE_MS }, async () => {
  const { code, out, err } = await sgsd(['eval', '--poems', String(POEMS), '--nodes', '--json'], { deadlineMs: PATIENCE_MS - 5_000 })
  expect(code, err).toBe(0)
  const { corpus, split, consensus } = JSON.parse(out) as EvaluationDocument
  expect([corpus.documents, split.train, split.test]).toEqual([POEMS, 216, 24])
  const { oneNode, consensus3, equal, nodes } = consensus
  expect(oneNode).toMatch(/^[\da-f]{64}$/)
  expect({ consensus3, equal, three: nodes?.three, one: nodes?.one }).toEqual({
    consensus3: oneNode,
    equal: true,
    three: [oneNode, oneNode, oneNode],
    one: oneNode,
  })
})
