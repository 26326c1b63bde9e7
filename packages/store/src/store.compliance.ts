import type { BlockId, ItemId, ItemKind } from '@sgsd/consensus'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'

import { MAX_PACKED_BYTES } from './limits.ts'
import type { BlockStore, Store, StoredItem } from './port.ts'
import { sample, sha256 } from './testing/sample.ts'
import type { StoreErrorCode } from './store-error.ts'
import { pack } from './zstd.ts'

/** One place where a store keeps its data, empty at first. */
export interface StorePlace {
  /** Opens the store on what earlier ones of this place left. */
  open(): Promise<Store>
  /** Flips one bit in the middle of a block's stored form, behind the store's back. */
  flipBit(id: BlockId): Promise<void>
}

/** What every store must do; both implementations run it. */
export function storeCompliance(name: string, createPlace: () => Promise<StorePlace>): void {
  describe(name, () => {
    const opened: Store[] = []
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })
    const openAt = async (place: StorePlace): Promise<Store> => {
      const store = await place.open()
      opened.push(store)
      return store
    }
    const open = async (): Promise<Store> => openAt(await createPlace())

    describe('blocks', () => {
      test('any bytes come back under their SHA-256', async () => {
        const { blocks } = await open()
        await fc.assert(
          fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (bytes) => {
            const id = await blocks.put(bytes)
            expect(id).toBe(sha256(bytes))
            expect(await blocks.get(id)).toEqual(bytes)
          }),
          { numRuns: 30 },
        )
      })

      test('the store keeps its own copy', async () => {
        const { blocks } = await open()
        const bytes = sample(1, 1000)
        const id = await blocks.put(bytes)
        bytes.fill(0)
        const first = (await blocks.get(id))!
        first.fill(0)
        expect(await blocks.get(id)).toEqual(sample(1, 1000))
      })

      test('the same block twice is one block; usage and list follow puts and deletes', async () => {
        const { blocks } = await open()
        expect(await blocks.usage()).toMatchObject({ blocks: 0, bytes: 0 })
        const ids = [await blocks.put(sample(1, 2000)), await blocks.put(sample(2, 3000)), await blocks.put(sample(1, 2000))]
        expect(ids[2]).toBe(ids[0])
        const expected = (await pack(sample(1, 2000))).length + (await pack(sample(2, 3000))).length
        expect(await blocks.usage()).toMatchObject({ blocks: 2, bytes: expected })
        expect([...blocks.list()]).toEqual([...new Set(ids)].sort())
        await blocks.delete(ids[0]!)
        await blocks.delete(ids[0]!)
        expect(blocks.has(ids[0]!)).toBe(false)
        expect([...blocks.list()]).toEqual([ids[1]])
        const usage = await blocks.usage()
        expect(usage).toMatchObject({ blocks: 1, bytes: (await pack(sample(2, 3000))).length })
        expect(usage.freeBytes).toBeGreaterThan(0)
      })

      test('what is not here is undefined', async () => {
        const { blocks } = await open()
        const id = sha256(sample(9, 10))
        expect(blocks.has(id)).toBe(false)
        expect(await blocks.get(id)).toBeUndefined()
        expect(await blocks.read(id, 0)).toBeUndefined()
      })

      test('hostile ids are not here, and nothing can be received under them', async () => {
        const { blocks } = await open()
        const known = await blocks.put(sample(1, 100))
        const near = [known.toUpperCase(), `${known}0`, known.slice(1), ` ${known}`, `${known}\n`, `${known}/`, `../${known}`]
        for (const text of ['', '.', '..', '../../etc/passwd', '\0', 'a/b', 'a'.repeat(1_000_000), ...near]) {
          const id = text as BlockId
          expect(blocks.has(id)).toBe(false)
          expect(await blocks.get(id)).toBeUndefined()
          expect(await blocks.read(id, 0)).toBeUndefined()
          await blocks.delete(id)
          await expect(blocks.receive(id)).rejects.toMatchObject({ code: 'ID_INVALID' satisfies StoreErrorCode })
        }
        expect([...blocks.list()]).toEqual([known])
      })

      test('reading from any offset gives the rest of the same compressed bytes', async () => {
        const { blocks } = await open()
        const bytes = sample(3, 400_000)
        const id = await blocks.put(bytes)
        const whole = await packedOf(blocks, id)
        expect(sha256(whole)).toBe(sha256(await pack(bytes)))
        for (const offset of [0, 1, 131_071, 131_072, whole.length - 1, whole.length, whole.length + 5]) {
          const { size, body } = (await blocks.read(id, offset))!
          expect(size).toBe(whole.length)
          expect(sha256(await collect(body))).toBe(sha256(whole.slice(offset)))
        }
        await expect(blocks.read(id, -1)).rejects.toThrow(RangeError)
        await expect(blocks.read(id, Number.NaN)).rejects.toThrow(RangeError)
      })

      test('put works over a damaged block; get moves it aside and says so once', async () => {
        const place = await createPlace()
        const { blocks } = await openAt(place)
        const id = await blocks.put(sample(4, 5_000))
        expect(await blocks.get(id)).toBeDefined()
        await place.flipBit(id)
        await expect(blocks.get(id)).rejects.toMatchObject({ code: 'BLOCK_CORRUPT' satisfies StoreErrorCode, data: { id } })
        expect(blocks.has(id)).toBe(false)
        expect(await blocks.get(id)).toBeUndefined()
        await blocks.put(sample(4, 5_000))
        await place.flipBit(id)
        await blocks.put(sample(4, 5_000))
        expect(await blocks.get(id)).toEqual(sample(4, 5_000))
      })

      test('a damaged block is not read to a peer, although it was verified before', async () => {
        const place = await createPlace()
        const { blocks } = await openAt(place)
        const id = await blocks.put(sample(5, 5_000))
        await packedOf(blocks, id)
        await place.flipBit(id)
        await expect(blocks.read(id, 0)).rejects.toMatchObject({ code: 'BLOCK_CORRUPT' satisfies StoreErrorCode })
        expect(await blocks.read(id, 0)).toBeUndefined()
      })

      test('scrub finds exactly the damaged blocks', async () => {
        const place = await createPlace()
        const { blocks } = await openAt(place)
        const ids: BlockId[] = []
        for (let n = 0; n < 40; n++) ids.push(await blocks.put(sample(100 + n, 500 + 37 * n)))
        expect(await blocks.scrub()).toMatchObject({ checked: 40, damaged: [] })
        const damaged = ids.filter((_, n) => n % 4 === 1).sort()
        for (const id of damaged) await place.flipBit(id)
        expect(await blocks.scrub()).toMatchObject({ checked: 40, damaged })
        expect([...blocks.list()]).toEqual(ids.filter((id) => !damaged.includes(id)).sort())
        expect(await blocks.usage()).toMatchObject({ blocks: 30 })
        expect(await blocks.scrub()).toMatchObject({ checked: 30, damaged: [] })
        await expect(blocks.scrub(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
      })

      test('random histories agree with a map', async () => {
        const operation = fc.record({ what: fc.constantFrom('put', 'put', 'get', 'delete', 'flip', 'reopen'), which: fc.integer({ min: 0, max: 4 }) })
        await fc.assert(
          fc.asyncProperty(fc.array(operation, { maxLength: 16 }), async (history) => {
            const place = await createPlace()
            let store = await openAt(place)
            const model = new Map<BlockId, 'good' | 'damaged'>()
            for (const { what, which } of history) {
              const bytes = sample(which, 300 * which + 20)
              const id = sha256(bytes)
              const state = model.get(id)
              if (what === 'put') {
                await store.blocks.put(bytes)
                model.set(id, 'good')
              } else if (what === 'delete') {
                await store.blocks.delete(id)
                model.delete(id)
              } else if (what === 'flip' && state !== undefined) {
                await place.flipBit(id)
                model.set(id, state === 'good' ? 'damaged' : 'good')
              } else if (what === 'reopen') {
                await store.close()
                store = await openAt(place)
              } else if (what === 'get') {
                if (state === 'damaged') await expect(store.blocks.get(id)).rejects.toMatchObject({ code: 'BLOCK_CORRUPT' })
                else expect(await store.blocks.get(id)).toEqual(state === 'good' ? bytes : undefined)
                if (state === 'damaged') model.delete(id)
              }
              expect([...store.blocks.list()]).toEqual([...model.keys()].sort())
            }
            const damaged = [...model].filter(([, state]) => state === 'damaged').map(([id]) => id)
            expect(await store.blocks.scrub()).toMatchObject({ checked: model.size, damaged: damaged.sort() })
            await store.close()
          }),
          { numRuns: 25 },
        )
      })
    })

    describe('transfers', () => {
      test('however it is cut and interrupted, a block arrives', async () => {
        const from = (await open()).blocks
        const bytes = sample(6, 30_000)
        const id = await from.put(bytes)
        const size = (await packedOf(from, id)).length
        const cut = fc.record({ pieces: fc.array(fc.integer({ min: 1, max: size }), { maxLength: 4 }), reopen: fc.boolean() })
        await fc.assert(
          fc.asyncProperty(fc.array(cut, { maxLength: 3 }), async (attempts) => {
            const place = await createPlace()
            let store = await openAt(place)
            let expected = 0
            for (const { pieces, reopen } of attempts) {
              const sink = await store.blocks.receive(id)
              expect(sink.have).toBe(expected)
              const rest = await collect((await from.read(id, sink.have))!.body)
              let at = 0
              for (const length of pieces) {
                await sink.write(rest.slice(at, at + length))
                at = Math.min(rest.length, at + length)
              }
              expected += at
              await sink.abort()
              await sink.abort()
              expect(store.blocks.has(id)).toBe(false)
              if (!reopen) continue
              await store.close()
              store = await openAt(place)
            }
            const sink = await store.blocks.receive(id)
            expect(sink.have).toBe(expected)
            for await (const piece of (await from.read(id, sink.have))!.body) await sink.write(piece)
            expect(store.blocks.has(id)).toBe(false)
            expect(await sink.finish()).toEqual(bytes)
            expect(await store.blocks.get(id)).toEqual(bytes)
            await expect(sink.write(bytes)).rejects.toMatchObject({ code: 'CLOSED' satisfies StoreErrorCode })
            await expect(sink.finish()).rejects.toMatchObject({ code: 'CLOSED' satisfies StoreErrorCode })
            expect((await store.blocks.receive(id)).have).toBe(0)
            await store.close()
          }),
          { numRuns: 20 },
        )
      })

      test('wrong, short, long and foreign bytes are refused and forgotten', async () => {
        const { blocks } = await open()
        const bytes = sample(7, 10_000)
        const id = sha256(bytes)
        const packed = await pack(bytes)
        const bad: readonly Uint8Array[] = [
          await pack(sample(8, 10_000)),
          packed.slice(0, -1),
          Buffer.concat([packed, new Uint8Array(1)]),
          bytes,
          new Uint8Array(),
        ]
        for (const sent of bad) {
          const sink = await blocks.receive(id)
          expect(sink.have).toBe(0)
          await sink.write(sent)
          await expect(sink.finish()).rejects.toMatchObject({ code: 'BLOCK_CORRUPT' satisfies StoreErrorCode, data: { id } })
          expect(blocks.has(id)).toBe(false)
        }
        const sink = await blocks.receive(id)
        await sink.write(packed)
        expect(await sink.finish()).toEqual(bytes)
      })

      test('more compressed bytes than any block has are refused as they come', async () => {
        const { blocks } = await open()
        const sink = await blocks.receive(sha256(sample(7, 10)))
        await expect(sink.write(new Uint8Array(MAX_PACKED_BYTES + 1))).rejects.toMatchObject({ code: 'BLOCK_TOO_LARGE' satisfies StoreErrorCode })
        await expect(sink.write(new Uint8Array(1))).rejects.toMatchObject({ code: 'CLOSED' satisfies StoreErrorCode })
        expect((await blocks.receive(sha256(sample(7, 10)))).have).toBe(0)
      })

      test('the same block from many sides at once', async () => {
        const { blocks } = await open()
        const bytes = sample(10, 200_000)
        const id = sha256(bytes)
        const packed = await pack(bytes)
        const receive = async (): Promise<Uint8Array> => {
          const sink = await blocks.receive(id)
          for (let at = sink.have; at < packed.length; at += 50_000) await sink.write(packed.slice(at, at + 50_000))
          return sink.finish()
        }
        const all = await Promise.all([receive(), blocks.put(bytes), receive(), blocks.put(bytes), receive(), blocks.get(id)])
        expect(all.slice(0, 5).map((result) => (typeof result === 'string' ? result : sha256(result!)))).toEqual([id, id, id, id, id])
        expect(sha256((await blocks.get(id))!)).toBe(id)
        expect(await blocks.usage()).toMatchObject({ blocks: 1 })
        expect((await blocks.receive(id)).have).toBe(0)
      })
    })

    describe('items', () => {
      test('one item per kind and key, the last one put; in order of kind and key; kept over a reopening', async () => {
        const place = await createPlace()
        const first = await openAt(place)
        const items = [item('record', 'b', 1), item('head', 'a', 2), item('record', 'a', 3), item('record', 'b', 4)]
        for (const each of items) first.items.put(each)
        await first.close()
        const { items: reopened } = await openAt(place)
        expect(plain(reopened.items())).toEqual([items[1], items[2], items[3]])
      })

      test('delete takes only the item that it names', async () => {
        const { items } = await open()
        items.put(item('claim', '1/x/0', 1))
        items.delete('claim', '1/x/0', item('claim', '', 2).id)
        items.delete('head', '1/x/0', item('claim', '', 1).id)
        expect(plain(items.items())).toHaveLength(1)
        items.delete('claim', '1/x/0', item('claim', '', 1).id)
        expect(plain(items.items())).toHaveLength(0)
      })

      test('values', async () => {
        const place = await createPlace()
        const first = await openAt(place)
        expect(first.items.getValue('seq')).toBeUndefined()
        first.items.setValue('seq', sample(1, 8))
        first.items.setValue('seq', sample(2, 8))
        first.items.setValue("x'; DROP TABLE item; --", new Uint8Array())
        await first.close()
        const { items } = await openAt(place)
        expect(items.getValue('seq')).toEqual(sample(2, 8))
        expect(items.getValue("x'; DROP TABLE item; --")).toEqual(new Uint8Array())
      })

      test('a batch is kept whole or not at all', async () => {
        const { items } = await open()
        items.put(item('head', 'a', 1))
        const result = items.batch(() => {
          items.put(item('head', 'b', 2))
          return items.batch(() => {
            items.setValue('v', sample(1, 3))
            return 7
          })
        })
        expect(result).toBe(7)
        const broken = (): void =>
          items.batch(() => {
            items.put(item('head', 'a', 3))
            items.delete('head', 'b', item('head', 'b', 2).id)
            items.setValue('v', sample(2, 3))
            throw new Error('half way')
          })
        expect(broken).toThrow('half way')
        expect(plain(items.items())).toEqual([item('head', 'a', 1), item('head', 'b', 2)])
        expect(items.getValue('v')).toEqual(sample(1, 3))
        items.put(item('head', 'c', 4))
        expect(plain(items.items())).toHaveLength(3)
      })
    })

    test('a closed store refuses', async () => {
      const store = await open()
      const sink = await store.blocks.receive(sha256(sample(1, 10)))
      await store.close()
      await store.close()
      const closed = { code: 'CLOSED' satisfies StoreErrorCode }
      await expect(store.blocks.put(sample(1, 10))).rejects.toMatchObject(closed)
      await expect(store.blocks.get(sha256(sample(1, 10)))).rejects.toMatchObject(closed)
      await expect(store.blocks.receive(sha256(sample(1, 10)))).rejects.toMatchObject(closed)
      await expect(sink.write(sample(1, 10))).rejects.toMatchObject(closed)
      expect(() => store.items.put(item('head', 'a', 1))).toThrow(expect.objectContaining(closed))
      expect(() => store.items.items()).toThrow(expect.objectContaining(closed))
      expect(() => store.items.batch(() => 1)).toThrow(expect.objectContaining(closed))
    })
  })
}

function item(kind: ItemKind, key: string, n: number): StoredItem {
  return { kind, key, id: sha256(Uint8Array.of(n)) as string as ItemId, bytes: Uint8Array.of(n, n, n) }
}

/** Without the prototype that a database row has. */
function plain(items: Iterable<StoredItem>): StoredItem[] {
  return Array.from(items, (each) => ({ ...each }))
}

async function packedOf(blocks: BlockStore, id: BlockId): Promise<Uint8Array> {
  return collect((await blocks.read(id, 0))!.body)
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return new Uint8Array(Buffer.concat(pieces))
}
