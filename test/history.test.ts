import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AskDocument,
  type BlameDocument,
  type ConsensusDocument,
  type ConsensusLogDocument,
  type ConsensusVerifyDocument,
  type LayerCloneDocument,
  type LayerDiffDocument,
  type LayerDocument,
  type LayerForkDocument,
  type LayerLogDocument,
  type LayerMergeDocument,
  type LayersDocument,
  type LayerSwapDocument,
  openControl,
  type StatusDocument,
} from '../packages/daemon/src/index.ts'
import { type Note, openStore } from '../packages/store/src/index.ts'
import { type Daemon, killAll, sgsd, sgsdJson, statusWhen, up } from './sgsd.ts'

const PATIENCE_MS = 180_000
const LOOPBACK = '/ip4/127.0.0.1/tcp/0'
const POEMS = new URL('../packages/lattice/data/corpus/tang.txt.zst', import.meta.url)
/** Lines of the first poems, for each member. */
const LINES = 3_000
/** What a swap may take, ms. */
const SWAP_MS = 100

let root: string
let poems: readonly string[]
const at = (name: string): string => join(root, name)
const on = (name: string, ...words: string[]): string[] => [...words, '--data-dir', at(name)]

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-history-'))
  poems = zstdDecompressSync(await readFile(POEMS))
    .toString('utf8')
    .split('\n')
})

afterAll(async () => {
  await killAll()
  await rm(root, { recursive: true, force: true })
})

/** Gives a node lines of the corpus and waits until they are learned and folded. @returns its head */
async function farm(name: string, from: number): Promise<string> {
  const text = `${poems.slice(from, from + LINES).join('\n')}\n`
  await sgsdJson(on(name, 'farm', '-', '--again'), text)
  return (await openControl(at(name)).get<StatusDocument>('/v1/status')).lattice.layer
}

/** Changes the digest of a node's oldest record, while it does not run. @returns its number */
async function forge(name: string): Promise<number> {
  await using store = await openStore(at(name))
  const [{ key, bytes }] = [...store.items.notes('consensus')] as [Note]
  const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as { n: number; digest: string }
  store.items.setNote('consensus', key, Buffer.from(JSON.stringify({ ...record, digest: '0'.repeat(64) })))
  return record.n
}

const agreed = ({ mesh, consensus }: StatusDocument, heads: number): boolean => consensus.heads === heads && mesh.agreeing === 2

async function found(fold: 'evidence' | 'mean', names: readonly [string, string]): Promise<readonly [Daemon, Daemon]> {
  const [a, b] = names
  await sgsdJson(on(a, 'init', '--mesh', fold, '--name', a, '--fold', fold, '--listen', LOOPBACK))
  const first = await up(at(a), '--no-mine', '--no-farm')
  const invite = (await sgsd(on(a, 'invite'))).out.trim().split('\n')[0]!
  await sgsdJson(on(b, 'join', '-', '--name', b, '--listen', LOOPBACK), `${invite}\n`)
  const second = await up(at(b), '--no-mine', '--no-farm')
  await Promise.all(names.map((name) => statusWhen(at(name), ({ mesh }) => mesh.members === 2 && mesh.connected === 1)))
  return [first, second]
}

describe('two nodes that sum counts', { timeout: PATIENCE_MS }, () => {
  let first: string
  let ofAtlas: string
  let ofBoreas: string
  let boreas: Daemon

  beforeAll(async () => {
    const daemons = await found('evidence', ['atlas', 'boreas'])
    boreas = daemons[1]
    first = await farm('atlas', 0)
    ofAtlas = await farm('atlas', LINES)
    ofBoreas = await farm('boreas', 2 * LINES)
    await Promise.all(['atlas', 'boreas'].map((name) => statusWhen(at(name), (status) => agreed(status, 2))))
  }, PATIENCE_MS)

  test('ls and log name every layer before its parents, across members', async () => {
    const { layers } = await sgsdJson<LayersDocument>(on('atlas', 'layer', 'ls'))
    expect(layers.map(({ name, layer, head, inConsensus, missing }) => [name, layer, head, inConsensus, missing])).toEqual([
      ['atlas', ofAtlas, true, true, 0],
      ['boreas', ofBoreas, true, true, 0],
    ])
    const log = await sgsdJson<LayerLogDocument>(on('atlas', 'layer', 'log', '-n', '1000'))
    const place = new Map(log.layers.map(({ layer }, i) => [layer, i]))
    expect(log.layers.length).toBeGreaterThan(2)
    for (const { layer, parents } of log.layers) {
      for (const parent of parents) if (place.has(parent)) expect(place.get(parent)!).toBeGreaterThan(place.get(layer)!)
    }
    expect(place.get(first)).toBeDefined()
    const text = await sgsd(on('atlas', 'layer', 'log', '--graph'))
    expect(text.out).toContain('●')
    expect(text.out).toMatch(/atlas\*.* head c/)
    // what boreas learned before its head is not fetched unasked
    const { parents } = log.layers[place.get(ofBoreas)!]!
    if (parents.length > 0 && !place.has(parents[0]!)) expect(log.unknown).toContain(parents[0])
  })

  test('show says which lines of which texts a layer learned; prefixes are enough, and what is ambiguous is named', async () => {
    const shown = await sgsdJson<LayerDocument>(on('atlas', 'layer', 'show', first.slice(0, 10)))
    expect(shown.row.layer).toBe(first)
    expect(shown.learned?.every(({ here }) => here)).toBe(true)
    expect(shown.learned?.at(-1)?.to).toBe(LINES)
    expect(shown.contributors).toHaveLength(1)
    const unknown = await sgsd(on('atlas', 'layer', 'show', 'ffffffffffff'))
    expect(unknown.code).toBe(1)
    expect(unknown.err).toMatch(/no layer here begins with ffffffffffff .*→ .*sgsd layer/s)
    expect((await sgsd(on('atlas', 'layer', 'show', 'own'))).out).toContain(ofAtlas)
  })

  test('diff counts rows and pairs by radical, and names the greatest changes with their characters', async () => {
    await sgsdJson(on('atlas', 'layer', 'pin', first))
    const diff = await sgsdJson<LayerDiffDocument>(on('atlas', 'layer', 'diff', first, ofAtlas, '--top', '5'))
    expect(diff.edges.added).toBeGreaterThan(1_000)
    expect(diff.edges.removed).toBe(0)
    expect(diff.top).toHaveLength(5)
    expect(diff.top.every(({ after, before }) => after > before)).toBe(true)
    expect(diff.commonAncestors).toEqual([first])
    const text = await sgsd(on('atlas', 'layer', 'diff', first, 'own'))
    expect(text.out).toContain(`${diff.top[0]!.columnCharacter} → ${diff.top[0]!.rowCharacter}`)
  })

  test('blame goes from an edge to members, layers and lines', async () => {
    const { top } = await sgsdJson<LayerDiffDocument>(on('atlas', 'layer', 'diff', first, ofAtlas, '--top', '1'))
    const { rowCharacter: row, columnCharacter: column, after } = top[0]!
    const blame = await sgsdJson<BlameDocument>(on('atlas', 'layer', 'blame', row, column))
    const atlas = blame.members.find(({ self }) => self)!
    expect(atlas.count).toBe(after)
    expect(blame.edges[0]!.tau + blame.edges[0]!.rho).toBeGreaterThan(0)
    const lines = atlas.layers.flatMap((layer) => layer.lines)
    expect(lines.length).toBeGreaterThan(0)
    for (const { content, before } of lines) {
      expect(content).toContain(row)
      expect((before ?? { content }).content).toContain(column)
    }
    expect(blame.members.find(({ self }) => !self)?.layers.flatMap((layer) => layer.lines) ?? []).toEqual([])
    const text = await sgsd(on('atlas', 'layer', 'blame', row, column))
    expect(text.out).toContain(lines[0]!.content)
    expect((await sgsd(on('atlas', 'layer', 'blame', row))).out).toContain(`→ ${row}`)
    expect((await sgsd(on('atlas', 'layer', 'blame', 'x'))).err).toMatch(/no row for x/)
  })

  test('clone brings a whole layer, verify reads it; a second time nothing is fetched', async () => {
    const cloned = await sgsdJson<LayerCloneDocument>(on('boreas', 'layer', 'clone', 'atlas', '--layer', first))
    expect(cloned.layer).toBe(first)
    expect(cloned.row).toMatchObject({ missing: 0, pinned: true, name: 'atlas' })
    expect((await sgsdJson<LayerCloneDocument>(on('boreas', 'layer', 'clone', 'atlas', '--layer', first))).had).toBe(cloned.blocks)
    expect((await sgsd(on('boreas', 'layer', 'verify', first))).out).toMatch(/✓ hashes[\s\S]*✓ content[\s\S]*is good/)
    const nobody = await sgsd(on('boreas', 'layer', 'clone', 'nobody'))
    expect(nobody.code).toBe(1)
    expect(nobody.err).toContain('sgsd peer ls')
  })

  test('merge folds the contributor set: no order, grouping or repetition changes its rows', async () => {
    const merge = (a: string, b: string): Promise<LayerMergeDocument> => sgsdJson(on('atlas', 'layer', 'merge', a, b))
    const ab = await merge(ofAtlas, ofBoreas)
    expect(ab.how).toBe('merged')
    expect(ab.contributors).toHaveLength(2)
    expect((await merge(ofBoreas, ofAtlas)).layer).toBe(ab.layer)
    expect(await merge(ab.layer, ofAtlas)).toMatchObject({ how: 'contained', layer: ab.layer })
    // of one author the newest layer counts: the older one adds nothing
    expect(await merge(ab.layer, first)).toMatchObject({ how: 'contained', layer: ab.layer })
    expect(await merge(first, ofAtlas)).toMatchObject({ how: 'contained', layer: ofAtlas })
    const shown = await sgsdJson<LayerDocument>(on('atlas', 'layer', 'show', ab.layer))
    expect(shown.row).toMatchObject({ merge: true, head: false, pinned: true })
    expect(shown.row.parents).toEqual([ofAtlas, ofBoreas].sort())
    const grouped = await merge((await merge(first, ofBoreas)).layer, ofAtlas)
    const other = await sgsdJson<LayerDocument>(on('atlas', 'layer', 'show', grouped.layer))
    expect(other.blocks).toEqual(shown.blocks)
    expect(other.state).toBe(shown.state)
    const pairwise = await sgsdJson<LayerMergeDocument>(on('atlas', 'layer', 'merge', ofAtlas, ofBoreas, '--pairwise'))
    expect(pairwise.how).toBe('pairwise')
    expect(pairwise.layer).not.toBe(ab.layer)
  })

  test('swap under load: no question fails, no swap takes 100 ms, and every answer is that of what it says it comes from', async () => {
    const control = openControl(at('atlas'))
    const ask = (): Promise<AskDocument> => control.post<AskDocument>('/v1/ask', { text: '明月', k: 8 })
    const { nearest: now, answersFrom } = await ask()
    expect(answersFrom.kind).toBe('consensus')
    const merged = (await sgsdJson<LayerMergeDocument>(on('atlas', 'layer', 'merge', ofAtlas, ofBoreas))).layer
    let stop = false
    const asked: { readonly document: AskDocument; readonly ms: number }[] = []
    const load = Array.from({ length: 4 }, async () => {
      while (!stop) {
        const began = performance.now()
        asked.push({ document: await ask(), ms: performance.now() - began })
      }
    })
    const swaps: LayerSwapDocument[] = []
    for (const to of [first, 'consensus', merged, ofBoreas, 'consensus', first, ofBoreas]) {
      swaps.push(await control.post<LayerSwapDocument>('/v1/layers/swap', { to }))
    }
    stop = true
    await Promise.all(load)
    expect(asked.length).toBeGreaterThan(20)
    const slowest = asked.reduce((most, { ms }) => Math.max(most, ms), 0)
    const longest = swaps.reduce((most, { swapMs }) => Math.max(most, swapMs), 0)
    expect(longest).toBeLessThan(SWAP_MS)
    expect(slowest).toBeLessThan(1_000)
    // every answer is that of what it says it comes from
    const answers = new Map<string, AskDocument['nearest']>([['', now]])
    for (const { document } of asked) {
      if (!answers.has(document.answersFrom.id)) answers.set(document.answersFrom.id, document.nearest)
      expect(document.nearest).toEqual(answers.get(document.answersFrom.id))
    }
    expect(answers.size).toBeGreaterThan(2)
    const status = await sgsd(on('atlas', 'status'))
    expect(status.out).toMatch(/answered from layer [0-9a-f]{12}/)
    expect((await ask()).nearest).not.toEqual(now)
    // the merge of both heads is the consensus
    await sgsdJson(on('atlas', 'layer', 'swap', merged))
    expect((await ask()).nearest).toEqual(now)
    await sgsdJson(on('atlas', 'layer', 'swap', 'consensus'))
    expect((await sgsd(on('atlas', 'status'))).out).not.toMatch(/answered from/)
  })

  test('every fold is on record and comes out again, byte for byte; a kill forgets none', async () => {
    const { folds } = await sgsdJson<ConsensusLogDocument>(on('boreas', 'consensus', 'log'))
    expect(folds.length).toBeGreaterThan(1)
    for (const { n, id } of folds.slice(0, 3)) {
      const verified = await sgsdJson<ConsensusVerifyDocument>(on('boreas', 'consensus', 'verify', '--at', String(n)))
      expect(verified).toMatchObject({ agrees: true, id })
    }
    await boreas.kill()
    const forged = await forge('boreas')
    boreas = await up(at('boreas'), '--no-mine', '--no-farm')
    const again = await sgsdJson<ConsensusLogDocument>(on('boreas', 'consensus', 'log', '-n', '1000'))
    const before = new Map(folds.map((fold) => [fold.n, fold]))
    for (const fold of again.folds) if (before.has(fold.n) && fold.n !== forged) expect(fold).toEqual(before.get(fold.n))
    const disagrees = await sgsd(on('boreas', 'consensus', 'verify', '--at', String(forged)))
    expect(disagrees).toMatchObject({ code: 7, out: expect.stringMatching(/comes out otherwise/) })
    const shown = await sgsdJson<ConsensusDocument>(on('boreas', 'consensus', 'show', folds[0]!.id.slice(0, 12)))
    expect(shown.heads.map(({ layer }) => layer).sort()).toEqual([ofAtlas, ofBoreas].sort())
    expect((await sgsd(on('boreas', 'consensus', 'show', '--at', 'epoch:0'))).code).toBe(0)
    expect((await sgsd(on('boreas', 'consensus', 'show', 'ffff'))).err).toContain('sgsd consensus log')
  })

  test('a consensus whose blocks are gone is folded from those of peers', async () => {
    const { heads } = await sgsdJson<ConsensusDocument>(on('boreas', 'consensus', 'show'))
    const state = (await sgsdJson<LayerDocument>(on('boreas', 'layer', 'show', heads.find(({ name }) => name === 'atlas')!.layer))).state
    await statusWhen(at('boreas'), ({ mesh }) => mesh.connected === 1)
    await rm(join(at('boreas'), 'blocks', state.slice(0, 2), `${state}.zst`))
    expect(await readdir(join(at('boreas'), 'blocks', state.slice(0, 2)))).not.toContain(`${state}.zst`)
    const verified = await sgsdJson<ConsensusVerifyDocument>(on('boreas', 'consensus', 'verify'))
    expect(verified).toMatchObject({ agrees: true, fetched: 1 })
  })

  test('a foreign layer is not forked, since its counts would count twice; going back to an own one is', async () => {
    const foreign = await sgsd(on('atlas', 'layer', 'fork', ofBoreas))
    expect(foreign.code).toBe(1)
    expect(foreign.err).toMatch(/boreas's.*count its lines twice.*sgsd layer swap/s)
    const forked = await sgsdJson<LayerForkDocument>(on('atlas', 'layer', 'fork', first))
    expect(forked).toMatchObject({ from: first, before: ofAtlas })
    const shown = await sgsdJson<LayerDocument>(on('atlas', 'layer', 'show', 'own'))
    expect(shown.row).toMatchObject({ layer: forked.layer, parents: [first], head: true })
    expect(shown.blocks).toEqual((await sgsdJson<LayerDocument>(on('atlas', 'layer', 'show', first))).blocks)
    await statusWhen(at('boreas'), (status) => agreed(status, 2))
    const next = await farm('atlas', LINES)
    expect((await sgsdJson<LayerDocument>(on('atlas', 'layer', 'show', next))).row.parents).toHaveLength(1)
    // learning the same lines again from there gives the rows that were left
    const diff = await sgsdJson<LayerDiffDocument>(on('atlas', 'layer', 'diff', ofAtlas, next))
    expect(diff.radicals).toEqual([])
  })
})

describe('two nodes that average weights', { timeout: PATIENCE_MS }, () => {
  test('learning goes on from a foreign layer', async () => {
    const [castor] = await found('mean', ['castor', 'pollux'])
    const theirs = await farm('castor', 0)
    await statusWhen(at('pollux'), (status) => agreed(status, 1))
    const forked = await sgsdJson<LayerForkDocument>(on('pollux', 'layer', 'fork', theirs.slice(0, 12)))
    const shown = await sgsdJson<LayerDocument>(on('pollux', 'layer', 'show', 'own'))
    expect(shown.row).toMatchObject({ layer: forked.layer, parents: [theirs], name: 'pollux' })
    await statusWhen(at('castor'), (status) => agreed(status, 2))
    expect((await sgsd(on('castor', 'consensus', 'verify'))).out).toMatch(/byte for byte/)
    const log = await sgsd(on('castor', 'layer', 'log', '--graph'))
    expect(log.out).toMatch(/pollux[\s\S]*castor/)
    // what nobody has any more is named
    const { state } = await sgsdJson<LayerDocument>(on('pollux', 'layer', 'show', theirs))
    await castor.kill()
    await rm(join(at('pollux'), 'blocks', state.slice(0, 2), `${state}.zst`))
    const lost = await sgsd(on('pollux', 'consensus', 'verify'))
    expect(lost.code).toBe(1)
    expect(lost.err).toContain(`${state.slice(0, 12)}…`)
    expect(lost.err).toContain('sgsd layer clone')
    expect((await sgsd(on('pollux', 'layer', 'verify', theirs))).code).toBe(7)
  })
})
