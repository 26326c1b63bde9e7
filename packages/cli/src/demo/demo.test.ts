import type { StatusDocument } from '@sgsd/daemon'
import { describe, expect, test } from 'vitest'
import { samplePeer, sampleStatus } from '../fixtures/status.ts'
import type { Figure } from '../published.ts'
import { displayWidth } from '../text/display-width.ts'
import { styleOf } from '../text/style.ts'
import { changesBetween } from './changes.ts'
import { demoDocument } from './document.ts'
import { LEAST_NODES, MOST_NODES, planDemo } from './plan.ts'
import { type NodeView, rangesAgree, type Snapshot } from './snapshot.ts'
import { type Condition, verdictOf } from './verdict.ts'
import { demoView, endView } from './view.ts'

const XOR = '0x0123456789abcdef'
const FIGURE: Figure = { name: 'turbo32', what: '', expected: '0xab11046c', got: '0xab11046c', ok: true }

function statusOf(name: string, over: Parameters<typeof sampleStatus>[0] = {}): StatusDocument {
  const peerId = `12D3KooW${name}`
  return sampleStatus({
    ...over,
    node: { name, peerId },
    colours: { epoch: '0x0000000000000001', coverage: 0, closed: [{ epoch: '0x0000000000000000', xor: XOR, how: 'computed' }], ...over.colours },
    peers: [samplePeer({ self: true, link: 'self', name, peerId })],
  })
}

function node(name: string, over: Partial<NodeView> = {}): NodeView {
  return { name, phase: 'running', status: statusOf(name), range: { start: 0, count: 10, done: 0 }, ...over }
}

/** Three nodes that have shown everything. */
const done: Snapshot = {
  elapsedMs: 42_000,
  nodes: [node('atlas'), node('boreas'), node('calypso', { phase: 'back' })],
  epochColours: 1n << 33n,
  local: { share: 1, xor: XOR },
  published: [FIGURE],
  victim: { name: 'calypso', killedAt: 0.41, backAfterMs: 3_200 },
}

/** The same with one node telling something else. */
function but(name: string, over: Parameters<typeof sampleStatus>[0]): Snapshot {
  return { ...done, nodes: done.nodes.map((view) => (view.name === name ? { ...view, status: statusOf(name, over) } : view)) }
}

function failing(snapshot: Snapshot): Condition['name'][] {
  return verdictOf(snapshot).flatMap(({ name, ok }) => (ok ? [] : [name]))
}

describe('verdict', () => {
  test('everything holds', () => {
    expect(failing(done)).toEqual([])
  })

  test.each<[string, Snapshot, Condition['name'][]]>([
    ['another consensus id', but('boreas', { consensus: { id: 'f'.repeat(64) } }), ['consensus', 'recovery']],
    ['equal ids over other bytes', but('boreas', { consensus: { digest: 'f'.repeat(64) } }), ['consensus']],
    ['a head that is missing', but('boreas', { consensus: { heads: 2 } }), ['consensus']],
    [
      'no fold at all',
      { ...done, nodes: done.nodes.map(({ name, ...view }) => ({ ...view, name, status: statusOf(name, { consensus: { id: '' } }) })) },
      ['consensus', 'recovery'],
    ],
    [
      'text that is still farmed',
      but('boreas', { lattice: { farm: { state: 'farming', lines: 100, total: 250, meanScore: 0, why: '' } } }),
      ['consensus'],
    ],
    ['text that was never begun', but('boreas', { lattice: { farm: { state: 'idle', lines: 0, total: 0, meanScore: 0, why: '' } } }), ['consensus']],
    ['an open epoch', but('boreas', { colours: { closed: [] } }), ['epoch', 'local']],
    ['an adopted epoch', but('boreas', { colours: { closed: [{ epoch: '0x0', xor: XOR, how: 'adopted' }] } }), ['epoch']],
    ['another XOR', but('boreas', { colours: { closed: [{ epoch: '0x0', xor: '0x1', how: 'computed' }] } }), ['epoch', 'local']],
    ['another XOR without the mesh', { ...done, local: { share: 1, xor: '0x1' } }, ['local']],
    ['no XOR without the mesh yet', { ...done, local: { share: 0.5, xor: undefined } }, ['local']],
    ['a figure that differs', { ...done, published: [{ ...FIGURE, got: '0x0', ok: false }] }, ['published']],
    ['no figures yet', { ...done, published: [] }, ['published']],
    ['nobody killed', { ...done, victim: { name: 'calypso', killedAt: undefined, backAfterMs: undefined } }, ['recovery']],
    ['a node that did not come back', { ...done, victim: { ...done.victim, backAfterMs: undefined } }, ['recovery']],
    [
      'a node that answers no more',
      { ...done, nodes: [node('atlas', { status: undefined }), ...done.nodes.slice(1)] },
      ['consensus', 'epoch', 'local', 'recovery'],
    ],
  ])('%s is found', (_, snapshot, conditions) => {
    expect(failing(snapshot)).toEqual(conditions)
  })
})

describe('what is said of it', () => {
  test('the document has what it promises', () => {
    const document = demoDocument(done, verdictOf(done))
    expect(document).toMatchObject({ schema: 'sgsd.demo/1', ok: true, agree: true, durationMs: 42_000, published: { turbo32: '0xab11046c' } })
    expect(document.nodes).toHaveLength(3)
    for (const { consensusId, epochXor, radicals, range } of document.nodes) {
      expect([consensusId.length, epochXor, radicals.length, range]).toEqual([64, XOR, 3, { start: 0, count: 10 }])
    }
    const apart = but('boreas', { consensus: { id: 'f'.repeat(64) } })
    expect(demoDocument(apart, verdictOf(apart))).toMatchObject({ ok: false, agree: false })
  })

  test('what changed is said once', () => {
    const first = changesBetween(undefined, done)
    expect(first).toContain('calypso is back after 3.2 s, process 4711')
    expect(first.some((line) => line.includes('turbo32 0xab11046c as published'))).toBe(true)
    expect(changesBetween(done, done)).toEqual([])
    expect(changesBetween(done, but('boreas', { mesh: { connected: 1 } }))).toEqual(['boreas sees 1 of 2 others'])
    const killed: Snapshot = { ...done, nodes: done.nodes.map((view) => (view.name === 'calypso' ? { ...view, phase: 'killed' } : view)) }
    expect(changesBetween({ ...done, nodes: [node('atlas'), node('boreas'), node('calypso')] }, killed)).toEqual([
      'calypso was killed with SIGKILL at 41% of the epoch',
    ])
  })

  test.each([100, 80, 60])('the table fits %i columns at every moment', (width) => {
    const waiting: Snapshot = {
      ...done,
      nodes: done.nodes.map(({ name }) => ({ name, phase: 'waiting', status: undefined, range: undefined })),
      published: [],
    }
    for (const snapshot of [done, waiting, { ...done, local: { share: 0.3, xor: undefined } }]) {
      for (const line of demoView(snapshot, width, styleOf(24))) expect(displayWidth(line), line).toBeLessThanOrEqual(width)
    }
  })

  test('the end says where to go next, or how to look at what still runs', () => {
    const end = { ok: true, snapshot: done, conditions: verdictOf(done), program: 'sgsd' }
    expect(endView({ ...end, kept: [] }, 100, styleOf(0)).join('\n')).toMatch(/✓ 3 nodes hold consensus 3f9c1e07b2a4[\s\S]*sgsd join/)
    expect(endView({ ...end, kept: ['/tmp/x/atlas'] }, 100, styleOf(0)).join('\n')).toMatch(/sgsd down --data-dir \/tmp\/x\/atlas/)
  })
})

describe('ranges', () => {
  const split = (...ranges: readonly (readonly [start: number, count: number])[]): Snapshot => ({
    ...done,
    nodes: ranges.map(([start, count], index) => {
      const self = samplePeer({ self: true, name: String(index), range: { start, count, done: 0 } })
      return node(String(index), { status: sampleStatus({ colours: { chunks: 10 }, peers: [self] }) })
    }),
  })

  test.each([
    ['disjoint and complete, in any order', split([4, 6], [0, 4]), true],
    ['a node that owns nothing', split([0, 10], [10, 0]), true],
    ['overlapping, as long as each thinks itself alone', split([0, 10], [0, 10]), false],
    ['a gap', split([0, 4], [5, 5]), false],
    ['an end that nobody owns', split([0, 4], [4, 5]), false],
  ])('%s', (_, snapshot, agree) => {
    expect(rangesAgree(snapshot)).toBe(agree)
  })
})

describe('plan', () => {
  test('the epoch is sized for the machine, within bounds', () => {
    expect(planDemo(3, 2e9, 2, 1n)).toMatchObject({ names: ['atlas', 'boreas', 'calypso'], epochColours: 1n << 33n, threads: 1 })
    expect(planDemo(2, 0, 64, 1n)).toMatchObject({ epochColours: 1n << 28n, threads: 32 })
    expect(planDemo(8, 1e15, 2, 1n).epochColours).toBe(1n << 38n)
    for (let nodes = LEAST_NODES; nodes <= MOST_NODES; nodes++) expect(new Set(planDemo(nodes, 1e9, 2, 1n).names).size).toBe(nodes)
  })
})
