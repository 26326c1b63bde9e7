import type { LayerContent, LinesScore } from '@sgsd/compute'
import { type LayerId, foldWeights, itemKey } from '@sgsd/consensus'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { monotonicNow } from '../core.ts'
import { readHeldOut, sampleFor } from './held-out.ts'
import { ReceiptLoop } from './receipt-loop.ts'
import { type Node, twoNodes } from './two-nodes.fixture.ts'

const LAYER = 'ab'.repeat(32) as LayerId
const signal = new AbortController().signal

/** The other's head, ready on this node. */
function announce(one: Node, other: Node, { seq, layer } = { seq: 1n, layer: LAYER }): void {
  other.core.author({ kind: 'head', value: { author: other.core.state.self, seq, layer, radicals: [1] } })
  const head = other.core.state.heads.get(other.core.state.self)!
  one.core.handle({ type: 'item-received', item: head, now: monotonicNow(), source: 'peer' })
  one.core.handle({ type: 'layer-ready', head })
}

function scorer(
  one: Node,
  score: (items: number) => Promise<LinesScore> = async (items) => ({ score: 0.25, items }),
): { loop: ReceiptLoop; asked: (readonly string[])[] } {
  const asked: (readonly string[])[] = []
  const loop = new ReceiptLoop({
    ...one,
    history: {
      score: async (_members, lines) => {
        asked.push(lines)
        return score(lines.length - 1)
      },
    },
    content: async (layer) => ({ layer }) as LayerContent,
    heldOut: readHeldOut,
    signal,
  })
  return { loop, asked }
}

describe('receipts', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => vi.useRealTimers())

  test('a head that has stood for a minute is scored once, on lines nobody chose', async () => {
    const [one, other] = await twoNodes()
    announce(one, other)
    const { loop, asked } = scorer(one)
    expect(await loop.pass()).toBe(false)
    vi.advanceTimersByTime(61_000)
    expect(await loop.pass()).toBe(true)
    expect(await loop.pass()).toBe(false)
    expect(asked).toHaveLength(1)
    expect(asked[0]).toHaveLength(65)
    const value = { author: one.core.state.self, subject: other.core.state.self, layer: LAYER, score: 0.25, items: 64, epoch: 0n }
    expect(one.core.state.receipts.get(itemKey({ kind: 'receipt', value }))?.value).toEqual(value)
    expect(foldWeights(one.core.state).get(other.core.state.self)).toBe(1)
  })

  test('nobody scores its own head', async () => {
    const [one, other] = await twoNodes()
    announce(one, other)
    other.core.handle({ type: 'layer-ready', head: other.core.state.heads.get(other.core.state.self)! })
    const { loop, asked } = scorer(other)
    await loop.pass()
    vi.advanceTimersByTime(61_000)
    expect([await loop.pass(), asked]).toEqual([false, []])
  })

  test('a head that is followed by another within the minute is not scored, the other is', async () => {
    const [one, other] = await twoNodes()
    announce(one, other)
    const { loop, asked } = scorer(one)
    await loop.pass()
    vi.advanceTimersByTime(31_000)
    announce(one, other, { seq: 2n, layer: 'cd'.repeat(32) as LayerId })
    await loop.pass()
    vi.advanceTimersByTime(31_000)
    expect([await loop.pass(), asked.length]).toEqual([false, 0])
    vi.advanceTimersByTime(31_000)
    expect(await loop.pass()).toBe(true)
    expect([...one.core.state.receipts.values()].map(({ value }) => value.layer)).toEqual(['cd'.repeat(32)])
  })

  test('one that cannot be scored is left, and costs nothing more', async () => {
    const [one, other] = await twoNodes()
    announce(one, other)
    const { loop, asked } = scorer(one, () => Promise.reject(new Error('no layer of this mesh')))
    await loop.pass()
    vi.advanceTimersByTime(61_000)
    expect(await loop.pass()).toBe(false)
    vi.advanceTimersByTime(61_000)
    expect(await loop.pass()).toBe(false)
    expect([asked.length, one.core.state.receipts.size]).toEqual([1, 0])
  })

  test.for(['mean/1', 'evidence/1'] as const)('income weighs heads that are averaged (%s), and changes nothing in sums', async (foldId) => {
    const [one, other] = await twoNodes(foldId)
    announce(one, other)
    announce(other, one, { seq: 1n, layer: 'cd'.repeat(32) as LayerId })
    one.core.handle({ type: 'layer-ready', head: one.core.state.heads.get(one.core.state.self)! })
    const before = one.core.state.consensus
    const receiptOf = (author: Node, subject: Node, score: number): void => {
      const { layer } = author.core.state.heads.get(subject.core.state.self)!.value
      const value = { author: author.core.state.self, subject: subject.core.state.self, layer, score, items: 64, epoch: 0n }
      author.core.author({ kind: 'receipt', value })
      const item = author.core.state.receipts.get(itemKey({ kind: 'receipt', value }))!
      if (author !== one) one.core.handle({ type: 'item-received', item, now: monotonicNow(), source: 'peer' })
    }
    receiptOf(one, other, 0.5)
    receiptOf(other, one, 0.25)
    expect(one.core.state.receipts.size).toBe(2)
    expect(one.core.state.consensus === before).toBe(foldId === 'evidence/1')
  })

  test('samples are another stretch of the book for another beacon or layer', async () => {
    const lines = await readHeldOut()
    expect(lines.length).toBeGreaterThan(2_900)
    const of = (beacon: string, layer: string): string => sampleFor(lines, beacon, layer as LayerId).join()
    expect(of('00', 'a')).toBe(of('00', 'a'))
    expect(new Set([of('00', 'a'), of('01', 'a'), of('00', 'b')]).size).toBe(3)
  })
})
