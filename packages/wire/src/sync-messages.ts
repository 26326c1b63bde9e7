import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import type { ItemId } from '@sgsd/consensus'
import { binary, type Field, flag, list, oneOf, Refusal, tuple } from './fields.ts'
import { MAX_ITEM_BYTES, MAX_SYNC_FRAME_BYTES, MAX_SYNC_FRAME_IDS, MAX_SYNC_FRAME_ITEMS } from './limits.ts'
import { decodeBody, encodeBody, type Plain } from './msgpack.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** A frame of `/sgs/sync/1`. `final` ends a sequence of frames of one type. docs/protocol.md §10.2 */
export type SyncFrame =
  /** Initiator's first: digest of its state. */
  | { readonly type: 'hello'; readonly digest: Uint8Array }
  /** Responder: same state, nothing to do. */
  | { readonly type: 'same' }
  /** Responder: ids of its items. */
  | { readonly type: 'inventory'; readonly ids: readonly ItemId[]; readonly final: boolean }
  /** Envelopes that the other side lacks. */
  | { readonly type: 'items'; readonly envelopes: readonly Uint8Array[]; readonly final: boolean }
  /** Initiator: ids that it lacks. */
  | { readonly type: 'want'; readonly ids: readonly ItemId[]; readonly final: boolean }

const ID_BYTES = 32

/** Room that a frame's head and each envelope's length need. */
const FRAME_OVERHEAD = 64
const ENVELOPE_OVERHEAD = 5

/** Ids as one byte string: no value per id, so that a frame of them decodes at once. */
const ids: Field<readonly ItemId[]> = {
  toWire: (value) => concatBytes(...value.map((id) => hexToBytes(id))),
  fromWire: (raw) => {
    if (!(raw instanceof Uint8Array) || raw.length % ID_BYTES !== 0 || raw.length > MAX_SYNC_FRAME_IDS * ID_BYTES)
      return new Refusal('is no list of ids')
    const all = bytesToHex(raw)
    return Array.from({ length: raw.length / ID_BYTES }, (_, i) => all.slice(2 * ID_BYTES * i, 2 * ID_BYTES * (i + 1)) as ItemId)
  },
}

const LIMITS = { bytes: MAX_SYNC_FRAME_BYTES, values: MAX_SYNC_FRAME_ITEMS + 4 }

type Frame<T extends SyncFrame['type']> = Extract<SyncFrame, { type: T }>

const FRAMES: { readonly [T in SyncFrame['type']]: Field<Frame<T>> } = {
  hello: tuple<Frame<'hello'>>({ type: oneOf('hello'), digest: binary(ID_BYTES, ID_BYTES) }),
  same: tuple<Frame<'same'>>({ type: oneOf('same') }),
  inventory: tuple<Frame<'inventory'>>({ type: oneOf('inventory'), ids, final: flag }),
  items: tuple<Frame<'items'>>({ type: oneOf('items'), envelopes: list(binary(MAX_ITEM_BYTES, 1), MAX_SYNC_FRAME_ITEMS), final: flag }),
  want: tuple<Frame<'want'>>({ type: oneOf('want'), ids, final: flag }),
}

export function encodeSyncFrame(frame: SyncFrame): Uint8Array {
  return encodeBody((FRAMES[frame.type] as Field<SyncFrame>).toWire(frame))
}

/** Total. @returns a frame whose byte strings are views of `bytes` */
export function parseSyncFrame(bytes: Uint8Array): Verdict<SyncFrame> {
  const raw = decodeBody(bytes, LIMITS)
  if (raw.type !== 'accept') return raw
  const type = Array.isArray(raw.value) ? (raw.value as readonly Plain[])[0] : undefined
  if (typeof type !== 'string' || !Object.hasOwn(FRAMES, type)) return reject('is no frame of this protocol')
  const frame = (FRAMES[type as SyncFrame['type']] as Field<SyncFrame>).fromWire(raw.value)
  return frame instanceof Refusal ? reject(`${type}: ${frame.reason}`) : accept(frame)
}

/** @param hello.digest - 32 bytes */
export function encodeSyncHello(hello: { readonly digest: Uint8Array }): Uint8Array {
  return encodeSyncFrame({ type: 'hello', digest: hello.digest })
}

export function encodeSyncSame(): Uint8Array {
  return encodeSyncFrame({ type: 'same' })
}

/** An inventory in as many frames as it needs, at least one; the last is final. @param all - ids as 32 bytes or 64 hex digits */
export function encodeSyncInventory(all: readonly (Uint8Array | string)[]): Generator<Uint8Array> {
  return idFrames('inventory', all)
}

/** The same for ids that this side wants. */
export function encodeSyncWant(all: readonly (Uint8Array | string)[]): Generator<Uint8Array> {
  return idFrames('want', all)
}

/** Envelopes in as many frames as they need, at least one; the last is final. @param envelopes - each at most `MAX_ITEM_BYTES` */
export function* encodeSyncItems(envelopes: readonly Uint8Array[]): Generator<Uint8Array> {
  let from = 0
  do {
    let to = from
    for (let room = MAX_SYNC_FRAME_BYTES - FRAME_OVERHEAD; to < envelopes.length && to - from < MAX_SYNC_FRAME_ITEMS; to++) {
      room -= envelopes[to]!.length + ENVELOPE_OVERHEAD
      if (room < 0) break
    }
    yield encodeSyncFrame({ type: 'items', envelopes: envelopes.slice(from, to), final: to >= envelopes.length })
    from = to
  } while (from < envelopes.length)
}

function* idFrames(type: 'inventory' | 'want', all: readonly (Uint8Array | string)[]): Generator<Uint8Array> {
  let from = 0
  do {
    const to = Math.min(from + MAX_SYNC_FRAME_IDS, all.length)
    const ids = all.slice(from, to).map((id) => (typeof id === 'string' ? id : bytesToHex(id)) as ItemId)
    yield encodeSyncFrame({ type, ids, final: to === all.length })
    from = to
  } while (from < all.length)
}
