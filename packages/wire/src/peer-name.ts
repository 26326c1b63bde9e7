import type { PeerName } from '@sgsd/consensus'
import { accept, reject, type Verdict } from './verdict.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** An Ed25519 peer id is an identity multihash of a protobuf: these six bytes, then the 32 of the public key. */
const PREFIX: readonly number[] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20]
const PEER_ID_BYTES = 38
/** Every such id has 52 characters and begins with 12D3KooW. */
const PEER_ID_CHARS = 52

/** @returns the peer id, or one sentence on what is wrong with it. docs/protocol.md §1.3 */
export function parsePeerName(text: string): Verdict<PeerName> {
  return isPeerName(text) ? accept(text) : reject(`not a peer id of an Ed25519 key (12D3KooW… with ${PEER_ID_CHARS} characters)`)
}

export function isPeerName(text: unknown): text is PeerName {
  if (typeof text !== 'string' || text.length !== PEER_ID_CHARS) return false
  const bytes = decodeBase58(text)
  return bytes !== undefined && PREFIX.every((byte, i) => bytes[i] === byte)
}

/** Base58btc of a number that fits `PEER_ID_BYTES`; undefined for other characters or a larger number. */
function decodeBase58(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(PEER_ID_BYTES)
  for (const character of text) {
    let carry = ALPHABET.indexOf(character)
    if (carry < 0) return undefined
    for (let i = PEER_ID_BYTES - 1; i >= 0; i--) {
      carry += bytes[i]! * 58
      bytes[i] = carry & 0xff
      carry >>>= 8
    }
    if (carry > 0) return undefined
  }
  // A leading 1 stands for a leading zero byte, and one only.
  return text.startsWith('1') && text[1] !== '1' ? bytes : undefined
}
