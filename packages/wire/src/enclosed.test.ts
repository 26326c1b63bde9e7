import { describe, expect, test } from 'vitest'
import { type Item, proofFault, type SignedClaim } from '@sgsd/consensus'
import { EQUIVOCATION_BODY, PROOF_BODY } from './bodies.ts'
import { encode, parse } from './body.ts'
import { encodePayload, openGossip, openItem, signedBytes, signItem } from './envelope.ts'
import { MAX_GOSSIP_BYTES, MAX_PROOF_BYTES } from './limits.ts'
import { encodeBody } from './msgpack.ts'
import { ALICE, BOB, CLAIM, CONTEXT, equivocationOf, GENESIS, HEAD, MESH_ID, proofOf, RECORD } from '../testing/member.ts'

const U64 = (1n << 64n) - 1n
const state = { meshId: MESH_ID, genesis: { ...GENESIS, epochColours: 1n << 44n } }

/** An envelope by Bob around any payload. */
function envelope(kind: string, payload: Uint8Array, signer: typeof BOB = BOB): Uint8Array {
  const mesh = new Uint8Array(Buffer.from(MESH_ID, 'hex'))
  return encodeBody([1, kind, BOB.peer, mesh, payload, signer.sign(signedBytes(kind, MESH_ID, payload))])
}

describe('fraud proofs on the wire (docs/protocol.md §4.8)', () => {
  test('the proof of the largest claim there can be has at most 1 KiB, and leads to its root after the journey', () => {
    const values = BigUint64Array.from({ length: 16_384 }, (_, i) => U64 - BigInt(i))
    const changes = { epoch: U64, index: 2_047, run: { start: (1 << 24) - 16_384, count: 16_384 }, xor: U64 }
    const { bytes } = signItem({ kind: 'proof', value: proofOf(values, changes, 16_383) }, MESH_ID, BOB.sign)
    expect(bytes.length).toBeLessThanOrEqual(MAX_PROOF_BYTES)
    const opened = openItem(bytes, CONTEXT)
    if (opened.type !== 'accept' || opened.value.kind !== 'proof') throw new Error('not a proof')
    expect(opened.value.value.path).toHaveLength(14)
    expect(proofFault(state, opened.value.value)).toBeUndefined()
  })

  test("the accused's claim comes out as it was signed: bytes, id and all", () => {
    const value = proofOf()
    const opened = openItem(signItem({ kind: 'proof', value }, MESH_ID, BOB.sign).bytes, CONTEXT)
    expect(opened).toMatchObject({ type: 'accept', value: { kind: 'proof', value } })
    expect(openItem(value.claim.bytes, CONTEXT)).toEqual({ type: 'accept', value: value.claim })
  })

  test('a claim that the accused did not sign is refused', () => {
    const { claim } = proofOf()
    const forged = signItem({ kind: 'claim', value: claim.value }, MESH_ID, BOB.sign) as SignedClaim
    const payload = encodePayload({ kind: 'proof', value: { ...proofOf(), claim: forged } }, MESH_ID)
    const reason = "proof: the signature of the claim in it is not its author's"
    expect(openItem(envelope('proof', payload), CONTEXT)).toEqual({ type: 'reject', reason })
    expect(openItem(envelope('proof', payload, ALICE), CONTEXT)).toEqual({ type: 'reject', reason: "proof: the signature is not its author's" })
  })

  test('what is enclosed is a claim and nothing else: no proof within a proof', () => {
    const inner = proofOf()
    const raw = parse(PROOF_BODY, encodePayload({ kind: 'proof', value: inner }, MESH_ID))
    if (raw.type !== 'accept') throw new Error(raw.reason)
    for (const item of [
      { kind: 'proof', value: inner },
      { kind: 'head', value: HEAD },
    ] as const) {
      const signature = ALICE.sign(signedBytes('claim', MESH_ID, encodePayload(item, MESH_ID)))
      const payload = encode(PROOF_BODY, { ...raw.value, claim: { payload: encodePayload(item, MESH_ID), signature } })
      expect(openItem(envelope('proof', payload), CONTEXT)).toMatchObject({
        type: 'reject',
        reason: expect.stringMatching(/^proof: claim /) as string,
      })
    }
    for (const path of [new Uint8Array(33), new Uint8Array(15 * 32)]) {
      expect(openItem(envelope('proof', encode(PROOF_BODY, { ...raw.value, path })), CONTEXT).type).toBe('reject')
    }
  })

  test('the signatures are checked last, the own one before that of the claim', () => {
    const { bytes } = signItem({ kind: 'proof', value: proofOf() }, MESH_ID, BOB.sign)
    const asked: string[] = []
    const verify = (peer: string): boolean => asked.push(peer) > 0
    expect(openItem(bytes, { ...CONTEXT, verify }).type).toBe('accept')
    expect(asked).toEqual([BOB.peer, ALICE.peer])
    openItem(bytes.subarray(0, -1), { ...CONTEXT, verify })
    expect(asked).toHaveLength(2)
  })

  test('it travels on the topic of proofs alone', () => {
    const { bytes } = signItem({ kind: 'proof', value: proofOf() }, MESH_ID, BOB.sign)
    expect(openGossip('proofs', bytes, CONTEXT).type).toBe('accept')
    expect(openGossip('claims', bytes, CONTEXT)).toEqual({ type: 'reject', reason: 'a proof on topic claims' })
  })
})

describe('evidence on the wire (docs/protocol.md §4.9)', () => {
  const claims: readonly [Item, Item] = [
    { kind: 'claim', value: CLAIM },
    { kind: 'claim', value: { ...CLAIM, xor: 0n } },
  ]

  test.each<[string, readonly [Item, Item]]>([
    ['claims', claims],
    [
      'heads',
      [
        { kind: 'head', value: HEAD },
        { kind: 'head', value: { ...HEAD, radicals: Array.from({ length: 214 }, (_, i) => i + 1) } },
      ],
    ],
    [
      'records',
      [
        { kind: 'record', value: RECORD },
        { kind: 'record', value: { ...RECORD, cores: 1 } },
      ],
    ],
  ])('two %s come out as they were signed', (_, rivals) => {
    const value = equivocationOf(...rivals)
    const { bytes } = signItem({ kind: 'equivocation', value }, MESH_ID, BOB.sign)
    expect(openItem(bytes, CONTEXT)).toMatchObject({ type: 'accept', value: { kind: 'equivocation', value } })
  })

  test('two items that do not conflict, are out of order, or of which one was not signed, are refused', () => {
    const good = equivocationOf(...claims)
    const raw = parse(EQUIVOCATION_BODY, encodePayload({ kind: 'equivocation', value: good }, MESH_ID))
    if (raw.type !== 'accept') throw new Error(raw.reason)
    const { first, second } = raw.value
    const of = (changes: object): unknown => openItem(envelope('equivocation', encode(EQUIVOCATION_BODY, { ...raw.value, ...changes })), CONTEXT)
    expect(of({})).toMatchObject({ type: 'accept' })
    expect(of({ second: first })).toEqual({ type: 'reject', reason: 'equivocation: the two items do not conflict' })
    expect(of({ first: second, second: first })).toEqual({ type: 'reject', reason: 'equivocation: the two items are out of order' })
    expect(of({ first: { ...first, signature: second.signature } })).toEqual({
      type: 'reject',
      reason: "equivocation: the signature of the claim in it is not its author's",
    })
    const other = signItem({ kind: 'claim', value: { ...CLAIM, index: 2 } }, MESH_ID, ALICE.sign) as SignedClaim
    expect(() => signItem({ kind: 'equivocation', value: { ...good, second: other } }, MESH_ID, BOB.sign)).toThrow('do not conflict')
  })

  test('what does not fit a gossip message is not signed', () => {
    const addrs = Array.from({ length: 16 }, () => '/'.padEnd(256, 'x'))
    const value = equivocationOf({ kind: 'record', value: { ...RECORD, addrs } }, { kind: 'record', value: { ...RECORD, addrs, cores: 1 } })
    expect(value.first.bytes.length + value.second.bytes.length).toBeGreaterThan(MAX_GOSSIP_BYTES)
    expect(() => signItem({ kind: 'equivocation', value }, MESH_ID, BOB.sign)).toThrow(RangeError)
  })

  test('evidence as large as it is made still fits', () => {
    const [addr, rest] = ['/'.padEnd(256, 'x'), Array.from({ length: 8 }, () => '/'.padEnd(256, 'x'))]
    const value = equivocationOf(
      { kind: 'record', value: { ...RECORD, addrs: [addr, ...rest] } },
      { kind: 'record', value: { ...RECORD, addrs: rest, cores: 1 } },
    )
    expect(value.first.bytes.length + value.second.bytes.length).toBeGreaterThan(4_900)
    expect(signItem({ kind: 'equivocation', value }, MESH_ID, BOB.sign).bytes.length).toBeLessThanOrEqual(MAX_GOSSIP_BYTES)
  })
})
