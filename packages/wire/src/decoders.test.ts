import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeBlockHeader, encodeBlockRequest, parseBlockHeader, parseBlockRequest } from './block-messages.ts'
import {
  encodeEvidenceBlock,
  encodeLeaves,
  encodeRowBlock,
  encodeStateBlock,
  parseEvidenceBlock,
  parseLeaves,
  parseRowBlock,
  parseStateBlock,
} from './blocks.ts'
import type { Item, ItemKind } from '@sgsd/consensus'
import { BEAT_BODY } from './bodies.ts'
import { encode } from './body.ts'
import { encodePayload, type GossipMessage, openGossip, openItem, signBeat, signItem } from './envelope.ts'
import { encodeGenesis, parseGenesis } from './genesis.ts'
import { formatInvite, parseInvite } from './invite.ts'
import { encodeLineage, parseLineage } from './lineage.ts'
import { encodeManifest, parseManifest } from './manifest.ts'
import {
  ALICE,
  BEAT,
  CLAIM,
  COUNTS,
  equivocationOf,
  GENESIS,
  HEAD,
  LINEAGE,
  MANIFEST,
  MESH_ID,
  OP,
  VOTE,
  proofOf,
  RECEIPT,
  RECORD,
  ROWS,
  SEAL,
} from '../testing/member.ts'
import { encodeSyncFrame, encodeSyncHello, encodeSyncInventory, encodeSyncItems, parseSyncFrame } from './sync-messages.ts'
import type { Verdict } from './verdict.ts'

/** Mutations of each message: enough that every byte of it is changed in many ways. */
const MUTATIONS = 10_000

/** Every signature passes: the fuzzer must get behind it. */
const context = { meshId: MESH_ID, verify: () => true }
const item = signItem({ kind: 'claim', value: CLAIM }, MESH_ID, ALICE.sign)

interface Decoder {
  readonly valid: Uint8Array
  readonly parse: (bytes: Uint8Array) => Verdict<unknown>
  /** What was accepted, written again: all of the bytes, or the payload in them. */
  readonly encode: (value: never) => Uint8Array
}

const signed = (kind: ItemKind, value: unknown): Decoder => ({
  valid: signItem({ kind, value } as Item, MESH_ID, ALICE.sign).bytes,
  parse: (bytes) => openItem(bytes, context),
  encode: (item: Item) => encodePayload(item, MESH_ID),
})

const decoders: Readonly<Record<string, Decoder>> = {
  'genesis document': { valid: encodeGenesis(GENESIS), parse: parseGenesis, encode: encodeGenesis },
  'record envelope': signed('record', RECORD),
  'head envelope': signed('head', HEAD),
  'claim envelope': signed('claim', CLAIM),
  'seal envelope': signed('seal', SEAL),
  'proof envelope': signed('proof', proofOf()),
  'equivocation envelope': signed('equivocation', equivocationOf({ kind: 'claim', value: CLAIM }, { kind: 'claim', value: { ...CLAIM, xor: 0n } })),
  'op envelope': signed('op', OP),
  'vote envelope': signed('vote', VOTE),
  'receipt envelope': signed('receipt', RECEIPT),
  'beat envelope': {
    valid: signBeat(BEAT, MESH_ID, ALICE.sign),
    parse: (bytes) => openGossip('roster', bytes, context),
    encode: (message: Extract<GossipMessage, { type: 'beat' }>) => encode(BEAT_BODY, message.beat),
  },
  manifest: { valid: encodeManifest(MANIFEST), parse: parseManifest, encode: encodeManifest },
  'lineage block': { valid: encodeLineage(LINEAGE), parse: parseLineage, encode: encodeLineage },
  'row block': { valid: encodeRowBlock(ROWS), parse: parseRowBlock, encode: encodeRowBlock },
  'evidence block': { valid: encodeEvidenceBlock(COUNTS), parse: parseEvidenceBlock, encode: encodeEvidenceBlock },
  'state block': { valid: encodeStateBlock(Float32Array.of(0, 0.5, 1)), parse: parseStateBlock, encode: encodeStateBlock },
  'leaves block': { valid: encodeLeaves(BigUint64Array.of(1n, 2n, 3n)), parse: parseLeaves, encode: encodeLeaves },
  'sync hello': { valid: encodeSyncHello({ digest: new Uint8Array(32).fill(7) }), parse: parseSyncFrame, encode: encodeSyncFrame },
  'sync inventory': { valid: first(encodeSyncInventory([item.id, item.id])), parse: parseSyncFrame, encode: encodeSyncFrame },
  'sync items': { valid: first(encodeSyncItems([item.bytes, item.bytes])), parse: parseSyncFrame, encode: encodeSyncFrame },
  'block request': { valid: encodeBlockRequest({ id: CLAIM.leaves, offset: 70_000 }), parse: parseBlockRequest, encode: encodeBlockRequest },
  'block header': { valid: encodeBlockHeader({ size: 1 << 20 }), parse: parseBlockHeader, encode: encodeBlockHeader },
}

/** Changes, insertions, cuts and repetitions, with a liking for the bytes that mean something to msgpack. */
const mutation = fc.tuple(
  fc.constantFrom('set', 'insert', 'cut', 'end', 'repeat'),
  fc.nat(),
  fc.oneof(
    fc.nat(255),
    fc.constantFrom(0x80, 0x90, 0x91, 0xc0, 0xc1, 0xc4, 0xc6, 0xc7, 0xca, 0xcb, 0xcf, 0xd3, 0xd4, 0xd6, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xff),
  ),
)

function mutate(valid: Uint8Array, changes: readonly (readonly [string, number, number])[]): Uint8Array {
  let bytes = [...valid]
  for (const [how, where, byte] of changes) {
    const place = where % (bytes.length + 1)
    if (how === 'set') bytes[place] = byte
    else if (how === 'insert') bytes.splice(place, 0, byte)
    else if (how === 'cut') bytes.splice(place, 1 + (byte % 8))
    else if (how === 'end') bytes = bytes.slice(0, place)
    else bytes.splice(place, 0, ...bytes.slice(place, place + (byte % 64)))
  }
  return Uint8Array.from(bytes)
}

describe.each(Object.entries(decoders))('%s (docs/protocol.md §2.2)', (name, { valid, parse, encode }) => {
  test('what is written is accepted', () => {
    expect(parse(valid).type).toBe('accept')
  })

  test(`${MUTATIONS} mutations: a verdict for each, and what is accepted is canonical`, () => {
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = mutate(valid, changes)
        const verdict = parse(bytes)
        if (verdict.type !== 'accept') return verdict.reason.length > 0
        const again = encode(verdict.value as never)
        return name.endsWith('envelope') ? Buffer.from(bytes).includes(again) : Buffer.compare(again, bytes) === 0
      }),
      { numRuns: MUTATIONS },
    )
  })

  test('every beginning of it, and every other single byte in it, has a verdict', () => {
    for (let end = 0; end < valid.length; end++) expect(parse(valid.subarray(0, end)).type).not.toBe('accept')
    for (let place = 0; place < valid.length; place++) {
      for (const byte of [0x00, 0x7f, 0x80, 0xc0, 0xdf, 0xff]) expect(['accept', 'ignore', 'reject']).toContain(parse(valid.with(place, byte)).type)
    }
  })
})

test(`${MUTATIONS} mutations of an invite have a verdict, and what is accepted is written as it was read`, () => {
  const valid = Buffer.from(formatInvite(`/ip4/192.168.1.12/tcp/42069/p2p/${ALICE.peer}`, new Uint8Array(32).fill(9)), 'latin1')
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (changes) => {
      const text = Buffer.from(mutate(valid, changes)).toString('latin1')
      const verdict = parseInvite(text)
      return verdict.type !== 'accept' || formatInvite(verdict.value.address, verdict.value.secret) === text
    }),
    { numRuns: MUTATIONS },
  )
})

test('a message that claims more than it has costs no memory', () => {
  const before = process.memoryUsage().rss
  for (const head of ['c6ffffffff', 'ddffffffff', 'dfffffffff', 'c9ffffffff']) {
    for (let i = 0; i < 5_000; i++) for (const { parse } of Object.values(decoders)) parse(Buffer.from(`96${head}`, 'hex'))
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20)
})

function first(frames: Iterable<Uint8Array>): Uint8Array {
  for (const frame of frames) return frame
  throw new Error('no frame')
}
