import type { LayerId, PeerName } from '@sgsd/consensus'
import { createMemoryDisk, openMemoryStore } from '@sgsd/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConsensusLog, type ConsensusRecord } from './consensus-log.ts'

const peers = ['ada', 'bea', 'cai'] as PeerName[]

/** Folds one after another: of each member the layer that it has at the time, or none. */
const folds: fc.Arbitrary<readonly Omit<ConsensusRecord, 'n'>[]> = fc
  .array(fc.tuple(fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2)), fc.nat(2), fc.constantFrom(1, 0.5)), { maxLength: 24 })
  .map((list) =>
    list.map(([layers, epoch, weight], i) => ({
      id: layers.join('').padEnd(64, 'a'),
      digest: layers.join('').padEnd(64, 'b'),
      epoch: BigInt(epoch + i),
      at: 1_000 + i,
      heads: layers.flatMap((layer, m) =>
        layer === 0 ? [] : [{ author: peers[m]!, seq: BigInt(layer), layer: String(layer).repeat(64) as LayerId, weight }],
      ),
    })),
  )

test('it keeps what a list of the last records keeps, across restarts', async () => {
  await fc.assert(
    fc.asyncProperty(folds, fc.integer({ min: 1, max: 6 }), fc.array(fc.nat(24), { maxLength: 3 }), async (list, keep, restarts) => {
      const disk = createMemoryDisk()
      let store = await openMemoryStore(disk)
      let log = new ConsensusLog(store.items, keep)
      let model: ConsensusRecord[] = []
      let n = 0
      for (const [i, fold] of list.entries()) {
        const last = model.at(-1)
        const isNew = last === undefined || last.id !== fold.id || last.digest !== fold.digest
        expect(log.append(fold)).toBe(isNew)
        if (isNew) model = [...model, { ...fold, n: ++n }].slice(-keep)
        if (restarts.includes(i)) {
          await store.close()
          store = await openMemoryStore(disk)
          log = new ConsensusLog(store.items, keep)
        }
        expect(log.size).toBe(model.length)
        for (const record of model) expect(log.record(record.n)).toEqual(record)
        expect(log.record((model[0]?.n ?? 1) - 1)).toBeUndefined()
        expect(log.newest).toEqual(model.at(-1))
        expect(log.list(3).map(({ n: number, count }) => [number, count])).toEqual(
          model
            .slice(-3)
            .reverse()
            .map((record) => [record.n, record.heads.length]),
        )
        const window = model.slice(-2).flatMap(({ heads }) => heads.map(({ author, layer }) => `${author} ${layer}`))
        expect(new Set(log.heads(2).map(({ author, layer }) => `${author} ${layer}`))).toEqual(new Set(window))
        const epoch = fold.epoch
        expect(log.ofEpoch(epoch)).toBe(model.findLast((record) => record.epoch <= epoch)?.n)
      }
      // nothing is left of what is no longer kept
      const entries = [...store.items.notes('consensus')].length
      expect(entries).toBe(model.length)
      const spans = [...store.items.notes('consensus-head')].length
      const distinct = new Set(model.flatMap(({ heads }) => heads.map(({ author, layer, weight }) => `${author} ${layer} ${weight}`)))
      expect(spans).toBeLessThanOrEqual(model.reduce((sum, { heads }) => sum + heads.length, 0))
      expect(spans).toBeGreaterThanOrEqual(distinct.size)
    }),
    { numRuns: 60 },
  )
})

test('one changed head of many costs two notes and an entry', async () => {
  const store = await openMemoryStore()
  let written = 0
  const { items } = store
  const counting = {
    notes: items.notes.bind(items),
    deleteNote: items.deleteNote.bind(items),
    batch: items.batch.bind(items),
    setNote: (...args: Parameters<typeof items.setNote>) => {
      written += 1
      items.setNote(...args)
    },
  }
  const log = new ConsensusLog(counting, 16)
  const head = (m: number, seq: number): ConsensusRecord['heads'][number] => ({
    author: `peer${String(m).padStart(3, '0')}` as PeerName,
    seq: BigInt(seq),
    layer: `${m}-${seq}` as LayerId,
    weight: 1,
  })
  const many = Array.from({ length: 100 }, (_, m) => head(m, 1))
  log.append({ id: 'a', digest: 'a', epoch: 0n, at: 0, heads: many })
  written = 0
  log.append({ id: 'b', digest: 'b', epoch: 0n, at: 1, heads: [head(0, 2), ...many.slice(1)] })
  expect(written).toBe(3)
  expect(log.record(1)?.heads[0]?.layer).toBe('0-1')
  expect(log.record(2)?.heads[0]?.layer).toBe('0-2')
})
