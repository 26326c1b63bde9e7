import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PeerName } from '@sgsd/consensus'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createIdentity, openIdentity, verifySignature } from './identity.ts'

const MESSAGE = new Uint8Array([1, 2, 3])

describe('identity', () => {
  test('signs what others verify by the peer id alone', async () => {
    const identity = openIdentity(await createIdentity())
    expect(identity.peer).toMatch(/^12D3KooW/)
    expect(verifySignature(identity.peer, MESSAGE, identity.sign(MESSAGE))).toBe(true)
  })

  test("libp2p's own key gives the same signature", async () => {
    const identity = openIdentity(await createIdentity())
    expect(identity.sign(MESSAGE)).toEqual(new Uint8Array(await identity.privateKey.sign(MESSAGE)))
  })

  test('the same bytes are the same identity; two creations differ', async () => {
    const bytes = await createIdentity()
    expect(openIdentity(bytes).peer).toBe(openIdentity(bytes).peer)
    expect(openIdentity(await createIdentity()).peer).not.toBe(openIdentity(bytes).peer)
  })

  test('one changed bit of message or signature, or another peer, does not verify', async () => {
    const identity = openIdentity(await createIdentity())
    const other = openIdentity(await createIdentity())
    const signature = identity.sign(MESSAGE)
    expect(verifySignature(other.peer, MESSAGE, signature)).toBe(false)
    for (let bit = 0; bit < 512; bit += 7) {
      const forged = Uint8Array.from(signature)
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(verifySignature(identity.peer, MESSAGE, forged)).toBe(false)
    }
    expect(verifySignature(identity.peer, new Uint8Array([1, 2, 4]), signature)).toBe(false)
  })

  test('another spelling of the same peer id is nobody', async () => {
    const { peer, privateKey, sign } = openIdentity(await createIdentity())
    const cid = privateKey.publicKey.toCID().toString()
    expect(cid).not.toBe(peer)
    expect(verifySignature(cid as PeerName, MESSAGE, sign(MESSAGE))).toBe(false)
  })

  test('anything at all is a verdict, never an exception', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.uint8Array(),
        fc.uint8Array({ maxLength: 80 }),
        (peer, message, signature) => !verifySignature(peer as PeerName, message, signature),
      ),
    )
  })

  test('damaged or foreign keys are refused with a code', async () => {
    const bytes = await createIdentity()
    const rsa = privateKeyToProtobuf(await generateKeyPair('secp256k1'))
    for (const bad of [new Uint8Array(), bytes.subarray(0, 40), new Uint8Array(68), rsa]) {
      expect(() => openIdentity(bad)).toThrow(expect.objectContaining({ code: 'IDENTITY_INVALID' }))
    }
  })
})
