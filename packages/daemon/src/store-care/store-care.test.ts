import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlockId, LayerId, PeerName } from '@sgsd/consensus'
import { type BlockStore, isStoreError, openMemoryStore, openStore, type Store } from '@sgsd/store'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { StoreLine, StoreProgress } from './documents.ts'
import { jobLines } from './job-lines.ts'
import { Pins } from './pins.ts'
import { corpusRoots, meshRoots, type RootSource } from './roots.ts'
import { StoreCare } from './store-care.ts'
import { bytesNamed, headOf, type MadeLayer, makeChain, makeLayer, namedBy, OTHER, SELF } from './store-care.fixture.ts'

const root = mkdtempSync(join(tmpdir(), 'sgsd-care-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const POLICY = { keepLayers: 2, keepHistory: 3, graceMinutes: 10, scrubDays: 0 }

interface CareOptions {
  readonly sources?: readonly RootSource[]
  readonly from?: Store
  readonly graceMs?: number
  readonly namingMs?: number
}

/** Care of a store, with another store as its only peer. */
function careOf(
  store: Store,
  { sources = [], from, graceMs = 0, namingMs = 0 }: CareOptions = {},
): { care: StoreCare; pins: Pins; asked: [BlockId, PeerName][] } {
  const pins = new Pins(store.items)
  const asked: [BlockId, PeerName][] = []
  const fetch = async (id: BlockId, prefer: PeerName): Promise<void> => {
    asked.push([id, prefer])
    const there = await from?.blocks.read(id, 0)
    if (there === undefined) throw new Error('no peer has it')
    const sink = await store.blocks.receive(id)
    for await (const piece of there.body) await sink.write(piece)
    await sink.finish()
  }
  return { care: new StoreCare({ blocks: store.blocks, self: SELF, root, pins, sources, graceMs, namingMs, fetch }), pins, asked }
}

const held = (blocks: BlockStore): Set<BlockId> => new Set(blocks.list())

describe('gc', () => {
  test('keeps of a head two layers whole and three known, and frees the rest; what two layers share stays', async () => {
    const store = await openMemoryStore()
    const chain = await makeChain(store.blocks, 5)
    const { care } = careOf(store, { sources: [meshRoots(() => namedBy([chain[4]!]), POLICY)] })
    const before = held(store.blocks)
    const dry = await care.collect({ dryRun: true })
    expect(held(store.blocks)).toEqual(before)
    const report = await care.collect()
    expect(report).toMatchObject({ freed: dry.freed, held: '' })
    const kept = new Set<BlockId>()
    for (const { layer, lineage } of chain.slice(2)) for (const id of [layer, lineage]) kept.add(id)
    for (const { rows, state } of chain.slice(3)) for (const id of [...rows, state]) kept.add(id)
    expect(held(store.blocks)).toEqual(kept)
    // Manifests and lineages of two layers, rows of radical 1 and states of three.
    expect(report.freed.blocks).toBe(4 + 6)
  })

  test('a pinned layer stays whole until it is unpinned, over a reopening too', async () => {
    const dir = join(root, 'pinned')
    let store = await openStore(dir)
    const chain = await makeChain(store.blocks, 5)
    const [oldest] = chain as [MadeLayer]
    careOf(store).pins.pin({ layer: oldest.layer, author: SELF, note: 'before the move' })
    await store.close()
    store = await openStore(dir)
    const { care, pins } = careOf(store, { sources: [meshRoots(() => namedBy([chain[4]!]), POLICY)] })
    expect(pins.list()).toEqual([{ layer: oldest.layer, author: SELF, note: 'before the move' }])
    await care.collect()
    for (const id of [oldest.layer, oldest.state, oldest.lineage, ...oldest.rows]) expect(store.blocks.has(id)).toBe(true)
    expect(store.blocks.has(chain[1]!.layer)).toBe(false)
    expect([pins.unpin(oldest.layer), pins.unpin(oldest.layer), pins.has(oldest.layer)]).toEqual([true, false, false])
    await care.collect()
    expect(store.blocks.has(oldest.layer)).toBe(false)
    expect(() => pins.pin({ layer: '../x' as LayerId, author: SELF, note: '' })).toThrow(TypeError)
    await store.close()
  })

  test('a newer head of a member does not cost the one that is ready, while its layer is coming', async () => {
    const store = await openMemoryStore()
    const [ready] = (await makeChain(store.blocks, 1, OTHER)) as [MadeLayer]
    const coming: MadeLayer = { ...ready, layer: 'ff'.repeat(32) as LayerId, seq: 7n }
    const { care, asked } = careOf(store, { sources: [meshRoots(() => namedBy([ready], [coming]), POLICY)] })
    expect(await care.collect()).toMatchObject({ freed: { blocks: 0 }, held: '' })
    expect(await care.repair()).toEqual({ missing: 0, fetched: 0 })
    expect(asked).toEqual([])
  })

  test('without the manifest of a layer in use nothing is deleted; with it back, everything else is', async () => {
    const [store, peer] = [await openMemoryStore(), await openMemoryStore()]
    const chain = await makeChain(store.blocks, 4)
    await makeChain(peer.blocks, 4)
    const { care, asked } = careOf(store, { sources: [meshRoots(() => namedBy([chain[3]!]), POLICY)], from: peer })
    await store.blocks.delete(chain[3]!.layer)
    const count = held(store.blocks).size
    const report = await care.collect()
    expect(report).toMatchObject({ freed: { blocks: 0 }, spared: { blocks: count }, held: expect.stringContaining(chain[3]!.layer.slice(0, 16)) })
    expect(held(store.blocks).size).toBe(count)
    expect(await care.repair()).toEqual({ missing: 1, fetched: 1 })
    expect(asked).toEqual([[chain[3]!.layer, SELF]])
    expect((await care.collect()).freed.blocks).toBeGreaterThan(0)
  })

  test('texts, leaves and added roots stay; so do blocks in use, for as long as the grace period says', async () => {
    const store = await openMemoryStore()
    const [text, leaves, added, young] = await store.blocks.putMany(['text', 'leaves', 'added', 'young'].map((name) => bytesNamed(name)))
    const claim = { kind: 'claim', id: 'c', bytes: new Uint8Array(), value: { author: OTHER, leaves } }
    const named = { ...namedBy([]), claims: new Map([['c', claim]]) } as never
    const { care } = careOf(store, { sources: [meshRoots(() => named, POLICY), corpusRoots(SELF, () => [text!])], graceMs: 60_000 })
    care.addRoots(() => [{ type: 'block', kind: 'leaves', block: added!, author: SELF }])
    expect(await care.collect()).toMatchObject({ kept: { blocks: 3 }, spared: { blocks: 1 }, graceMs: 60_000 })
    expect(await care.collect({ graceMs: 0 })).toMatchObject({ freed: { blocks: 1 } })
    expect(held(store.blocks)).toEqual(new Set([text, leaves, added]))
    expect(store.blocks.has(young!)).toBe(false)
  })

  test('any graph of layers and any roots: what stays is what a naive walk finds', async () => {
    // Layer n has parents below n and rows by name; a root keeps so many generations whole and known.
    const layer = fc.record({
      parents: fc.array(fc.nat(9), { maxLength: 3 }),
      rows: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 4 }),
    })
    const rootOf = fc.record({ at: fc.nat(9), whole: fc.integer({ min: 1, max: 4 }), more: fc.nat(3) })
    await fc.assert(
      fc.asyncProperty(fc.array(layer, { minLength: 1, maxLength: 10 }), fc.array(rootOf, { maxLength: 4 }), async (graph, roots) => {
        const store = await openMemoryStore()
        const made: MadeLayer[] = []
        const parentsOf = graph.map(({ parents }, n) => [...new Set(parents.filter((parent) => parent < n))])
        for (const [n, { rows }] of graph.entries()) {
          const parents = parentsOf[n]!.map((parent) => made[parent]!.layer)
          made.push(await makeLayer(store.blocks, { seq: BigInt(n + 1), parents, rows }))
        }
        const expected = new Set<BlockId>()
        const walk = (n: number, whole: number, known: number): void => {
          if (known <= 0) return
          const { layer: id, lineage, state, rows } = made[n]!
          for (const block of whole > 0 ? [id, lineage, state, ...rows] : [id, lineage]) expected.add(block)
          for (const parent of parentsOf[n]!) walk(parent, whole - 1, known - 1)
        }
        const chosen = roots.map(({ at, whole, more }) => ({ made: made[at % made.length]!, n: at % made.length, whole, known: whole + more }))
        for (const { n, whole, known } of chosen) walk(n, whole, known)
        const source: RootSource = () =>
          chosen.map(({ made: { layer: id }, whole, known }) => ({ type: 'layer', layer: id, author: SELF, whole, known, when: 'needed' }))
        await careOf(store, { sources: [source] }).care.collect()
        // A root counts generations and layers; where a graph branches it may keep less history, never less content.
        const kept = held(store.blocks)
        for (const block of kept) expect(expected.has(block)).toBe(true)
        const content = new Set<BlockId>()
        const wholeWalk = (n: number, whole: number): void => {
          if (whole <= 0) return
          for (const block of [made[n]!.layer, made[n]!.state, ...made[n]!.rows]) content.add(block)
          for (const parent of parentsOf[n]!) wholeWalk(parent, whole - 1)
        }
        for (const { n, whole } of chosen) wholeWalk(n, whole)
        for (const block of content) expect(kept.has(block)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('beside commits, without end: the own head is whole at every moment, and the space does not grow', async () => {
    const store = await openMemoryStore()
    let head: MadeLayer | undefined
    const { care } = careOf(store, { sources: [meshRoots(() => namedBy(head === undefined ? [] : [head]), POLICY)], namingMs: 200 })
    let committing = true
    const commits = (async () => {
      for (let n = 1; n <= 60; n++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        const parents = head === undefined ? [] : [head.layer]
        // Rows come back that were the rows of radical 2 three layers ago: blocks that gc is about to delete.
        head = await makeLayer(store.blocks, { seq: BigInt(n), parents, rows: [`${n}`, `again ${n % 3}`, 'same'] })
      }
      committing = false
    })()
    let freed = 0
    while (committing) {
      await new Promise((resolve) => setImmediate(resolve))
      freed += (await care.collect()).freed.blocks
      if (head === undefined) continue
      const { layer, rows, state, lineage } = head
      for (const id of [layer, state, lineage, ...rows]) expect(store.blocks.has(id)).toBe(true)
    }
    await commits
    await new Promise((resolve) => setTimeout(resolve, 250))
    freed += (await care.collect()).freed.blocks
    // Two layers whole, three known; 60 layers of five blocks were made.
    expect(held(store.blocks).size).toBeLessThan(14)
    expect(freed).toBeGreaterThan(200)
  })
})

describe('scrub', () => {
  test('one bit flipped in 100 of 1,000 blocks: 100 found, 100 repaired from another store, none served meanwhile', { timeout: 60_000 }, async () => {
    const dir = join(root, 'flipped')
    await using store = await openStore(dir)
    await using peer = await openStore(join(root, 'peer'))
    const rows = Array.from({ length: 210 }, (_, n) => n)
    const layers: MadeLayer[] = []
    // 4 × (210 rows + state + lineage + manifest) and 148 segments of text, which nobody else has, make 1,000.
    for (let n = 1; n <= 4; n++) {
      for (const blocks of [peer.blocks, store.blocks])
        layers.push(await makeLayer(blocks, { seq: BigInt(n), author: OTHER, rows: rows.map((radical) => `${n} ${radical}`) }))
    }
    const texts = await store.blocks.putMany(Array.from({ length: 148 }, (_, n) => bytesNamed(`text ${n}`)))
    const all = [...store.blocks.list()]
    expect(all).toHaveLength(1_000)
    const source: RootSource = () => layers.map(({ layer, author }) => ({ type: 'layer', layer, author, whole: 1, known: 1, when: 'needed' }))
    const sources = [source, corpusRoots(SELF, () => texts)]
    const { care, asked } = careOf(store, { sources, from: peer })
    // Every block was verified in this process before: that must not matter.
    for (const id of all) await store.blocks.get(id)
    const flipped = all.filter((id, n) => n % 10 === 3 && !texts.includes(id))
    flipped.push(...all.filter((id, n) => n % 10 !== 3 && !texts.includes(id)).slice(0, 100 - flipped.length))
    for (const [n, id] of flipped.entries()) {
      const path = join(dir, 'blocks', id.slice(0, 2), `${id}.zst`)
      const bytes = readFileSync(path)
      bytes[(n * 7_919) % bytes.length]! ^= 1 << (n % 8)
      writeFileSync(path, bytes)
    }
    // Half of the damage is asked for while the scrub runs, as peers and the fold do: an error or the right bytes, never others.
    const served = flipped.slice(0, 50).map(async (id) => {
      const bytes = await store.blocks
        .get(id)
        .catch((error: unknown) => (isStoreError(error, 'BLOCK_CORRUPT') ? undefined : Promise.reject(error as Error)))
      return bytes === undefined || Buffer.from(bytes).equals((await peer.blocks.get(id))!)
    })
    const reports: StoreProgress[] = []
    const report = await care.scrub({ report: (progress) => reports.push(progress) })
    expect(await Promise.all(served)).toEqual(served.map(() => true))
    const repaired = new Set([...report.damaged.filter(({ repair }) => repair === 'fetched').map(({ id }) => id), ...asked.map(([id]) => id)])
    expect([...repaired].sort()).toEqual([...flipped].sort())
    expect(report.damaged.length + report.missing.blocks).toBe(100)
    expect(report.missing.fetched).toBe(report.missing.blocks)
    for (const id of flipped) expect(Buffer.from((await store.blocks.get(id))!).equals((await peer.blocks.get(id))!)).toBe(true)
    expect(await care.scrub()).toMatchObject({ checked: 1_000, damaged: [], missing: { blocks: 0 } })
    expect(reports.at(-1)).toMatchObject({ doing: 'fetching' })
    expect(asked.every(([, prefer]) => prefer === OTHER)).toBe(true)
  })

  test('says of each damaged block what became of it', async () => {
    await using store = await openStore(join(root, 'kinds'))
    const [chain, [loose]] = [await makeChain(store.blocks, 1), await store.blocks.putMany([bytesNamed('loose')])]
    const [head] = chain as [MadeLayer]
    const { care } = careOf(store, { sources: [meshRoots(() => namedBy([head]), POLICY)] })
    for (const id of [loose!, head.state]) writeFileSync(join(root, 'kinds', 'blocks', id.slice(0, 2), `${id}.zst`), 'damaged')
    const { damaged } = await care.scrub()
    expect(damaged).toEqual(
      [
        { id: loose, kind: 'unreferenced', repair: 'not needed' },
        { id: head.state, kind: 'state', repair: 'lost' },
      ].sort((a, b) => (a.id! < b.id! ? -1 : 1)),
    )
    expect(store.blocks.has(head.state)).toBe(false)
    expect((await care.usage()).missing).toBe(1)
  })

  test('keeps to its rate, and stops when told', async () => {
    const store = await openMemoryStore()
    await store.blocks.putMany(Array.from({ length: 10 }, (_, n) => bytesNamed(`${n}`, 1_000)))
    const { care } = careOf(store)
    const from = performance.now()
    const { bytes } = await care.scrub({ bytesPerSecond: 40_000 })
    expect(performance.now() - from).toBeGreaterThan((1_000 * bytes) / 40_000 - 20)
    await expect(care.scrub({ bytesPerSecond: 1, signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('du', () => {
  test('sorts by kind and by who names it, and its sums are those of the store', async () => {
    const store = await openMemoryStore()
    const own = await makeChain(store.blocks, 3)
    const others = await makeChain(store.blocks, 3, OTHER)
    const [text] = await store.blocks.putMany([bytesNamed('text'), bytesNamed('nobody')])
    const sources = [meshRoots(() => namedBy([own[2]!, others[2]!]), POLICY), corpusRoots(SELF, () => [text!])]
    const { care, pins } = careOf(store, { sources })
    pins.pin({ layer: own[0]!.layer, author: SELF, note: '' })
    const usage = await care.usage()
    const counts = Object.fromEntries(usage.kinds.map(({ kind, blocks }) => [kind, blocks]))
    // Of rows: 3 + 2 of radical 1, one of radical 2 each, one that all share. The state of others' first layer is named by nothing.
    expect(counts).toEqual({ manifest: 6, lineage: 6, rows: 3 + 2 + 2 + 1, state: 5, corpus: 1, unreferenced: 3 })
    expect(usage.total).toEqual({ blocks: (await store.blocks.usage()).blocks, bytes: (await store.blocks.usage()).bytes })
    for (const { bytes, ownBytes, othersBytes, sharedBytes, kind } of usage.kinds) {
      expect(ownBytes + othersBytes + sharedBytes).toBe(kind === 'unreferenced' ? 0 : bytes)
      expect(sharedBytes > 0).toBe(kind === 'rows')
    }
    expect(usage.layers).toMatchObject({ known: 6, whole: 5, pinned: 1 })
    expect(usage.layers.unsharedBytes).toBeGreaterThan(usage.layers.bytes)
  })
})

describe('the lines of a job', () => {
  const lines = async (source: AsyncIterable<StoreLine>): Promise<StoreLine[]> => {
    const all: StoreLine[] = []
    for await (const line of source) all.push(line)
    return all
  }

  test('end with the document', async () => {
    const store = await openMemoryStore()
    const { care } = careOf(store)
    const signal = new AbortController().signal
    expect(await lines(jobLines(care, { job: 'gc', dryRun: true }, signal))).toMatchObject([
      { event: 'end', document: { schema: 'sgsd.store-gc/1', dryRun: true } },
    ])
    expect((await lines(jobLines(care, { job: 'du' }, signal))).at(-1)).toMatchObject({ document: { schema: 'sgsd.store-du/1', by: 'daemon' } })
  })

  test('tell how far it is; a reader that goes ends it; one that fails is told', async () => {
    const store = await openMemoryStore()
    await store.blocks.putMany(Array.from({ length: 20 }, (_, n) => bytesNamed(`${n}`, 1_000)))
    const { care } = careOf(store)
    const signal = new AbortController().signal
    for await (const line of jobLines(care, { job: 'scrub', bytesPerSecond: 10_000 }, signal)) {
      expect(line).toMatchObject({ event: 'progress', doing: 'reading', total: 20 })
      break
    }
    await store.close()
    expect(await lines(jobLines(care, { job: 'scrub' }, signal))).toMatchObject([{ event: 'failed', code: 'CLOSED' }])
  })
})

test('heads are what roots are made of', () => {
  const made: MadeLayer = { layer: 'aa'.repeat(32) as LayerId, author: OTHER, seq: 3n, rows: [], state: '' as BlockId, lineage: '' as BlockId }
  expect([...meshRoots(() => namedBy([made], []), POLICY)()]).toEqual([
    { type: 'layer', layer: headOf(made).value.layer, author: OTHER, whole: 2, known: 3, when: 'needed' },
  ])
})
