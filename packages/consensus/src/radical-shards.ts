import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { spi64 } from '@sgsd/color'
import type { FoldId } from './genesis.ts'
import type { Millis, PeerName } from './ids.ts'
import { activeMembers } from './membership.ts'
import { compareText } from './order.ts'
import type { MeshState } from './state.ts'
import { weightsOf } from './weights.ts'

const DOMAIN = utf8ToBytes('sgs-radical/1')

/**
 * Members that write the same radical: one, or three from five members on. Counts are summed, so each is taken once; a trimmed mean or a median
 * needs three to say anything about one of them. docs/protocol.md §8.1
 */
export function replication(members: number, foldId: FoldId): number {
  switch (foldId) {
    case 'evidence/1':
      return 1
    case 'mean/1':
      return members >= 5 ? 3 : 1
    case 'trimmed/1':
    case 'median/1':
      return members >= 3 ? 3 : 1
  }
}

/** A member takes no further radical once it holds this many times its fair share of rows. */
export const LOAD_BOUND = 1.25

/** A member and the lattice rows it steps per second; 0 = unknown. */
export interface ShardMember {
  readonly peer: PeerName
  readonly speed: bigint
}

/**
 * Bounded-load weighted rendezvous hashing of radicals, heaviest first: each goes to the r members with the least
 * `-ln(u(peer, radical)) / weight` among those that hold less than `LOAD_BOUND` × their fair share of rows (weight / Σ weights × rows × r).
 * One more member of N moves about 1 / (N + 1) of the rows. docs/protocol.md §8.1
 * @param members - any order, one entry per peer
 * @param radicalRows - rows of each radical, index 1 … 214 (0 unused); radicals without rows go to nobody
 * @param foldId - the mesh's: it decides how many members write one radical
 * @returns ascending radicals for every member
 */
export function assignRadicals(
  members: readonly ShardMember[],
  radicalRows: readonly number[],
  foldId: FoldId = 'mean/1',
): ReadonlyMap<PeerName, readonly number[]> {
  const peers = [...members].sort((a, b) => compareText(a.peer, b.peer))
  const weights = weightsOf(peers.map(({ speed }) => speed)).map(Number)
  const seeds = peers.map(({ peer }) => seedOf(peer))
  const copies = replication(peers.length, foldId)
  const radicals = radicalRows.flatMap((rows, radical) => (radical > 0 && rows > 0 ? [radical] : []))
  radicals.sort((a, b) => radicalRows[b]! - radicalRows[a]! || a - b)
  const total = radicals.reduce((sum, radical) => sum + radicalRows[radical]!, 0) * copies
  const sum = weights.reduce((a, b) => a + b, 0)
  const bounds = weights.map((weight) => (LOAD_BOUND * total * weight) / sum)
  const loads = peers.map(() => 0)
  const shards = peers.map((): number[] => [])
  for (const radical of radicals) {
    const costs = seeds.map((seed, i) => minusLog(spi64(seed, BigInt(radical))) / weights[i]!)
    for (const i of choose(costs, loads, bounds, copies)) {
      loads[i]! += radicalRows[radical]!
      shards[i]!.push(radical)
    }
  }
  return new Map(peers.map(({ peer }, i) => [peer, shards[i]!.sort((a, b) => a - b)]))
}

/** The radicals of every active member. */
export function shards(state: MeshState, now: Millis, radicalRows: readonly number[]): ReadonlyMap<PeerName, readonly number[]> {
  const members = activeMembers(state, now).map((peer) => ({ peer, speed: state.roster.get(peer)?.value.rowRate ?? 0n }))
  return assignRadicals(members, radicalRows, state.genesis.foldId)
}

/** Cheapest members with room first; where too few have room, the cheapest of the full ones. */
function choose(costs: readonly number[], loads: readonly number[], bounds: readonly number[], copies: number): readonly number[] {
  const order = costs.map((_, i) => i)
  const full = order.map((i) => loads[i]! >= bounds[i]!)
  order.sort((a, b) => Number(full[a]) - Number(full[b]) || costs[a]! - costs[b]! || a - b)
  return order.slice(0, copies)
}

/** First eight bytes, little-endian, of SHA-256(domain ‖ peer id). */
function seedOf(peer: PeerName): bigint {
  const digest = sha256.create().update(DOMAIN).update(utf8ToBytes(peer)).digest()
  return new DataView(digest.buffer, digest.byteOffset).getBigUint64(0, true)
}

/**
 * −ln of a u64 hash read as a number u in (0, 1), with nothing but IEEE 754 additions, multiplications and divisions in a fixed order:
 * `Math.log` may differ in the last bit between platforms, and then so would the shards.
 */
export function minusLog(hash: bigint): number {
  let u = (Number(hash >> 12n) + 0.5) / 4_503_599_627_370_496 // 52 bits, centred: never 0, never 1
  let log = 0
  while (u < 0.5) {
    u *= 2
    log += Math.LN2
  }
  // ln u = −2 (s + s³/3 + s⁵/5 + …), s = (1 − u) / (1 + u) ≤ 1/3
  const s = (1 - u) / (1 + u)
  const square = s * s
  let term = s
  let series = 0
  for (let k = 1; k <= 33; k += 2) {
    series += term / k
    term *= square
  }
  return log + 2 * series
}
