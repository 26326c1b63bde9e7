import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import type { PeerName } from '@sgsd/consensus'
import { MeshError, reasonOf } from './mesh-error.ts'

/** A node's own name and the key behind it. */
export interface Identity {
  readonly peer: PeerName
  /** Ed25519 over the message; 64 bytes. */
  sign(message: Uint8Array): Uint8Array
  readonly privateKey: Ed25519PrivateKey
}

/** A fresh Ed25519 identity, as libp2p's protobuf private key (68 bytes); a secret. */
export async function createIdentity(): Promise<Uint8Array> {
  return privateKeyToProtobuf(await generateKeyPair('Ed25519'))
}

/** @throws MeshError IDENTITY_INVALID for anything but what `createIdentity` makes */
export function openIdentity(bytes: Uint8Array): Identity {
  const privateKey = readKey(bytes)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, privateKey.raw.subarray(0, 32)]), format: 'der', type: 'pkcs8' })
  return {
    peer: peerIdFromPrivateKey(privateKey).toString() as PeerName,
    sign: (message) => new Uint8Array(sign(null, message, key)),
    privateKey,
  }
}

/**
 * Whether `signature` is `peer`'s Ed25519 signature over `message`; the public key is inside the peer id.
 * Total: false for a name that is not the canonical text of an Ed25519 peer id.
 */
export function verifySignature(peer: PeerName, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  const key = publicKeyOf(peer)
  return key !== undefined && verify(null, message, key, signature)
}

/** Public keys kept ready: parsing one costs about as much as a verification, and a mesh has far fewer members. */
const MAX_CACHED_KEYS = 1_024

/** DER heads of an Ed25519 key, RFC 8410; the 32 key bytes follow. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex')

const cachedKeys = new Map<string, KeyObject>()

function publicKeyOf(peer: PeerName): KeyObject | undefined {
  const cached = cachedKeys.get(peer)
  if (cached !== undefined) return cached
  const key = readPublicKey(peer)
  if (key === undefined) return undefined
  if (cachedKeys.size >= MAX_CACHED_KEYS) {
    const oldest = cachedKeys.keys().next()
    if (oldest.done !== true) cachedKeys.delete(oldest.value)
  }
  cachedKeys.set(peer, key)
  return key
}

function readPublicKey(peer: PeerName): KeyObject | undefined {
  try {
    const id = peerIdFromString(peer)
    // A peer id has other spellings (CIDv1); only the canonical one may name an author.
    if (id.type !== 'Ed25519' || id.toString() !== peer) return undefined
    return createPublicKey({ key: Buffer.concat([SPKI_ED25519, id.publicKey.raw]), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

function readKey(bytes: Uint8Array): Ed25519PrivateKey {
  let key: ReturnType<typeof privateKeyFromProtobuf>
  try {
    key = privateKeyFromProtobuf(bytes)
  } catch (cause) {
    throw new MeshError('IDENTITY_INVALID', { detail: reasonOf(cause) }, { cause })
  }
  if (key.type !== 'Ed25519') throw new MeshError('IDENTITY_INVALID', { detail: `an ${key.type} key, not Ed25519` })
  return key
}
