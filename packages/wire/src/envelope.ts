import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Beat, Item, ItemId, ItemKind, MeshId, PeerName, SignedItem } from '@sgsd/consensus'
import { BEAT_BODY, type EnclosingKind, ITEM_BODIES, SIGNATURE_BYTES } from './bodies.ts'
import { type Body, encode, parse } from './body.ts'
import { sha256Hex } from './digest.ts'
import { encodeEnclosing, type EnvelopeCodec, parseEnclosing, type Unverified } from './enclosed.ts'
import { binary, hex, peerName, text, tuple, uint } from './fields.ts'
import { MAX_GOSSIP_BYTES, MAX_ITEM_BYTES, MAX_PROOF_BYTES } from './limits.ts'
import type { Topic } from './protocol.ts'
import { accept, ignore, reject, type Verdict } from './verdict.ts'

/** Signs with this node's identity key: Ed25519, 64 bytes. */
export type Signer = (message: Uint8Array) => Uint8Array

/** Checks a signature against the public key inside a peer id. Must not throw. */
export type Verifier = (peer: PeerName, message: Uint8Array, signature: Uint8Array) => boolean

/** What opening an envelope needs to know. */
export interface OpenContext {
  readonly meshId: MeshId
  readonly verify: Verifier
}

export type GossipMessage = { readonly type: 'item'; readonly item: SignedItem } | { readonly type: 'beat'; readonly beat: Beat }

const ENVELOPE_VERSION = 1
const SIGNED_DOMAIN = utf8ToBytes('sgs-envelope/1')

type Kind = ItemKind | 'beat'

/** Topic of each kind, docs/protocol.md §4.2 */
const TOPICS: { readonly [K in Kind]: Topic } = {
  record: 'roster',
  beat: 'roster',
  seal: 'roster',
  claim: 'claims',
  head: 'heads',
  proof: 'proofs',
  equivocation: 'proofs',
  op: 'proofs',
  receipt: 'proofs',
  vote: 'proofs',
}

interface Envelope {
  readonly version: number
  readonly kind: string
  readonly author: PeerName
  readonly meshId: MeshId
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

const envelopeBody: Body<Envelope> = {
  limits: { bytes: MAX_ITEM_BYTES, values: 7 },
  field: tuple<Envelope>({
    version: uint(0xffff_ffff),
    kind: text(/^[a-z]{1,16}$/),
    author: peerName,
    meshId: hex(32),
    payload: binary(MAX_ITEM_BYTES),
    signature: binary(SIGNATURE_BYTES, SIGNATURE_BYTES),
  }),
}

/** What a signature covers. docs/protocol.md §4.1 */
export function signedBytes(kind: string, meshId: MeshId, payload: Uint8Array): Uint8Array {
  const name = utf8ToBytes(kind)
  return concatBytes(SIGNED_DOMAIN, Uint8Array.of(name.length), name, hexToBytes(meshId), payload)
}

/**
 * Signs an item of this node's own.
 * @throws RangeError if peers would refuse the item: a bug of the caller, found before it costs reputation
 */
export function signItem(item: Item, meshId: MeshId, sign: Signer): SignedItem {
  const payload = encodePayload(item, meshId)
  const bytes = seal(item.kind, item.value.author, meshId, payload, sign)
  return { ...item, id: sha256Hex(payload) as ItemId, bytes }
}

/** The bytes that an item's id and signature cover. @throws RangeError for an enclosed item whose bytes are no envelope */
export function encodePayload(item: Item, meshId: MeshId): Uint8Array {
  if (item.kind === 'proof' || item.kind === 'equivocation') return encodeEnclosing(item, codecOf(meshId))
  return encode(ITEM_BODIES[item.kind] as Body<Item['value']>, item.value)
}

/** The same for a beat. @throws RangeError if peers would refuse it */
export function signBeat(beat: Beat, meshId: MeshId, sign: Signer): Uint8Array {
  return seal('beat', beat.author, meshId, encode(BEAT_BODY, beat), sign)
}

/** Topic on which an item is published. */
export function topicOf(item: Item): Topic {
  return TOPICS[item.kind]
}

/**
 * Opens an item's envelope: structure, mesh, body, author, and last the signatures, its own and those of the items in it. What a proof or a piece of
 * evidence says beyond that (that a path leads to a root, that a value is wrong) is for the receiver's own computation. Total.
 */
export function openItem(bytes: Uint8Array, context: OpenContext): Verdict<SignedItem> {
  const opened = open(bytes, context)
  if (opened.type !== 'accept') return opened
  return opened.value.type === 'item' ? accept(opened.value.item) : reject('a beat where an item belongs')
}

/** Opens what came on a topic; a kind on a topic that is not its own is refused. Total. */
export function openGossip(topic: Topic, bytes: Uint8Array, context: OpenContext): Verdict<GossipMessage> {
  if (bytes.length > MAX_GOSSIP_BYTES) return reject(`${bytes.length} bytes, more than ${MAX_GOSSIP_BYTES}`)
  return open(bytes, context, topic)
}

function open(bytes: Uint8Array, { meshId, verify }: OpenContext, topic?: Topic): Verdict<GossipMessage> {
  const parsed = parse(envelopeBody, bytes)
  if (parsed.type !== 'accept') return reject(`envelope: ${parsed.reason}`)
  const envelope = parsed.value
  if (envelope.version !== ENVELOPE_VERSION) return ignore(`envelope version ${envelope.version}`)
  if (envelope.meshId !== meshId) return ignore('another mesh')
  if (!isKind(envelope.kind)) return ignore(`unknown kind ${envelope.kind}`)
  if (topic !== undefined && TOPICS[envelope.kind] !== topic) return reject(`a ${envelope.kind} on topic ${topic}`)
  if (envelope.kind === 'proof' && bytes.length > MAX_PROOF_BYTES) return reject(`proof: ${bytes.length} bytes, more than ${MAX_PROOF_BYTES}`)
  const content = openPayload(envelope.kind, envelope.payload, meshId)
  if (content.type !== 'accept') return reject(`${envelope.kind}: ${content.reason}`)
  const { value, enclosed } = content.value
  if (value.author !== envelope.author) return reject(`${envelope.kind}: written in another member's name`)
  if (!verify(envelope.author, signedBytes(envelope.kind, meshId, envelope.payload), envelope.signature))
    return reject(`${envelope.kind}: the signature is not its author's`)
  for (const { kind, author, payload, signature } of enclosed)
    if (!verify(author, signedBytes(kind, meshId, payload), signature))
      return reject(`${envelope.kind}: the signature of the ${kind} in it is not its author's`)
  if (envelope.kind === 'beat') return accept({ type: 'beat', beat: value as Beat })
  // A copy: the bytes outlive the frame of up to 4 MiB that they came in.
  const item = { kind: envelope.kind, value, id: sha256Hex(envelope.payload), bytes: new Uint8Array(bytes) } as SignedItem
  return accept({ type: 'item', item })
}

/** What a payload says, and the items in it whose signatures are still to be checked. */
interface Content {
  readonly value: Item['value'] | Beat
  readonly enclosed: readonly Unverified[]
}

function openPayload(kind: Kind, payload: Uint8Array, meshId: MeshId): Verdict<Content> {
  if (isEnclosing(kind)) return parseEnclosing(kind, payload, codecOf(meshId))
  const parsed = parse((kind === 'beat' ? BEAT_BODY : ITEM_BODIES[kind]) as Body<Item['value'] | Beat>, payload)
  return parsed.type === 'accept' ? accept({ value: parsed.value, enclosed: [] }) : parsed
}

function seal(kind: Kind, author: PeerName, meshId: MeshId, payload: Uint8Array, sign: Signer): Uint8Array {
  const checked = openPayload(kind, payload, meshId)
  if (checked.type !== 'accept') throw new RangeError(`${kind}: ${checked.reason}`)
  const signature = sign(signedBytes(kind, meshId, payload))
  const bytes = encode(envelopeBody, { version: ENVELOPE_VERSION, kind, author, meshId, payload, signature })
  const most = kind === 'proof' ? MAX_PROOF_BYTES : MAX_ITEM_BYTES
  if (bytes.length > most) throw new RangeError(`${kind}: ${bytes.length} bytes, more than ${most}`)
  return bytes
}

function codecOf(meshId: MeshId): EnvelopeCodec {
  return {
    write: (kind, author, payload, signature) => encode(envelopeBody, { version: ENVELOPE_VERSION, kind, author, meshId, payload, signature }),
    read: (bytes) => {
      const parsed = parse(envelopeBody, bytes)
      return parsed.type === 'accept' ? parsed.value : undefined
    },
  }
}

function isEnclosing(kind: Kind): kind is EnclosingKind {
  return kind === 'proof' || kind === 'equivocation'
}

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(TOPICS, kind)
}
