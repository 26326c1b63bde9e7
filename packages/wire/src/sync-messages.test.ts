import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ItemId } from '@sgsd/consensus'
import { encodeBlockHeader, encodeBlockRequest, parseBlockHeader, parseBlockRequest } from './block-messages.ts'
import { MAX_ITEM_BYTES, MAX_SYNC_FRAME_BYTES, MAX_SYNC_FRAME_IDS, MAX_SYNC_FRAME_ITEMS } from './limits.ts'
import { encodeBody } from './msgpack.ts'
import {
  encodeSyncHello,
  encodeSyncInventory,
  encodeSyncItems,
  encodeSyncSame,
  encodeSyncWant,
  parseSyncFrame,
  type SyncFrame,
} from './sync-messages.ts'

const idOf = (i: number): ItemId => createHash('sha256').update(String(i)).digest('hex') as ItemId

function parsed(frames: Iterable<Uint8Array>): SyncFrame[] {
  return [...frames].map((bytes) => {
    expect(bytes.length).toBeLessThanOrEqual(MAX_SYNC_FRAME_BYTES)
    const frame = parseSyncFrame(bytes)
    if (frame.type !== 'accept') throw new Error(frame.reason)
    return frame.value
  })
}

describe('sync frames (docs/protocol.md §10.2)', () => {
  test('hello and same', () => {
    const digest = new Uint8Array(32).fill(5)
    expect(parsed([encodeSyncHello({ digest }), encodeSyncSame()])).toEqual([{ type: 'hello', digest }, { type: 'same' }])
  })

  test('an empty sequence is one final frame', () => {
    expect(parsed(encodeSyncInventory([]))).toEqual([{ type: 'inventory', ids: [], final: true }])
    expect(parsed(encodeSyncWant([]))).toEqual([{ type: 'want', ids: [], final: true }])
    expect(parsed(encodeSyncItems([]))).toEqual([{ type: 'items', envelopes: [], final: true }])
  })

  test('ids go as bytes or digits, and over as many frames as they need', () => {
    const ids = Array.from({ length: MAX_SYNC_FRAME_IDS + 3 }, (_, i) => idOf(i % 50))
    const frames = parsed(encodeSyncInventory(ids.map((id, i) => (i % 2 === 0 ? id : new Uint8Array(Buffer.from(id, 'hex'))))))
    expect(frames.map((frame) => frame.type === 'inventory' && [frame.ids.length, frame.final])).toEqual([
      [MAX_SYNC_FRAME_IDS, false],
      [3, true],
    ])
    expect(frames.flatMap((frame) => (frame.type === 'inventory' ? frame.ids : []))).toEqual(ids)
  })

  test('items come back in order, whatever their sizes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: MAX_ITEM_BYTES }), { maxLength: 30 }), (sizes) => {
        const envelopes = sizes.map((size, i) => new Uint8Array(size).fill(i))
        expect(parsed(encodeSyncItems(envelopes)).flatMap((frame) => (frame.type === 'items' ? frame.envelopes : []))).toEqual(envelopes)
      }),
    )
  })

  test('frames of items are bounded in bytes and in number; only the last is final', () => {
    const large = parsed(encodeSyncItems(Array.from({ length: 1_500 }, () => new Uint8Array(MAX_ITEM_BYTES))))
    const small = parsed(encodeSyncItems(Array.from({ length: MAX_SYNC_FRAME_ITEMS + 1 }, () => new Uint8Array(1))))
    for (const frames of [large, small])
      expect(frames.map((frame) => frame.type === 'items' && frame.final)).toEqual(frames.map((_, i) => i === frames.length - 1))
    expect(large.length).toBe(3)
    expect(small.length).toBe(2)
  })

  test.each([
    ['a frame of no kind', encodeBody(['howdy'])],
    ['a frame that is a property of every object', encodeBody(['toString', 1])],
    ['no list', encodeBody('hello')],
    ['a short digest', encodeBody(['hello', new Uint8Array(31)])],
    ['half an id', encodeBody(['want', new Uint8Array(48), true])],
    ['one id more than a frame holds', encodeBody(['inventory', new Uint8Array(32 * (MAX_SYNC_FRAME_IDS + 1)), true])],
    ['one item more than a frame holds', encodeBody(['items', Array.from({ length: MAX_SYNC_FRAME_ITEMS + 1 }, () => new Uint8Array(1)), true])],
    ['an empty item', encodeBody(['items', [new Uint8Array()], true])],
    ['an item beyond the limit', encodeBody(['items', [new Uint8Array(MAX_ITEM_BYTES + 1)], true])],
    ['a frame without its end mark', encodeBody(['want', new Uint8Array(32)])],
  ])('%s is refused', (_, bytes) => {
    expect(parseSyncFrame(bytes).type).toBe('reject')
  })

  test('a frame beyond its limit is refused by its length alone', () => {
    expect(parseSyncFrame(new Uint8Array(MAX_SYNC_FRAME_BYTES + 1))).toEqual({ type: 'reject', reason: '4194305 bytes, more than 4194304' })
  })
})

describe('block messages (docs/protocol.md §10.3)', () => {
  test('requests and headers come back, offsets and sizes exactly', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (number) => {
        expect(parseBlockRequest(encodeBlockRequest({ id: idOf(0) as never, offset: number }))).toEqual({
          type: 'accept',
          value: { id: idOf(0), offset: number },
        })
        expect(parseBlockHeader(encodeBlockHeader({ size: number }))).toEqual({ type: 'accept', value: { size: number } })
      }),
    )
    for (const error of ['not-found', 'busy', 'bad-request'] as const)
      expect(parseBlockHeader(encodeBlockHeader({ error }))).toEqual({ type: 'accept', value: { error } })
  })

  test.each([
    ['an offset beyond 2^53', encodeBody([new Uint8Array(32), 1n << 53n])],
    ['a short id', encodeBody([new Uint8Array(31), 0])],
  ])('%s is refused', (_, bytes) => {
    expect(parseBlockRequest(bytes).type).toBe('reject')
  })

  test('an answer of an unknown status, or a refusal with a size, is refused', () => {
    expect(parseBlockHeader(encodeBody(['gone', 0])).type).toBe('reject')
    expect(parseBlockHeader(encodeBody(['busy', 7])).type).toBe('reject')
  })
})
