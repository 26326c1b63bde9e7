import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { ERGODIC, POLARITY_NAMES, twistSeed, type Polarity } from './polarity.ts'
import { spi64 } from './spi64.ts'
import { composeXor } from './transducer.ts'

/**
 * One of three shares of a hidden message. MINUS holds the message's blocks masked with the key's colours, ERGODIC colours alone, and
 * PLUS the XOR of the two: so the XOR of all three is 0 in every block, message or not, and any two make the third.
 */
export interface Share {
  readonly polarity: Polarity
  /** Index of the key's stream that the first block is masked with. Never hide two messages with one key from one index. */
  readonly start: bigint
  /** u64 each: length, checksum, then the message, filled up with zeros. */
  readonly blocks: readonly bigint[]
}

export type Revealed =
  | { readonly ok: true; readonly message: Uint8Array }
  /** `wrong`: the shares that do not fit the key, by polarity. */
  | { readonly ok: false; readonly wrong: readonly Polarity[]; readonly reason: string }

/** Bytes of a message, at most, 1 MiB. */
export const MAX_DISGUISED_BYTES = 1_048_576

const BLOCK_BYTES = 8
/** Length and checksum. */
const HEADER_BLOCKS = 2
const CHECKSUM_DOMAIN = utf8ToBytes('sgsd-disguise/1')

/**
 * Hides a message in three shares. It hides, it does not encrypt: a key has 64 bits and spi64 is no cipher.
 * @param key - u64
 * @param start - index of the key's stream to begin with; a fresh one for each message
 * @throws RangeError for a message above `MAX_DISGUISED_BYTES`
 */
export function disguise(key: bigint, start: bigint, message: Uint8Array): readonly [Share, Share, Share] {
  if (message.length > MAX_DISGUISED_BYTES) throw new RangeError(`a message of ${message.length} bytes is longer than ${MAX_DISGUISED_BYTES}`)
  const from = BigInt.asUintN(64, start)
  const plain = frame(key, from, message)
  const minus = plain.map((block, i) => block ^ spi64(key, from + BigInt(i)))
  const ergodic = cover(key, from, plain.length)
  return [
    { polarity: 0, start: from, blocks: minus },
    { polarity: 1, start: from, blocks: ergodic },
    { polarity: 2, start: from, blocks: minus.map((block, i) => block ^ ergodic[i]!) },
  ]
}

/**
 * Reads a message back from all three shares or from any two, in any order. With the key each share is checked by itself, so one or two
 * wrong ones are named; a wrong key fits none.
 */
export function reveal(key: bigint, shares: readonly Share[]): Revealed {
  const [first] = shares
  if (first === undefined || shares.length < 2) return refuse([], 'at least two of the three shares are needed')
  if (shares.length > 3 || new Set(shares.map(({ polarity }) => polarity)).size !== shares.length) return refuse([], 'a share is there twice')
  const messages: Uint8Array[] = []
  const wrong: Polarity[] = []
  for (const share of shares) {
    const colours = cover(key, share.start, share.blocks.length)
    if (share.polarity === ERGODIC) {
      if (share.blocks.length < HEADER_BLOCKS || share.blocks.some((block, i) => block !== colours[i])) wrong.push(share.polarity)
      continue
    }
    const masked = share.polarity === 0 ? share.blocks : share.blocks.map((block, i) => block ^ colours[i]!)
    const message = open(key, share.start, masked)
    if (message === undefined) wrong.push(share.polarity)
    else messages.push(message)
  }
  wrong.sort((a, b) => a - b)
  if (wrong.length === shares.length) return refuse(wrong, 'no share fits this key: the key is wrong, or all of them are')
  if (wrong.length > 0)
    return refuse(wrong, `the checksum inside does not fit: ${wrong.map((polarity) => POLARITY_NAMES[polarity]).join(' and ')} wrong`)
  const odd = shares.some(({ start, blocks }) => start !== first.start || blocks.length !== first.blocks.length)
  if (odd || !publicXorHolds(shares)) return refuse([], 'the shares belong to different messages')
  return { ok: true, message: messages[0]! }
}

/** XOR of a share's blocks: the shares' three folds XOR to 0, so any public XOR that they are mixed into stays what it was. */
export function foldShare({ blocks }: Share): bigint {
  return composeXor(blocks)
}

/** Of three shares: whether their XOR is 0 in every block. */
export function publicXorHolds(shares: readonly Share[]): boolean {
  if (shares.length < 3) return true
  return shares[0]!.blocks.every((block, i) => (block ^ (shares[1]!.blocks[i] ?? 0n) ^ (shares[2]!.blocks[i] ?? 0n)) === 0n)
}

function cover(key: bigint, start: bigint, blocks: number): bigint[] {
  const twisted = twistSeed(key, ERGODIC)
  return Array.from({ length: blocks }, (_, i) => spi64(twisted, start + BigInt(i)))
}

function frame(key: bigint, start: bigint, message: Uint8Array): readonly bigint[] {
  const bytes = new Uint8Array((HEADER_BLOCKS + Math.ceil(message.length / BLOCK_BYTES)) * BLOCK_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(message.length), true)
  view.setBigUint64(BLOCK_BYTES, checksum(key, start, message), true)
  bytes.set(message, HEADER_BLOCKS * BLOCK_BYTES)
  return Array.from({ length: bytes.length / BLOCK_BYTES }, (_, i) => view.getBigUint64(i * BLOCK_BYTES, true))
}

function open(key: bigint, start: bigint, masked: readonly bigint[]): Uint8Array | undefined {
  const bytes = new Uint8Array(masked.length * BLOCK_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [i, block] of masked.entries()) view.setBigUint64(i * BLOCK_BYTES, block ^ spi64(key, start + BigInt(i)), true)
  if (masked.length < HEADER_BLOCKS) return undefined
  const length = Number(view.getBigUint64(0, true))
  if (length > MAX_DISGUISED_BYTES || HEADER_BLOCKS + Math.ceil(length / BLOCK_BYTES) !== masked.length) return undefined
  const message = bytes.slice(HEADER_BLOCKS * BLOCK_BYTES, HEADER_BLOCKS * BLOCK_BYTES + length)
  const filling = bytes.subarray(HEADER_BLOCKS * BLOCK_BYTES + length)
  if (filling.some((byte) => byte !== 0)) return undefined
  return view.getBigUint64(BLOCK_BYTES, true) === checksum(key, start, message) ? message : undefined
}

/** First 8 bytes of a SHA-256 that key and start are part of. */
function checksum(key: bigint, start: bigint, message: Uint8Array): bigint {
  const numbers = new DataView(new ArrayBuffer(2 * BLOCK_BYTES))
  numbers.setBigUint64(0, BigInt.asUintN(64, key), true)
  numbers.setBigUint64(BLOCK_BYTES, BigInt.asUintN(64, start), true)
  const digest = sha256(concatBytes(CHECKSUM_DOMAIN, new Uint8Array(numbers.buffer), message))
  return new DataView(digest.buffer, digest.byteOffset).getBigUint64(0, true)
}

function refuse(wrong: readonly Polarity[], reason: string): Revealed {
  return { ok: false, wrong, reason }
}
