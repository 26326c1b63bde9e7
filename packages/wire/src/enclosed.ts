import { conflict, type Equivocation, type Item, type ItemId, type PeerName, type Proof, type SignedClaim, type SignedRival } from '@sgsd/consensus'
import { EQUIVOCATION_BODY, type Enclosed, type EnclosingKind, ITEM_BODIES, PROOF_BODY } from './bodies.ts'
import { type Body, encode, parse } from './body.ts'
import { sha256Hex } from './digest.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** A signed item and what its signature covers; nothing of it was verified yet. */
export interface Unverified {
  readonly kind: 'record' | 'head' | 'claim'
  readonly author: PeerName
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/** What was read of a payload that encloses items, and the items whose signatures have to be checked. */
export interface Opened {
  readonly value: Proof | Equivocation
  readonly enclosed: readonly Unverified[]
}

/** How an envelope is written and read: its canonical form makes the bytes of an enclosed item's own envelope again, bit for bit. */
export interface EnvelopeCodec {
  write(kind: string, author: PeerName, payload: Uint8Array, signature: Uint8Array): Uint8Array
  read(bytes: Uint8Array): Enclosed | undefined
}

const HASH_BYTES = 32

/** @throws RangeError for an enclosed item whose bytes are no envelope */
export function encodeEnclosing(item: Extract<Item, { kind: EnclosingKind }>, codec: EnvelopeCodec): Uint8Array {
  const partsOf = ({ bytes }: { readonly bytes: Uint8Array }): Enclosed => {
    const parts = codec.read(bytes)
    if (parts === undefined) throw new RangeError(`${item.kind}: an enclosed item is no envelope`)
    return parts
  }
  if (item.kind === 'proof') {
    const { author, claim, chunk, value, path } = item.value
    return encode(PROOF_BODY, { author, claim: partsOf(claim), chunk, value, path: joined(path) })
  }
  const { author, first, second } = item.value
  return encode(EQUIVOCATION_BODY, { author, kind: first.kind, first: partsOf(first), second: partsOf(second) })
}

/** Reads the structure of an enclosing payload and of what is in it: one level, since what may be enclosed encloses nothing. Total. */
export function parseEnclosing(kind: EnclosingKind, payload: Uint8Array, codec: EnvelopeCodec): Verdict<Opened> {
  return kind === 'proof' ? parseProof(payload, codec) : parseEquivocation(payload, codec)
}

function parseProof(payload: Uint8Array, codec: EnvelopeCodec): Verdict<Opened> {
  const parsed = parse(PROOF_BODY, payload)
  if (parsed.type !== 'accept') return parsed
  const { author, chunk, value, path } = parsed.value
  if (path.length % HASH_BYTES !== 0) return reject('path is no whole number of hashes')
  const claim = openEnclosed('claim', parsed.value.claim, codec)
  if (claim.type !== 'accept') return reject(`claim ${claim.reason}`)
  return accept({ value: { author, claim: claim.value.item as SignedClaim, chunk, value, path: split(path) }, enclosed: [claim.value.source] })
}

function parseEquivocation(payload: Uint8Array, codec: EnvelopeCodec): Verdict<Opened> {
  const parsed = parse(EQUIVOCATION_BODY, payload)
  if (parsed.type !== 'accept') return parsed
  const { author, kind } = parsed.value
  const first = openEnclosed(kind, parsed.value.first, codec)
  if (first.type !== 'accept') return reject(`first ${first.reason}`)
  const second = openEnclosed(kind, parsed.value.second, codec)
  if (second.type !== 'accept') return reject(`second ${second.reason}`)
  if (!conflict(first.value.item, second.value.item)) return reject('the two items do not conflict')
  if (first.value.item.id > second.value.item.id) return reject('the two items are out of order')
  return accept({ value: { author, first: first.value.item, second: second.value.item }, enclosed: [first.value.source, second.value.source] })
}

function openEnclosed(
  kind: 'record' | 'head' | 'claim',
  { payload, signature }: Enclosed,
  codec: EnvelopeCodec,
): Verdict<{ readonly item: SignedRival; readonly source: Unverified }> {
  const content = parse(ITEM_BODIES[kind] as Body<SignedRival['value']>, payload)
  if (content.type !== 'accept') return content
  const { author } = content.value
  const bytes = codec.write(kind, author, payload, signature)
  const item = { kind, value: content.value, id: sha256Hex(payload) as ItemId, bytes } as SignedRival
  return accept({ item, source: { kind, author, payload, signature } })
}

function joined(path: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(path.length * HASH_BYTES)
  for (const [i, hash] of path.entries()) bytes.set(hash, i * HASH_BYTES)
  return bytes
}

function split(path: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: path.length / HASH_BYTES }, (_, i) => path.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES))
}
