import { chunksOfEpoch } from './grid.ts'
import type { Millis, PeerName } from './ids.ts'
import type { ChunkRun } from './items.ts'
import { CLAIMS_FOR_WHOLE_EPOCH, KEPT_EPOCHS, MAX_CLAIM_CHUNKS, MAX_CLAIMS_PER_EPOCH } from './limits.ts'
import { liveMembers } from './membership.ts'
import { partition, type RatedMember } from './partition.ts'
import { type ChunkSet, countChunks, missingFrom, withRun } from './runs.ts'
import type { MeshState } from './state.ts'
import { nextClaimIndex } from './claims.ts'

/** A run to mine: of the current epoch, or of one that is being repaired. */
export interface Work extends ChunkRun {
  readonly epoch: bigint
}

/** The range of every live member in the current epoch. docs/protocol.md §6.3 */
export function ranges(state: MeshState, now: Millis): ReadonlyMap<PeerName, ChunkRun> {
  return partition(state.meshId, state.epoch, rated(state, liveMembers(state, now)), chunksOfEpoch(state.genesis))
}

/**
 * The next run for this node to mine. First its part of the gaps that an exclusion tore into closed epochs, the oldest epoch first. Then the first
 * uncovered chunks of its own range; when that is covered, its part of what idle members (paused, or in another epoch by their newest beat) leave open, so
 * that an epoch closes without them; and once the epoch has stalled its part of whatever is open. docs/protocol.md §6.4
 * @param maxChunks - wanted size; a run is larger where smaller claims would not fit into the allowed number of claims
 * @param inFlight - runs that are computed already and not yet claimed; of the current epoch where they name none
 * @returns undefined when nothing is left to do, or when this node is no member or excluded
 */
export function nextWork(
  state: MeshState,
  now: Millis,
  maxChunks: number,
  inFlight: readonly (ChunkRun & { readonly epoch?: bigint })[] = [],
): Work | undefined {
  const all = ranges(state, now)
  const own = all.get(state.self)
  if (own === undefined) return undefined
  for (const epoch of [...state.repairing].sort((a, b) => (a < b ? -1 : 1))) {
    const helpers = [...all.keys()].filter((peer) => stillKeeps(state, peer, epoch))
    const run = partOfGaps(state, epoch, missingFrom(coveredIn(state, epoch, inFlight), wholeEpoch(state)), helpers)
    if (run !== undefined && hasIndexLeft(state, epoch)) return { epoch, ...sized(state, run, maxChunks) }
  }
  const covered = coveredIn(state, state.epoch, inFlight)
  const run = missingFrom(covered, own)[0] ?? gapOfOthers(state, all, covered)
  return run !== undefined && hasIndexLeft(state, state.epoch) ? { epoch: state.epoch, ...sized(state, run, maxChunks) } : undefined
}

/** First run of this node's part of the chunks that idle members leave uncovered; of those of all others once the epoch has stalled. */
function gapOfOthers(state: MeshState, all: ReadonlyMap<PeerName, ChunkRun>, covered: ChunkSet): ChunkRun | undefined {
  const gaps: ChunkRun[] = []
  const helpers: PeerName[] = []
  for (const [peer, range] of all) {
    const missing = hasStalled(state) || isIdle(state, peer) ? missingFrom(covered, range) : []
    if (missing.length > 0) gaps.push(...missing)
    else helpers.push(peer)
  }
  return gaps.length === 0 ? undefined : partOfGaps(state, state.epoch, gaps, helpers)
}

/**
 * First run of this node's part of some chunks: a partition of them, laid end to end, among the helpers that mine. There may be fewer chunks than helpers;
 * once the epoch has stalled those without a part then divide the same chunks again, so that none rests with a member that does not do its part.
 */
function partOfGaps(state: MeshState, epoch: bigint, gaps: ChunkSet, peers: readonly PeerName[]): ChunkRun | undefined {
  let helpers = peers.filter((peer) => peer === state.self || state.beats.get(peer)?.rateNow !== 0n)
  while (helpers.length > 0) {
    const parts = partition(state.meshId, epoch, rated(state, helpers), countChunks(gaps))
    const part = parts.get(state.self)
    if (part === undefined) return undefined
    if (part.count > 0) return firstOfPart(gaps, part)
    if (!hasStalled(state)) return undefined
    const idle = helpers.filter((peer) => parts.get(peer)?.count === 0)
    if (idle.length === helpers.length) return undefined
    helpers = idle
  }
  return undefined
}

function firstOfPart(gaps: ChunkSet, part: ChunkRun): ChunkRun | undefined {
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

/** Somebody says that it mines, and nothing comes of it. */
function hasStalled({ progress, epoch }: MeshState): boolean {
  return progress.hasStalled && progress.epoch === epoch
}

function coveredIn(state: MeshState, epoch: bigint, inFlight: readonly (ChunkRun & { readonly epoch?: bigint })[]): ChunkSet {
  return inFlight.filter((run) => (run.epoch ?? state.epoch) === epoch).reduce(withRun, state.tallies.get(epoch)?.covered ?? [])
}

function wholeEpoch(state: MeshState): ChunkRun {
  return { start: 0, count: chunksOfEpoch(state.genesis) }
}

function hasIndexLeft(state: MeshState, epoch: bigint): boolean {
  return nextClaimIndex(state, epoch) < MAX_CLAIMS_PER_EPOCH
}

function sized(state: MeshState, run: ChunkRun, maxChunks: number): ChunkRun {
  const least = Math.ceil(chunksOfEpoch(state.genesis) / CLAIMS_FOR_WHOLE_EPOCH)
  return { start: run.start, count: Math.min(run.count, Math.max(1, Math.floor(maxChunks) || 1, least), MAX_CLAIM_CHUNKS) }
}

/** By its newest beat a member has not gone so far ahead that it forgot the claims of this epoch. */
function stillKeeps(state: MeshState, peer: PeerName, epoch: bigint): boolean {
  return peer === state.self || (state.beats.get(peer)?.epoch ?? state.epoch) <= epoch + BigInt(KEPT_EPOCHS)
}

/** Says of itself that it mines nothing, or is in another epoch. */
function isIdle(state: MeshState, peer: PeerName): boolean {
  const beat = state.beats.get(peer)
  return peer !== state.self && beat !== undefined && (beat.rateNow === 0n || beat.epoch !== state.epoch)
}

function rated(state: MeshState, peers: readonly PeerName[]): readonly RatedMember[] {
  const known = ratedOf.get(peers)
  if (known?.roster === state.roster) return known.members
  const members = peers.map((peer) => ({ peer, rate: state.roster.get(peer)?.value.colourRate ?? 0n }))
  ratedOf.set(peers, { roster: state.roster, members })
  return members
}

/** The lists of live members are the same ones again and again. */
const ratedOf = new WeakMap<readonly PeerName[], { readonly roster: MeshState['roster']; readonly members: readonly RatedMember[] }>()
