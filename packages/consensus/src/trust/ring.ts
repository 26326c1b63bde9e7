import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { idBytes, u64Bytes } from '../bytes.ts'
import type { PeerName } from '../ids.ts'
import { VERIFIERS } from '../limits.ts'
import { compareText } from '../order.ts'

/** Members in the order of SHA-256(domain ‖ beacon ‖ epoch ‖ peer id): who follows whom is nobody's choice, and another one in each epoch. */
export interface Ring {
  readonly beacon: string
  readonly epoch: bigint
  readonly members: readonly PeerName[]
  readonly order: readonly { readonly peer: PeerName; readonly place: string }[]
  /** Index in `order`. */
  readonly indexOf: ReadonlyMap<PeerName, number>
}

const RING_DOMAIN = utf8ToBytes('sgs-verifier/1')

/** Rings that were asked for last: a plan asks for the same few again and again. */
const recent: Ring[] = []
const RECENT = 8

/** @param members - any order */
export function ringOf(beacon: string, epoch: bigint, members: readonly PeerName[]): Ring {
  const known = recent.find((ring) => ring.beacon === beacon && ring.epoch === epoch && isSame(ring.members, members))
  if (known !== undefined) return known
  const order = members.map((peer) => ({ peer, place: placeOf(beacon, epoch, peer) })).sort((a, b) => compareText(a.place, b.place))
  const ring = { beacon, epoch, members, order, indexOf: new Map(order.map(({ peer }, i) => [peer, i])) }
  if (recent.unshift(ring) > RECENT) recent.pop()
  return ring
}

/** The up to 16 members that follow a claimant, which need not be in the ring itself. */
export function followersOf(ring: Ring, claimant: PeerName): readonly PeerName[] {
  const { order } = ring
  const first = firstBehind(ring, claimant)
  return Array.from({ length: followerCount(ring, claimant) }, (_, i) => order[(first + i) % order.length]!.peer)
}

/** How many members follow a claimant. */
export function followerCount({ order, indexOf }: Ring, claimant: PeerName): number {
  return Math.min(VERIFIERS, order.length - (indexOf.has(claimant) ? 1 : 0))
}

function firstBehind({ beacon, epoch, order, indexOf }: Ring, claimant: PeerName): number {
  const own = indexOf.get(claimant)
  if (own !== undefined) return (own + 1) % order.length
  const place = placeOf(beacon, epoch, claimant)
  const first = order.findIndex((other) => other.place > place)
  return Math.max(0, first)
}

function placeOf(beacon: string, epoch: bigint, peer: PeerName): string {
  return bytesToHex(sha256(concatBytes(RING_DOMAIN, idBytes(beacon), u64Bytes(epoch), utf8ToBytes(peer))))
}

function isSame(a: readonly PeerName[], b: readonly PeerName[]): boolean {
  return a === b || (a.length === b.length && a.every((peer, i) => peer === b[i]))
}
