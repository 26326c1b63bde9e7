import { encodeSyncFrame, encodeSyncHello, encodeSyncItems, encodeSyncSame, encodeSyncWant, MAX_SYNC_FRAMES, type SyncFrame } from '@sgsd/wire'
import type { ItemId } from '@sgsd/consensus'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Channel, memoryChannels } from '../channel.ts'
import { FrameReader, sendFrame } from '../frames.ts'
import { digestOf, Holder } from '../testing/items.ts'
import { answerSync, askSync } from './sync-session.ts'

const never = new AbortController().signal

/** Runs both sides of an exchange. @returns what each received */
async function exchange(asker: Holder, answerer: Holder): Promise<[number, number]> {
  const [left, right] = memoryChannels('left', 'right', never)
  return await Promise.all([askSync(left, asker), answerSync(right, answerer)])
}

/** A peer that sends these frames, whatever it is sent. */
function scripted(channel: Channel, frames: readonly Uint8Array[]): void {
  void (async () => {
    for (const frame of frames) await sendFrame(channel, frame)
    await channel.end()
  })().catch(() => undefined)
}

const text = fc.string({ minLength: 1, maxLength: 12 })
const holder = (texts: readonly string[]): Holder => new Holder().add(...texts)

describe('one anti-entropy exchange', () => {
  test('both end with the union of what they held, whatever that was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(text), fc.uniqueArray(text), async (mine, yours) => {
        const [a, b] = [holder(mine), holder(yours)]
        const [came, went] = await exchange(a, b)
        const union = [...new Set([...mine, ...yours])].toSorted()
        expect([a.texts(), b.texts()]).toEqual([union, union])
        expect(came).toBe(union.length - new Set(mine).size)
        expect(went).toBe(union.length - new Set(yours).size)
      }),
    )
  })

  test('equal states cost one frame each way', async () => {
    const [left, right] = memoryChannels('left', 'right', never)
    scripted(right, [encodeSyncSame()])
    expect(await askSync(left, holder(['x']))).toBe(0)
    const sent: unknown[] = []
    const reader = new FrameReader(right)
    for (let frame = await reader.next(1_000); frame !== undefined; frame = await reader.next(1_000)) sent.push(frame)
    expect(sent).toEqual([encodeSyncHello({ digest: holder(['x']).syncDigest() })])
  })

  test('what arrives while the exchange runs is not lost on either side', async () => {
    const [a, b] = [holder(['a']), holder(['b'])]
    const [left, right] = memoryChannels('left', 'right', never)
    const onItems = b.onItems
    b.onItems = (envelopes, from) => {
      b.add('late')
      return onItems(envelopes, from)
    }
    await Promise.all([askSync(left, a), answerSync(right, b)])
    expect(b.texts()).toEqual(['a', 'b', 'late'])
    expect(a.texts()).toContain('b')
  })
})

describe('a peer that does not keep to the protocol', () => {
  const id = digestOf(new Uint8Array(1)) as ItemId
  const inventory = (final: boolean): Uint8Array => encodeSyncFrame({ type: 'inventory', ids: [id], final })
  const items = (final: boolean): Uint8Array => encodeSyncFrame({ type: 'items', envelopes: [], final })

  test.each([
    ['a hello where an answer belongs', [encodeSyncHello({ digest: new Uint8Array(32) })]],
    ['items before an inventory', [...encodeSyncItems([])]],
    ['wants where items belong', [inventory(true), ...encodeSyncWant([id])]],
    ['an inventory without end', Array.from({ length: MAX_SYNC_FRAMES + 1 }, () => inventory(false))],
    ['items without end', [inventory(true), ...Array.from({ length: MAX_SYNC_FRAMES + 1 }, () => items(false))]],
    ['no frame at all', [new Uint8Array([0xc1])]],
    ['an empty frame', [new Uint8Array()]],
  ])('asked, it sends %s: FRAME_INVALID', async (_, frames) => {
    const [left, right] = memoryChannels('left', 'right', never)
    scripted(right, frames)
    await expect(askSync(left, holder(['x']))).rejects.toMatchObject({ code: 'FRAME_INVALID' })
  })

  test.each([
    ['no hello', [encodeSyncSame()]],
    ['an inventory after the hello', [encodeSyncHello({ digest: new Uint8Array(32) }), inventory(true)]],
    ['a second hello', [encodeSyncHello({ digest: new Uint8Array(32) }), encodeSyncHello({ digest: new Uint8Array(32) })]],
  ])('asking, it sends %s: FRAME_INVALID', async (_, frames) => {
    const [left, right] = memoryChannels('left', 'right', never)
    scripted(right, frames)
    await expect(answerSync(left, holder(['x']))).rejects.toMatchObject({ code: 'FRAME_INVALID' })
  })

  test('it closes early: STREAM_CLOSED, and what came is kept', async () => {
    const [left, right] = memoryChannels('left', 'right', never)
    const a = holder(['a'])
    scripted(right, [inventory(true), encodeSyncFrame({ type: 'items', envelopes: [new Uint8Array([1])], final: false })])
    await expect(askSync(left, a)).rejects.toMatchObject({ code: 'STREAM_CLOSED' })
    expect(a.items.size).toBe(2)
  })

  test('random frames never give anything but a coded error or an end', async () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc
        .constantFrom<SyncFrame[]>({ type: 'same' }, { type: 'hello', digest: new Uint8Array(32) }, { type: 'want', ids: [id], final: true })
        .map(encodeSyncFrame),
      fc.constantFrom(inventory(true), inventory(false), items(true), items(false)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 6 }), fc.constantFrom(askSync, answerSync), async (frames, side) => {
        const [left, right] = memoryChannels('left', 'right', never)
        scripted(right, frames)
        try {
          await side(left, holder(['x']))
        } catch (error) {
          expect(error).toMatchObject({ name: 'MeshError', code: expect.stringMatching(/^(FRAME_INVALID|STREAM_CLOSED)$/) })
        }
      }),
    )
  })
})
