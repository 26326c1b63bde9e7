import { setImmediate } from 'node:timers/promises'
import type { ItemId, PeerName } from '@sgsd/consensus'
import {
  encodeSyncHello,
  encodeSyncInventory,
  encodeSyncItems,
  encodeSyncSame,
  encodeSyncWant,
  MAX_SYNC_FRAME_BYTES,
  MAX_SYNC_FRAMES,
  MAX_SYNC_IDS,
  parseSyncFrame,
  type SyncFrame,
} from '@sgsd/wire'
import type { Channel } from '../channel.ts'
import { FrameReader, sendFrame } from '../frames.ts'
import { MeshError } from '../mesh-error.ts'
import type { MeshHandlers } from '../port.ts'

type SyncHandlers = Pick<MeshHandlers, 'syncDigest' | 'inventory' | 'itemsMissingFrom' | 'onItems'>

/** Envelopes judged between two turns of the event loop: about 5 ms of signatures. */
const BATCH_ITEMS = 64

/**
 * The initiator's side of one `/sgs/sync/1` exchange, docs/protocol.md: hello → `same`, or the responder's inventory → items that it
 * lacks and ids that we want → those items. Afterwards both hold the union of what they held at the start.
 * @returns number of items received
 * @throws MeshError FRAME_INVALID (a rejected item, too) | FRAME_TOO_LARGE | STREAM_CLOSED | STALLED
 */
export async function askSync(channel: Channel, handlers: SyncHandlers): Promise<number> {
  const inbox = new SyncInbox(channel)
  await sendFrame(channel, encodeSyncHello({ digest: handlers.syncDigest() }))
  const first = await inbox.next('same', 'inventory')
  if (first.type === 'same') {
    await channel.end()
    return 0
  }
  const theirs = new Set(await inbox.ids(first))
  const ours = idsOf(handlers)
  await sendFrames(channel, encodeSyncItems(handlers.itemsMissingFrom(theirs).slice(0, MAX_SYNC_IDS)))
  await sendFrames(channel, encodeSyncWant([...theirs].filter((id) => !ours.has(id))))
  await channel.end()
  return await inbox.items(handlers)
}

/** The responder's side. @returns number of items received; @throws as `askSync` */
export async function answerSync(channel: Channel, handlers: SyncHandlers): Promise<number> {
  const inbox = new SyncInbox(channel)
  const hello = await inbox.next('hello')
  if (Buffer.compare(hello.digest, handlers.syncDigest()) === 0) {
    await sendFrame(channel, encodeSyncSame())
    await channel.end()
    return 0
  }
  await sendFrames(channel, encodeSyncInventory(handlers.inventory()))
  const received = await inbox.items(handlers)
  const wanted = await inbox.ids(await inbox.next('want'))
  // What the initiator holds, as far as it matters: everything of ours that it did not ask for.
  const held = idsOf(handlers)
  for (const id of wanted) held.delete(id)
  await sendFrames(channel, encodeSyncItems(wanted.length === 0 ? [] : handlers.itemsMissingFrom(held).slice(0, MAX_SYNC_IDS)))
  await channel.end()
  return received
}

/** Reads a peer's frames in the order that the protocol gives them, within its bounds. */
class SyncInbox {
  readonly #channel: Channel
  readonly #reader: FrameReader
  #frames = 0

  constructor(channel: Channel) {
    this.#channel = channel
    this.#reader = new FrameReader(channel)
  }

  async next<T extends SyncFrame['type']>(...types: readonly T[]): Promise<Extract<SyncFrame, { type: T }>> {
    if (++this.#frames > MAX_SYNC_FRAMES) throw this.#invalid(`more than ${MAX_SYNC_FRAMES} frames`)
    const frame = parseSyncFrame(await this.#reader.expect(MAX_SYNC_FRAME_BYTES))
    if (frame.type !== 'accept') throw this.#invalid(frame.reason)
    if (!types.some((type) => type === frame.value.type)) throw this.#invalid(`${frame.value.type} where ${types.join(' or ')} belongs`)
    return frame.value as Extract<SyncFrame, { type: T }>
  }

  /** The ids of a sequence of frames that begins with `first`. */
  async ids(first: Extract<SyncFrame, { type: 'inventory' | 'want' }>): Promise<readonly ItemId[]> {
    let ids = first.ids
    for (let frame = first; !frame.final;) {
      frame = await this.next(first.type)
      if (ids.length + frame.ids.length > MAX_SYNC_IDS) throw this.#invalid(`more than ${MAX_SYNC_IDS} ids`)
      ids = ids.concat(frame.ids)
    }
    return ids
  }

  /** Hands a sequence of items over, batch by batch. @returns how many came */
  async items(handlers: SyncHandlers): Promise<number> {
    let count = 0
    for (;;) {
      const { envelopes, final } = await this.next('items')
      count += envelopes.length
      if (count > MAX_SYNC_IDS) throw this.#invalid(`more than ${MAX_SYNC_IDS} items`)
      for (let at = 0; at < envelopes.length; at += BATCH_ITEMS) {
        // Copies: the envelopes are views into a frame of up to 4 MiB, which would live as long as any of its items.
        const batch = envelopes.slice(at, at + BATCH_ITEMS).map((envelope) => new Uint8Array(envelope))
        const verdict = handlers.onItems(batch, this.#channel.peer as PeerName)
        if (verdict.type === 'reject') throw this.#invalid(verdict.reason)
        await setImmediate()
      }
      if (final) return count
    }
  }

  #invalid(detail: string): MeshError {
    return new MeshError('FRAME_INVALID', { peer: this.#channel.peer, detail })
  }
}

function idsOf(handlers: SyncHandlers): Set<string> {
  return new Set(handlers.inventory().map((id) => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')))
}

async function sendFrames(channel: Channel, frames: Iterable<Uint8Array>): Promise<void> {
  for (const frame of frames) await sendFrame(channel, frame)
}
