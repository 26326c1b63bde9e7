import { describe, expect, test } from 'vitest'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Item } from '@sgsd/consensus'
import { encodeBody } from './msgpack.ts'
import { encodePayload, openGossip, openItem, signBeat, signedBytes, signItem, topicOf } from './envelope.ts'
import { MAX_GOSSIP_BYTES } from './limits.ts'
import { ALICE, BEAT, BOB, CLAIM, CONTEXT, HEAD, idOf, MESH_ID, RECORD, SEAL } from '../testing/member.ts'

const items: readonly Item[] = [
  { kind: 'record', value: RECORD },
  { kind: 'head', value: HEAD },
  { kind: 'claim', value: CLAIM },
  { kind: 'seal', value: SEAL },
]
const SEAL_PAYLOAD = encodePayload({ kind: 'seal', value: SEAL }, MESH_ID)
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

describe('envelopes (docs/protocol.md §4.1)', () => {
  test.each(items)('a $kind comes back as it was signed, under the SHA-256 of its payload', (item) => {
    const signed = signItem(item, MESH_ID, ALICE.sign)
    expect(openItem(signed.bytes, CONTEXT)).toEqual({ type: 'accept', value: signed })
    expect(signed.value).toBe(item.value)
    expect(openGossip(topicOf(item), signed.bytes, CONTEXT)).toEqual({ type: 'accept', value: { type: 'item', item: signed } })
  })

  test('a beat comes back, on the roster topic', () => {
    expect(openGossip('roster', signBeat(BEAT, MESH_ID, ALICE.sign), CONTEXT)).toEqual({ type: 'accept', value: { type: 'beat', beat: BEAT } })
  })

  test('a claim stays under 400 bytes, also the largest', () => {
    const u64 = (1n << 64n) - 1n
    const largest = { ...CLAIM, epoch: u64, index: 2_047, run: { start: (1 << 24) - 1, count: 16_384 }, xor: u64 }
    expect(signItem({ kind: 'claim', value: largest }, MESH_ID, ALICE.sign).bytes.length).toBeLessThan(400)
  })

  test('the largest record and head fit a gossip message', () => {
    const u64 = (1n << 64n) - 1n
    const full = (text: string, length: number): string => text.padEnd(length, 'x')
    const record = {
      ...RECORD,
      seq: u64,
      software: full('1', 32),
      hostName: full('h', 32),
      cores: 65_535,
      memoryBytes: u64,
      colourRate: u64,
      rowRate: u64,
      colourEngine: full('e', 32),
      providers: Array.from({ length: 16 }, () => full('p', 32)),
      addrs: Array.from({ length: 16 }, () => full('/', 256)),
      joinedEpoch: u64,
      left: true,
    }
    const head = { ...HEAD, seq: u64, radicals: Array.from({ length: 214 }, (_, i) => i + 1) }
    for (const item of [
      { kind: 'record', value: record },
      { kind: 'head', value: head },
    ] as const) {
      const { bytes } = signItem(item, MESH_ID, ALICE.sign)
      expect(bytes.length).toBeLessThanOrEqual(MAX_GOSSIP_BYTES)
      expect(openItem(bytes, CONTEXT).type).toBe('accept')
    }
  })

  test('the bytes of an opened item do not keep the frame that they came in', () => {
    const signed = signItem(items[2]!, MESH_ID, ALICE.sign)
    const frame = new Uint8Array(1 << 20)
    frame.set(signed.bytes, 77)
    const opened = openItem(frame.subarray(77, 77 + signed.bytes.length), CONTEXT)
    expect(opened.type === 'accept' && opened.value.bytes.buffer.byteLength).toBe(signed.bytes.length)
  })
})

describe('what is refused', () => {
  /** An envelope put together by hand: every part can be wrong. */
  const envelope = (changes: {
    version?: number
    kind?: string
    author?: string
    mesh?: string
    payload?: Uint8Array
    signature?: Uint8Array
    signer?: typeof ALICE
  }): Uint8Array => {
    const payload = changes.payload ?? SEAL_PAYLOAD
    const kind = changes.kind ?? 'seal'
    const mesh = changes.mesh ?? MESH_ID
    const signature = changes.signature ?? (changes.signer ?? ALICE).sign(signedBytes(kind, mesh as never, payload))
    return encodeBody([changes.version ?? 1, kind, changes.author ?? SEAL.author, bytesOf(mesh), payload, signature])
  }

  test('nothing in the one that all are made from', () => {
    expect(openItem(envelope({}), CONTEXT)).toMatchObject({ type: 'accept', value: { kind: 'seal', value: SEAL } })
  })

  test.each<[string, Parameters<typeof envelope>[0], string, string]>([
    ["another member's signature", { signer: BOB }, 'reject', "seal: the signature is not its author's"],
    ['a signature of zeros', { signature: new Uint8Array(64) }, 'reject', "seal: the signature is not its author's"],
    ['a short signature', { signature: new Uint8Array(63) }, 'reject', 'envelope: signature does not have 64 to 64 bytes'],
    ['an author who is not the one inside', { author: BOB.peer, signer: BOB }, 'reject', "seal: written in another member's name"],
    ['an author who is no peer id', { author: 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N' }, 'reject', 'envelope: author is no Ed25519 peer id'],
    ['another mesh', { mesh: idOf('other') }, 'ignore', 'another mesh'],
    ['a later version', { version: 2 }, 'ignore', 'envelope version 2'],
    ['a kind of a later version', { kind: 'poll' }, 'ignore', 'unknown kind poll'],
    ['a kind that is a property of every object', { kind: 'constructor' }, 'ignore', 'unknown kind constructor'],
    [
      'a beat among items',
      { kind: 'beat', payload: encodeBody([ALICE.peer, 1, bytesOf(idOf('roster')), new Uint8Array(), new Uint8Array(), 0, 0, 0, 0, 0]) },
      'reject',
      'a beat where an item belongs',
    ],
    ['one kind signed as another', { kind: 'head' }, 'reject', 'head: is no array of 4 fields'],
    ['a payload that is no message', { payload: Uint8Array.of(0xc1) }, 'reject', 'seal: type 0xc1, which no message has'],
  ])('%s', (_, changes, type, reason) => {
    expect(openItem(envelope(changes), CONTEXT)).toEqual({ type, reason })
  })

  test('a signature does not carry over to another mesh or another kind', () => {
    const payload = SEAL_PAYLOAD
    const signature = ALICE.sign(signedBytes('seal', idOf('other'), payload))
    expect(openItem(envelope({ signature }), CONTEXT).type).toBe('reject')
    expect(openItem(envelope({ signature: ALICE.sign(signedBytes('record', MESH_ID, payload)) }), CONTEXT).type).toBe('reject')
  })

  test('a kind on a topic that is not its own', () => {
    const head = signItem({ kind: 'head', value: HEAD }, MESH_ID, ALICE.sign)
    expect(openGossip('roster', head.bytes, CONTEXT)).toEqual({ type: 'reject', reason: 'a head on topic roster' })
    expect(openGossip('claims', signBeat(BEAT, MESH_ID, ALICE.sign), CONTEXT)).toEqual({ type: 'reject', reason: 'a beat on topic claims' })
    expect(openGossip('proofs', head.bytes, CONTEXT).type).toBe('reject')
  })

  test('a message beyond the limit, before anything of it is read', () => {
    expect(openGossip('roster', new Uint8Array(MAX_GOSSIP_BYTES + 1), CONTEXT)).toEqual({ type: 'reject', reason: '6145 bytes, more than 6144' })
  })

  test('the signature is checked last: what is malformed costs no cryptography', () => {
    let checks = 0
    const context = { meshId: MESH_ID, verify: () => (checks += 1) > 0 }
    for (const bytes of [envelope({ kind: 'head' }), envelope({ mesh: idOf('other') }), envelope({ author: BOB.peer }), new Uint8Array(9)])
      openItem(bytes, context)
    expect(checks).toBe(0)
    expect(openItem(envelope({}), context).type).toBe('accept')
    expect(checks).toBe(1)
  })
})

describe('bodies (docs/protocol.md §4.3 to §4.7)', () => {
  const hostile: readonly [string, Item, string][] = [
    [
      'a host name with an escape',
      { kind: 'record', value: { ...RECORD, hostName: '\u001B[31mroot' } },
      'a text with a character outside printable ASCII',
    ],
    ['a host name that is a path', { kind: 'record', value: { ...RECORD, hostName: '../../etc' } }, 'hostName does not match ^[a-z0-9-]{1,32}$'],
    ['a host name of 33 characters', { kind: 'record', value: { ...RECORD, hostName: 'a'.repeat(33) } }, 'hostName does not match ^[a-z0-9-]{1,32}$'],
    ['no host name', { kind: 'record', value: { ...RECORD, hostName: '' } }, 'hostName does not match ^[a-z0-9-]{1,32}$'],
    [
      '17 addresses',
      { kind: 'record', value: { ...RECORD, addrs: Array.from({ length: 17 }, () => '/ip4/1.2.3.4/tcp/1') } },
      'addrs is no list of at most 16',
    ],
    [
      'an address of 257 characters',
      { kind: 'record', value: { ...RECORD, addrs: ['/'.padEnd(257, 'x')] } },
      'addrs [0] does not match ^\\/[!-~]{0,255}$',
    ],
    [
      'an address that does not begin with /',
      { kind: 'record', value: { ...RECORD, addrs: ['tcp://x'] } },
      'addrs [0] does not match ^\\/[!-~]{0,255}$',
    ],
    ['more cores than there are', { kind: 'record', value: { ...RECORD, cores: 65_536 } }, 'cores is no whole number in [0, 65535]'],
    ['a fraction of a core', { kind: 'record', value: { ...RECORD, cores: 1.5 } }, 'cores is no whole number in [0, 65535]'],
    ['radicals out of order', { kind: 'head', value: { ...HEAD, radicals: [85, 9] } }, 'radicals [1] is out of order'],
    ['a radical twice', { kind: 'head', value: { ...HEAD, radicals: [9, 9] } }, 'radicals [1] is out of order'],
    ['radical 0', { kind: 'head', value: { ...HEAD, radicals: [0] } }, 'radicals [0] is no whole number in [1, 214]'],
    ['radical 215', { kind: 'head', value: { ...HEAD, radicals: [215] } }, 'radicals [0] is no whole number in [1, 214]'],
    ['a claim of no chunks', { kind: 'claim', value: { ...CLAIM, run: { start: 0, count: 0 } } }, 'run count is no whole number in [1, 16384]'],
    [
      'a claim too large to check at once',
      { kind: 'claim', value: { ...CLAIM, run: { start: 0, count: 16_385 } } },
      'run count is no whole number in [1, 16384]',
    ],
    ['a claim index past the last', { kind: 'claim', value: { ...CLAIM, index: 2_048 } }, 'index is no whole number in [0, 2047]'],
  ]

  test.each(hostile)('%s is found before it is signed', (_, item, reason) => {
    expect(() => signItem(item, MESH_ID, ALICE.sign)).toThrow(reason)
  })

  test('an id is of the payload alone: equal bodies have one id, in every mesh', () => {
    const one = signItem({ kind: 'seal', value: SEAL }, MESH_ID, ALICE.sign)
    const other = signItem({ kind: 'seal', value: SEAL }, idOf('other'), ALICE.sign)
    expect(other.id).toBe(one.id)
    expect(one.id).toBe(Buffer.from(sha256(SEAL_PAYLOAD)).toString('hex'))
  })
})
