import { CHUNK_COLOURS } from '@sgsd/color'
import type { Genesis } from './genesis.ts'
import type { Millis, PeerName } from './ids.ts'
import type { ChunkRun } from './items.ts'
import { CLAIMS_FOR_WHOLE_EPOCH, MAX_CLAIM_CHUNKS, MAX_CLAIMS_PER_EPOCH, MAX_EPOCH_CHUNKS } from './limits.ts'
import { liveMembers } from './membership.ts'
import { partition, type RatedMember } from './partition.ts'
import { type ChunkSet, countChunks, missingFrom, withRun } from './runs.ts'
import type { MeshState } from './state.ts'
import { nextClaimIndex } from './claims.ts'

/** Chunks of 2^20 colours in an epoch. */
export function chunksOfEpoch(genesis: Genesis): number {
  return Number(genesis.epochColours / BigInt(CHUNK_COLOURS))
}

/** Whole chunks, at least one, at most `MAX_EPOCH_CHUNKS`. */
export function isEpochSize(colours: bigint): boolean {
  const chunk = BigInt(CHUNK_COLOURS)
  return colours >= chunk && colours % chunk === 0n && colours / chunk <= BigInt(MAX_EPOCH_CHUNKS)
}

/** The range of every live member in the current epoch. docs/protocol.md §6.3 */
export function ranges(state: MeshState, now: Millis): ReadonlyMap<PeerName, ChunkRun> {
  return partition(state.meshId, state.epoch, rated(state, liveMembers(state, now)), chunksOfEpoch(state.genesis))
}

/**
 * The next run for this node to mine: the first uncovered chunks of its own range; when that is covered, its part of what idle members
 * (paused, or in another epoch by their newest beat) leave open, so that an epoch closes without them. docs/protocol.md §6.4
 * @param maxChunks - wanted size; a run is larger where smaller claims would not fit into the allowed number of claims
 * @param inFlight - runs that are computed already and not yet claimed
 * @returns undefined when nothing is left to do, or when this node is no member
 */
export function nextWork(state: MeshState, now: Millis, maxChunks: number, inFlight: readonly ChunkRun[] = []): ChunkRun | undefined {
  const all = ranges(state, now)
  const own = all.get(state.self)
  if (own === undefined || nextClaimIndex(state) >= MAX_CLAIMS_PER_EPOCH) return undefined
  const covered = inFlight.reduce(withRun, state.tallies.get(state.epoch)?.covered ?? [])
  const run = missingFrom(covered, own)[0] ?? gapOfIdle(state, all, covered)
  if (run === undefined) return undefined
  const least = Math.ceil(chunksOfEpoch(state.genesis) / CLAIMS_FOR_WHOLE_EPOCH)
  const count = Math.min(run.count, Math.max(1, Math.floor(maxChunks) || 1, least), MAX_CLAIM_CHUNKS)
  return { start: run.start, count }
}

/** First run of this node's part of the chunks that idle members leave uncovered: a partition of those chunks, laid end to end, among the others. */
function gapOfIdle(state: MeshState, all: ReadonlyMap<PeerName, ChunkRun>, covered: ChunkSet): ChunkRun | undefined {
  const gaps: ChunkRun[] = []
  const helpers: PeerName[] = []
  for (const [peer, range] of all) {
    const missing = missingFrom(covered, range)
    if (missing.length > 0 && isIdle(state, peer)) gaps.push(...missing)
    else helpers.push(peer)
  }
  const part = partition(state.meshId, state.epoch, rated(state, helpers), countChunks(gaps)).get(state.self)
  if (part === undefined || part.count === 0) return undefined
  let passed = 0
  for (const gap of gaps) {
    if (part.start < passed + gap.count) {
      const skip = part.start - passed
      return { start: gap.start + skip, count: Math.min(gap.count - skip, part.count) }
    }
    passed += gap.count
  }
  return undefined
}

/** Says of itself that it mines nothing, or is in another epoch. */
function isIdle(state: MeshState, peer: PeerName): boolean {
  const beat = state.beats.get(peer)
  return peer !== state.self && beat !== undefined && (beat.rateNow === 0n || beat.epoch !== state.epoch)
}

function rated(state: MeshState, peers: readonly PeerName[]): RatedMember[] {
  return peers.map((peer) => ({ peer, rate: state.roster.get(peer)?.value.colourRate ?? 0n }))
}
