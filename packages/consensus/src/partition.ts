import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { idBytes, u64Bytes } from './bytes.ts'
import type { MeshId, PeerName } from './ids.ts'
import type { ChunkRun } from './items.ts'
import { compareText } from './order.ts'
import { weightsOf } from './weights.ts'

const DOMAIN = utf8ToBytes('sgs-partition/1')

/** A member and its measured rate; 0 = unknown. */
export interface RatedMember {
  readonly peer: PeerName
  readonly rate: bigint
}

/**
 * Splits the chunk grid among members: contiguous, disjoint and complete for every roster, sizes within one chunk of the weights.
 * A pure function of the set of members: any node with the same view derives the same ranges. docs/protocol.md §6.3
 * @param members - any order; of two entries for one peer the higher rate counts
 * @param chunks - integer ≥ 0
 * @returns a run for every member, of 0 chunks where there are more members than chunks; in grid order
 */
export function partition(meshId: MeshId, epoch: bigint, members: readonly RatedMember[], chunks: number): ReadonlyMap<PeerName, ChunkRun> {
  const known = recent.find((one) => one.epoch === epoch && one.chunks === chunks && one.meshId === meshId && isSame(one.members, members))
  if (known !== undefined) return known.ranges
  const ranges = divide(meshId, epoch, members, chunks)
  if (recent.unshift({ meshId, epoch, members, chunks, ranges }) > RECENT) recent.pop()
  return ranges
}

/** Partitions that were asked for last: between two changes of the roster it is the same one again and again. */
const recent: {
  readonly meshId: MeshId
  readonly epoch: bigint
  readonly members: readonly RatedMember[]
  readonly chunks: number
  readonly ranges: ReadonlyMap<PeerName, ChunkRun>
}[] = []
const RECENT = 8

function isSame(a: readonly RatedMember[], b: readonly RatedMember[]): boolean {
  return a === b || (a.length === b.length && a.every(({ peer, rate }, i) => peer === b[i]!.peer && rate === b[i]!.rate))
}

function divide(meshId: MeshId, epoch: bigint, members: readonly RatedMember[], chunks: number): ReadonlyMap<PeerName, ChunkRun> {
  const rates = new Map<PeerName, bigint>()
  for (const { peer, rate } of members) rates.set(peer, max(rates.get(peer) ?? 0n, rate))
  const order = [...rates.keys()].map((peer) => ({ peer, place: placeOf(meshId, epoch, peer) })).sort((a, b) => compareText(a.place, b.place))
  const sizes = largestRemainder(weightsOf(order.map(({ peer }) => rates.get(peer)!)), chunks)
  const ranges = new Map<PeerName, ChunkRun>()
  let start = 0
  for (const [i, { peer }] of order.entries()) {
    ranges.set(peer, { start, count: sizes[i]! })
    start += sizes[i]!
  }
  return ranges
}

/** Shares of `total` by weight, each rounded down; what is left goes one each to the largest remainders, the earlier member first. */
export function largestRemainder(weights: readonly bigint[], total: number): readonly number[] {
  const sum = weights.reduce((a, b) => a + b, 0n)
  if (sum === 0n) return weights.map(() => 0)
  const shares = weights.map((weight) => Number((BigInt(total) * weight) / sum))
  const left = total - shares.reduce((a, b) => a + b, 0)
  const remainders = weights.map((weight, i) => ({ i, remainder: (BigInt(total) * weight) % sum }))
  remainders.sort((a, b) => (a.remainder > b.remainder ? -1 : a.remainder < b.remainder ? 1 : a.i - b.i))
  for (const { i } of remainders.slice(0, left)) shares[i]! += 1
  return shares
}

function placeOf(meshId: MeshId, epoch: bigint, peer: PeerName): string {
  return bytesToHex(sha256(concatBytes(DOMAIN, idBytes(meshId), u64Bytes(epoch), utf8ToBytes(peer))))
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
