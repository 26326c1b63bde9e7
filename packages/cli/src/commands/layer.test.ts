import type {
  BlameDocument,
  ConsensusDocument,
  ConsensusLogDocument,
  ConsensusVerifyDocument,
  LayerDiffDocument,
  LayerLogDocument,
  LayerRow,
  LayerVerifyDocument,
} from '@sgsd/daemon'
import { beforeEach, describe, expect, test } from 'vitest'
import type { DaemonEdge } from '../edges.ts'
import { type Ran, runCommand } from '../fixtures/command-run.ts'

const A = '3f9c1e07b2a4'.padEnd(64, '0')
const B = '8a0d5c11e9f7'.padEnd(64, '1')

function row(over: Partial<LayerRow> = {}): LayerRow {
  return {
    layer: A,
    author: '12D3KooWBoreasBoreasBoreasBoreasBoreasBoreasBorea9f2K',
    name: 'boreas',
    self: false,
    seq: '12',
    epoch: '7',
    epochsAgo: 2,
    radicals: 71,
    rows: 7_613,
    nnz: 21_702,
    lines: '12000',
    meanScore: 0.137,
    parents: [],
    merge: false,
    head: true,
    inConsensus: true,
    pinned: false,
    missing: 0,
    ...over,
  }
}

const FOLD: ConsensusLogDocument['folds'][number] = { n: 37, id: A, digest: B, epoch: '7', at: '2026-11-22T08:00:00.000Z', heads: 3 }
let asked: unknown[]

beforeEach(() => {
  asked = []
})

/** Runs a command against a daemon that answers so. */
function run(words: readonly string[], answer: unknown, lines: readonly unknown[] = []): Promise<Ran> {
  const control = {
    get: async (path: string) => {
      asked.push(path)
      return answer
    },
    post: async (path: string, body: unknown) => {
      asked.push([path, body])
      return answer
    },
    lines: async function* (path: string, body: unknown) {
      asked.push([path, body])
      for (const line of lines) yield await Promise.resolve(line)
    },
  }
  const daemon = async (): Promise<DaemonEdge> => ({ defaultDataDir: () => '/d', openControl: () => control }) as unknown as DaemonEdge
  return runCommand(words, { edges: { daemon } })
}

describe('sgsd layer', () => {
  test('log draws the graph, names unknown parents, and says that there is more', async () => {
    const log: LayerLogDocument = {
      schema: 'sgsd.layer-log/1',
      layers: [
        row({ parents: [B], self: true, name: 'atlas' }),
        row({ layer: B, seq: '11', parents: ['f'.repeat(64)], head: false, inConsensus: false, missing: 3 }),
      ],
      unknown: ['f'.repeat(64)],
      more: true,
    }
    const { code, out } = await run(['layer', 'log', '--graph', '-n', '2'], log)
    expect(code).toBe(0)
    expect(asked).toEqual(['/v1/layers/log?most=2'])
    expect(out).toMatch(/● \[3f9c1e\]07b2a4 +atlas\* .* 12 .* 71 .* 7,613 .* 21,702 .* 0\.137 .* 7 \(−2\) +head c/)
    expect(out).toMatch(/● \[8a0d5c\]11e9f7 .* 3 missing\n○\nparent ffffffffffff of 8a0d5c11e9f7 is unknown here\nolder layers are not shown/)
    expect(JSON.parse((await run(['layer', 'log', 'own', '--json'], log)).out)).toEqual(log)
    expect(asked.at(-1)).toBe('/v1/layers/log?most=20&from=own')
  })

  test('diff names changes with their characters, counts in observations', async () => {
    const diff: LayerDiffDocument = {
      schema: 'sgsd.layer-diff/1',
      a: row(),
      b: row({ layer: B, seq: '13' }),
      commonAncestors: [A],
      rule: 'evidence',
      same: 70,
      radicals: [{ radical: 72, rows: { added: 1, removed: 0, changed: 4 }, edges: { added: 9, removed: 0, changed: 5 } }],
      rows: { added: 1, removed: 0, changed: 4 },
      edges: { added: 9, removed: 0, changed: 5 },
      top: [{ matrix: 'count', row: 1, rowCharacter: '月', column: 2, columnCharacter: '明', before: 256, after: 1_152 }],
    }
    const { out } = await run(['layer', 'diff', '3f9c', '8a0d', '--top', '1'], diff)
    expect(asked).toEqual([['/v1/layers/diff', { a: '3f9c', b: '8a0d', top: 1 }]])
    expect(out).toMatch(/1 radicals differ, 70 are the same blocks\nrows {3}1 added, 0 removed, 4 changed\npairs {2}9 added/)
    expect(out).toMatch(/⽇ 72[\s\S]*明 → 月 +counts +1\.00 +4\.50/)
  })

  test('blame shows members, layers and lines; of other members’ texts the segment', async () => {
    const layer = { layer: A, seq: '12', before: 256, after: 512, how: 'blocks' as const }
    const says = { layer: A, count: 512, backward: 256, tau: 0, rho: 0, ends: '' }
    const blame: BlameDocument = {
      schema: 'sgsd.blame/1',
      row: { character: '月', row: 7_000, radical: 74 },
      column: { character: '明', row: 6_900 },
      consensus: B,
      rule: 'evidence',
      edges: [{ character: '明', column: 6_900, tau: 0.25, rho: 0 }],
      members: [
        {
          ...says,
          peer: 'p1',
          name: 'atlas',
          self: true,
          layers: [
            { ...layer, spans: [], lines: [{ text: 'tang.txt', line: 3, content: '舉頭望明月', before: { line: 1, content: '床前明月光' } }] },
          ],
        },
        {
          ...says,
          peer: 'p2',
          name: 'boreas',
          self: false,
          layers: [
            {
              ...layer,
              how: 'lineage',
              before: null,
              after: null,
              spans: [{ text: 'own.txt', segment: 'ab'.repeat(32), from: 5, to: 9, here: false }],
              lines: [],
            },
          ],
        },
      ],
    }
    const { out } = await run(['layer', 'blame', '月', '明'], blame)
    expect(asked).toEqual([['/v1/layers/blame', { row: '月', column: '明' }]])
    expect(out).toMatch(/^明 → 月 {2}Wτ 0\.2500\nconsensus 8a0d5c11e9f7/)
    expect(out).toMatch(/atlas\* {2}2 observations, 1 the other way round\n.*seq 12 {2}1 → 2\n {4}tang\.txt:3 {2}床前明月光 \(1\) → 舉頭望明月/)
    expect(out).toMatch(/boreas.*\n.*by its lineage\n {4}own\.txt:5–9 {2}segment abababababab, not here/)
  })

  test('verify: what fails or cannot be told is exit 7', async () => {
    const found: LayerVerifyDocument = {
      schema: 'sgsd.layer-verify/1',
      layer: A,
      ok: false,
      blocks: 3,
      checks: [
        { name: 'hashes', state: 'failed', why: '1 of 3 blocks were damaged' },
        { name: 'content', state: 'unknown', why: 'not all of it is here' },
      ],
    }
    expect(await run(['layer', 'verify', '3f9c'], found)).toMatchObject({
      code: 7,
      out: expect.stringMatching(/✗ hashes.*damaged\n\? content[\s\S]*not verified/),
    })
    const { code } = await run(['layer', 'verify', '3f9c', '--json'], { ...found, ok: true, checks: [] })
    expect(code).toBe(0)
  })

  test('clone follows its lines; a failure is one error with the next command', async () => {
    const document = { schema: 'sgsd.layer-clone/1', layer: A, peer: 'p', row: row(), blocks: 74, had: 3 }
    const good = await run(['layer', 'clone', 'boreas', '--layer', '3f9c'], undefined, [
      { event: 'started', layer: A, peer: 'p' },
      { event: 'progress', done: 3, total: 74 },
      { event: 'end', document },
    ])
    expect(good).toMatchObject({ code: 0, out: expect.stringMatching(/of boreas: 7,613 rows, 74 blocks, 3 of them were here; pinned/) })
    expect(asked).toEqual([['/v1/layers/clone', { from: 'boreas', layer: '3f9c' }]])
    const failed = await run(['layer', 'clone', 'boreas'], undefined, [
      { event: 'failed', code: 'BLOCK_UNAVAILABLE', message: 'nobody has it', hint: 'again' },
    ])
    expect(failed).toMatchObject({ code: 1, err: expect.stringMatching(/nobody has it.*again/) })
    expect(await run(['layer', 'clone', 'boreas'], undefined, [])).toMatchObject({ code: 1 })
  })

  test('merge, swap, fork and pin say what came of them', async () => {
    const contributors = [{ author: 'a', seq: '1', layer: A }]
    const merged = { schema: 'sgsd.layer-merge/1', layer: B, how: 'merged', contributors, radicals: 1, rows: 2, nnz: 3 }
    expect((await run(['layer', 'merge', '3f9c', '8a0d', '--pairwise'], merged)).out).toBe(`${B}  2 rows, 3 edges, 1 contributors`)
    expect(asked.at(-1)).toEqual(['/v1/layers/merge', { a: '3f9c', b: '8a0d', pairwise: true }])
    expect((await run(['layer', 'merge', '3f9c', '8a0d'], { ...merged, how: 'contained' })).out).toMatch(/nothing to do/)
    const swapped = {
      answersFrom: { kind: 'layer', id: A, digest: B },
      before: { kind: 'consensus', id: '', digest: '' },
      prepareMs: 150,
      swapMs: 12.5,
    }
    const swap = await run(['layer', 'swap', '3f9c'], swapped)
    expect(swap.out).toBe('answers come from layer 3f9c1e07b2a4 (made in 150 ms, swapped in 12.5 ms)')
    expect(swap.err).toContain('sgsd layer swap consensus')
    expect((await run(['layer', 'fork', '3f9c'], { layer: B, from: A, seq: '13', before: '' })).out).toMatch(
      /own head is 8a0d.*seq 13, from 3f9c1e07b2a4$/,
    )
    expect((await run(['layer', 'unpin', '3f9c'], { layer: A, pinned: false, changed: true })).out).toBe('3f9c1e07b2a4 is now not pinned')
    expect(asked.at(-1)).toEqual(['/v1/layers/pin', { id: '3f9c', pinned: false, note: '' }])
  })
})

describe('sgsd consensus', () => {
  test('log and show', async () => {
    const log = await run(['consensus', 'log', '-n', '5'], { schema: 'sgsd.consensus-log/1', folds: [FOLD], kept: 12 })
    expect(log.out).toMatch(/37 +\[3f9c1e\]07b2a4 +8a0d5c11e9f7 +3 +7 +2026-11-22T08:00:00\.000Z\n12 are kept/)
    const head = { author: 'p', name: 'boreas', seq: '12', layer: B, weight: 1 }
    const heads: ConsensusDocument['heads'] = [
      { ...head, missing: 0 },
      { ...head, missing: 4 },
      { ...head, missing: -1 },
    ]
    const shown = await run(['consensus', 'show', '--at', 'epoch:7'], {
      schema: 'sgsd.consensus/1',
      fold: FOLD,
      foldId: 'evidence/1',
      current: true,
      heads,
    })
    expect(asked.at(-1)).toBe('/v1/consensus/show?at=epoch%3A7')
    expect(shown.out).toMatch(/\(running\)[\s\S]*boreas +12 .* here\n.*4 missing\n.*unknown/)
    expect(await run(['consensus', 'show', '--at', 'yesterday'], {})).toMatchObject({ code: 2 })
  })

  test('verify: what comes out otherwise is exit 7', async () => {
    const document: ConsensusVerifyDocument = {
      schema: 'sgsd.consensus-verify/1',
      fold: FOLD,
      agrees: true,
      id: A,
      digest: B,
      rows: 1,
      nnz: 2,
      fetched: 1,
      foldMs: 85,
    }
    const good = await run(['consensus', 'verify', '3f9c'], undefined, [{ event: 'end', document }])
    expect(good).toMatchObject({ code: 0, out: expect.stringMatching(/byte for byte[\s\S]*1 blocks fetched/) })
    const bad = await run(['consensus', 'verify'], undefined, [{ event: 'end', document: { ...document, agrees: false, digest: A } }])
    expect(bad).toMatchObject({ code: 7, out: expect.stringMatching(/comes out otherwise/) })
  })
})
