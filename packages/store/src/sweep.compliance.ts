import type { BlockId } from '@sgsd/consensus'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { BlockEntry, BlockStore, SweepOptions } from './port.ts'
import type { StorePlace } from './store.compliance.ts'
import { sample, sha256 } from './testing/sample.ts'

/** Nothing is young, and nothing counts as in use. */
const AT_ONCE: SweepOptions = { writtenBefore: Infinity, unusedSince: Infinity }

/** What every store must do about many blocks at once, blocks that nothing names, and notes. */
export function sweepCompliance(name: string, createPlace: () => Promise<StorePlace>): void {
  describe(`${name}: many blocks`, () => {
    test('putMany is as many puts: any blocks, twice the same, some here already', async () => {
      await using store = await (await createPlace()).open()
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 12 }), async (seeds) => {
          const all = seeds.map((seed) => sample(seed, 100 + 50 * seed))
          expect(await store.blocks.putMany(all)).toEqual(all.map(sha256))
          for (const bytes of all) expect(await store.blocks.get(sha256(bytes))).toEqual(bytes)
        }),
        { numRuns: 20 },
      )
      expect([...store.blocks.list()].length).toBeLessThanOrEqual(31)
      expect(await store.blocks.putMany([])).toEqual([])
    })

    test('entries name every block with its stored size', async () => {
      await using store = await (await createPlace()).open()
      const ids = await store.blocks.putMany([1, 2, 3].map((seed) => sample(seed, 1_000 * seed)))
      const entries: BlockEntry[] = []
      for await (const entry of store.blocks.entries()) entries.push(entry)
      expect(entries.map(({ id }) => id)).toEqual([...ids].sort())
      expect(entries.reduce((sum, { bytes }) => sum + bytes, 0)).toBe((await store.blocks.usage()).bytes)
      for (const { writtenMs } of entries) expect(Math.abs(writtenMs - Date.now())).toBeLessThan(60_000)
    })

    test('scrub waits for its pace after each block and counts what it read', async () => {
      const place = await createPlace()
      await using store = await place.open()
      const ids = await store.blocks.putMany(Array.from({ length: 10 }, (_, n) => sample(n, 800)))
      await place.flipBit(ids[3]!)
      const { bytes } = await store.blocks.usage()
      const seen: number[] = []
      const report = await store.blocks.scrub(undefined, async (progress) => void seen.push(progress.checked))
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      expect(report).toEqual({ checked: 10, bytes, damaged: [ids[3]] })
    })
  })

  describe(`${name}: sweep`, () => {
    const five = async (blocks: BlockStore): Promise<readonly BlockId[]> => blocks.putMany([0, 1, 2, 3, 4].map((seed) => sample(seed, 500)))
    const held = (blocks: BlockStore): string[] => [...blocks.list()]

    test('takes what is not live and nothing else; a dry run only counts', async () => {
      await using store = await (await createPlace()).open()
      const ids = await five(store.blocks)
      const live = new Set(ids.slice(0, 2))
      const dry = await store.blocks.sweep((id) => live.has(id), { ...AT_ONCE, dryRun: true })
      expect(held(store.blocks)).toHaveLength(5)
      const swept = await store.blocks.sweep((id) => live.has(id), AT_ONCE)
      expect(swept).toEqual(dry)
      expect([swept.live.blocks, swept.freed.blocks, swept.spared.blocks]).toEqual([2, 3, 0])
      expect(swept.live.bytes).toBe((await store.blocks.usage()).bytes)
      expect(held(store.blocks)).toEqual([...live].sort())
      await expect(store.blocks.sweep(() => true, { ...AT_ONCE, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    })

    test('spares the young, and those that a clock which went back makes younger than now', async () => {
      const first = await (await createPlace()).open()
      await five(first.blocks)
      for (const ago of [60_000, 3_600_000]) {
        expect((await first.blocks.sweep(() => false, { writtenBefore: Date.now() - ago, unusedSince: Infinity })).spared.blocks).toBe(5)
      }
      await first.close()
    })

    test('spares what was put again or read since, however old its file', async () => {
      await using store = await (await createPlace()).open()
      await five(store.blocks)
      expect((await store.blocks.sweep(() => false, { writtenBefore: Infinity, unusedSince: 0 })).spared.blocks).toBe(5)
      const options = { writtenBefore: Infinity, unusedSince: performance.now() }
      await store.blocks.put(sample(0, 500))
      await store.blocks.get(sha256(sample(1, 500)))
      expect(await store.blocks.sweep(() => false, options)).toMatchObject({ freed: { blocks: 3 }, spared: { blocks: 2 } })
      expect(held(store.blocks)).toEqual([sha256(sample(0, 500)), sha256(sample(1, 500))].sort())
    })

    test('leases add up, and one disposed twice counts once', async () => {
      await using store = await (await createPlace()).open()
      const ids = await five(store.blocks)
      const [first, second] = [store.blocks.lease(ids.slice(0, 2)), store.blocks.lease([ids[1]!, ids[1]!])]
      expect((await store.blocks.sweep(() => false, AT_ONCE)).spared.blocks).toBe(2)
      first[Symbol.dispose]()
      first[Symbol.dispose]()
      await store.blocks.sweep(() => false, AT_ONCE)
      expect(held(store.blocks)).toEqual([ids[1]])
      second[Symbol.dispose]()
      await store.blocks.sweep(() => false, AT_ONCE)
      expect(held(store.blocks)).toEqual([])
    })

    test('beside puts of the same blocks: what was acknowledged before a sweep began to look is here after it', async () => {
      await using store = await (await createPlace()).open()
      const all = Array.from({ length: 24 }, (_, n) => sample(n, 300))
      for (let round = 0; round < 8; round++) {
        const from = performance.now()
        const puts = all.map((bytes) => store.blocks.put(bytes))
        await Promise.all([...puts, store.blocks.sweep(() => false, { writtenBefore: Infinity, unusedSince: from })])
        for (const bytes of all) expect(store.blocks.has(sha256(bytes))).toBe(true)
        await store.blocks.sweep(() => false, AT_ONCE)
      }
      expect(held(store.blocks)).toEqual([])
    })
  })

  test(`${name}: notes are kept by kind and key, in batches too`, async () => {
    const place = await createPlace()
    const first = await place.open()
    first.items.setNote('pin', 'b', sample(1, 3))
    first.items.setNote('pin', 'a', sample(2, 3))
    first.items.setNote('pin', 'b', sample(3, 3))
    first.items.setNote('other', 'c', new Uint8Array())
    expect(first.items.deleteNote('other', 'b')).toBe(false)
    expect(() =>
      first.items.batch(() => {
        expect(first.items.deleteNote('pin', 'a')).toBe(true)
        throw new Error('half way')
      }),
    ).toThrow('half way')
    await first.close()
    await using again = await place.open()
    expect(Array.from(again.items.notes('pin'), (note) => ({ ...note }))).toEqual([
      { key: 'a', bytes: sample(2, 3) },
      { key: 'b', bytes: sample(3, 3) },
    ])
    expect([...again.items.notes('none')]).toEqual([])
    expect([...again.items.items()]).toEqual([])
  })
}
