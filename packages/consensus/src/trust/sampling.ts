import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { mix } from '@sgsd/color'
import { idBytes, shortText, u64Bytes } from '../bytes.ts'
import type { Millis, PeerName } from '../ids.ts'
import { PROBATION_EPOCHS, PROBATION_SAMPLES, TRUSTED_SAMPLES } from '../limits.ts'
import { itemKey } from '../join.ts'
import { liveMembers } from '../membership.ts'
import { compareText } from '../order.ts'
import type { MeshState, Signed } from '../state.ts'
import { ranges } from '../work.ts'
import { keptEpochs } from '../epochs.ts'
import { beaconOf } from './beacon.ts'
import { isExcluded } from './exclusion.ts'
import { followerCount, followersOf, type Ring, ringOf } from './ring.ts'

/** Chunks of one claim to recompute, ascending, counted in its epoch. */
export interface AuditTask {
  readonly claim: Signed<'claim'>
  readonly chunks: readonly number[]
}

const PUBLIC_DOMAIN = utf8ToBytes('sgs-sample/1')
const PRIVATE_DOMAIN = utf8ToBytes('sgs-private/1')

/** Probability that so many samples show a forger of a fraction of its chunks: 1 − (1 − f)^s. */
export function detection(samples: number, fraction: number): number {
  return 1 - (1 - fraction) ** samples
}

/** Has a member contributed to fewer than ten closed epochs since it came, or since its last offence? */
export function isInProbation(state: Pick<MeshState, 'goodEpochs'>, peer: PeerName): boolean {
  return (state.goodEpochs.get(peer) ?? 0) < PROBATION_EPOCHS
}

/** Chunks of a member that its verifiers together recompute in an epoch. */
export function samplesFor(state: Pick<MeshState, 'goodEpochs'>, peer: PeerName): number {
  return isInProbation(state, peer) ? PROBATION_SAMPLES : TRUSTED_SAMPLES
}

/**
 * Who audits whom in an epoch: members stand in a ring in the order of SHA-256(domain ‖ beacon ‖ epoch ‖ peer id); the up to 16 that follow a claimant are
 * its verifiers. So nobody chooses its verifiers, each member has equally many claimants, and one that goes moves the duties of its neighbours alone.
 * @param members - any order; the claimant may be among them
 */
export function verifiersOf(beacon: string, epoch: bigint, claimant: PeerName, members: readonly PeerName[]): readonly PeerName[] {
  return followersOf(ringOf(beacon, epoch, members), claimant)
}

/**
 * The chunks that this node has to recompute now, least patience first: those for which two claims name different values; then members in probation;
 * then the others; older epochs first. What was recomputed already (`claim-audited`) is not in it.
 *
 * A claimant's samples of an epoch are divided equally among its verifiers, half of them public, from the beacon of the *next* epoch, which nobody knew
 * when the claims were made, half private, from this node's own seed. Of the current epoch only private ones are drawn, in proportion to what is claimed
 * so far; once it is closed the rest. docs/protocol.md §7.8
 * @param privateSeed - 32 bytes that nobody else knows, the same over a claim's life
 */
export function auditPlan(state: MeshState, self: PeerName, now: Millis, privateSeed: Uint8Array): readonly AuditTask[] {
  const chosen = new Map<string, { readonly claim: Signed<'claim'>; readonly chunks: Set<number>; readonly rank: number }>()
  const choose = (claim: Signed<'claim'>, chunk: number, rank: number): void => {
    const key = itemKey(claim)
    if (state.audits.get(key)?.includes(chunk) === true) return
    const task = chosen.get(key)
    if (task === undefined) chosen.set(key, { claim, chunks: new Set([chunk]), rank })
    else task.chunks.add(chunk)
  }
  for (const [key, chunk] of state.conflicts) {
    const claim = state.claims.get(key)
    if (claim !== undefined && claim.value.author !== self && state.counted.has(key) && !isExcluded(state, claim.value.author, claim.value.epoch)) {
      choose(claim, chunk, 0)
    }
  }
  const members = liveMembers(state, now)
  if (!members.includes(self)) return tasks(chosen.values())
  for (const epoch of keptEpochs(state)) {
    const ring = ringOf(beaconOf(state, epoch), epoch, members)
    for (const [claimant, claims] of claimsToAudit(state, epoch, self, ring)) {
      const share = Math.ceil(samplesFor(state, claimant) / followerCount(ring, claimant))
      const rank = isInProbation(state, claimant) ? 1 : 2
      const drawn = epoch === state.epoch ? early(state, now, claims, share, privateSeed) : late(state, self, claims, share, privateSeed)
      for (const { claim, chunk } of drawn) choose(claim, chunk, rank)
    }
  }
  return tasks(chosen.values())
}

interface Sample {
  readonly claim: Signed<'claim'>
  readonly chunk: number
}

/** The private half, of each claim in proportion to the claimant's range: rounded by chance, so that nobody can tell which claims are spared. */
function early(state: MeshState, now: Millis, claims: readonly Signed<'claim'>[], share: number, seed: Uint8Array): readonly Sample[] {
  const claimed = claims.reduce((sum, { value }) => sum + value.run.count, 0)
  const expected = Math.max(claimed, ranges(state, now).get(claims[0]!.value.author)?.count ?? 0)
  return claims.flatMap((claim) => {
    const { run } = claim.value
    const chance = chanceOf(PRIVATE_DOMAIN, seed, idBytes(claim.value.root))
    const wanted = (Math.ceil(share / 2) * run.count) / expected
    const least = Math.floor(wanted)
    const count = least + (chance() * 2 ** -32 < wanted - least ? 1 : 0)
    return distinct(chance, Math.min(count, run.count), run.count).map((index) => ({ claim, chunk: run.start + index }))
  })
}

/** What `late` drew, by the claimant's first claim and by verifier. */
const drawnLate = new WeakMap<Signed<'claim'>, Map<PeerName, Drawn>>()

interface Drawn {
  readonly claims: readonly Signed<'claim'>[]
  readonly beacon: string
  readonly share: number
  readonly seed: Uint8Array
  readonly samples: readonly Sample[]
}

/**
 * The public half, and as many private ones as are missing to the share. Where all that was drawn last from the same claims and beacon was recomputed since,
 * drawing again would give nothing new, and is spared.
 */
function late(state: MeshState, self: PeerName, claims: readonly Signed<'claim'>[], share: number, seed: Uint8Array): readonly Sample[] {
  const beacon = beaconOf(state, claims[0]!.value.epoch + 1n)
  let known = drawnLate.get(claims[0]!)
  if (known === undefined) drawnLate.set(claims[0]!, (known = new Map()))
  const last = known.get(self)
  const isSame =
    last?.beacon === beacon &&
    last.share === share &&
    last.seed === seed &&
    last.claims.length === claims.length &&
    claims.every((claim, i) => claim === last.claims[i])
  if (isSame && last.samples.every(({ claim, chunk }) => state.audits.get(itemKey(claim))?.includes(chunk) === true)) return []
  const samples = drawLate(state, self, claims, share, seed, beacon)
  known.set(self, { claims, beacon, share, seed, samples })
  return samples
}

function drawLate(
  state: MeshState,
  self: PeerName,
  claims: readonly Signed<'claim'>[],
  share: number,
  seed: Uint8Array,
  beacon: string,
): readonly Sample[] {
  const { author, epoch } = claims[0]!.value
  const total = claims.reduce((sum, { value }) => sum + value.run.count, 0)
  const roots = claims.map(({ value }) => idBytes(value.root))
  const open = chanceOf(PUBLIC_DOMAIN, idBytes(beacon), shortText(self), ...roots)
  const drawn = new Set(distinct(open, Math.min(share >>> 1, total), total))
  const secret = chanceOf(PRIVATE_DOMAIN, seed, u64Bytes(epoch), shortText(author))
  const known = new Set([...drawn, ...auditedPositions(state, claims)])
  const enough = Math.min(total, share)
  for (const position of distinct(secret, enough, total)) {
    if (known.size >= enough) break
    known.add(position)
    drawn.add(position)
  }
  return [...drawn].map((position) => sampleAt(claims, position))
}

/** Where the chunks that were recomputed already lie in the claims laid end to end. */
function auditedPositions(state: MeshState, claims: readonly Signed<'claim'>[]): readonly number[] {
  let passed = 0
  return claims.flatMap((claim) => {
    const offset = passed - claim.value.run.start
    passed += claim.value.run.count
    return (state.audits.get(itemKey(claim)) ?? []).map((chunk) => chunk + offset)
  })
}

/** The chunk at a place in the claims laid end to end. */
function sampleAt(claims: readonly Signed<'claim'>[], position: number): Sample {
  let passed = 0
  for (const claim of claims) {
    const { run } = claim.value
    if (position < passed + run.count) return { claim, chunk: run.start + position - passed }
    passed += run.count
  }
  throw new RangeError(`claims of ${passed} chunks have no chunk ${position}`)
}

/** `count` different whole numbers in [0, total): the first steps of a Fisher-Yates shuffle. */
function distinct(chance: () => number, count: number, total: number): readonly number[] {
  const moved = new Map<number, number>()
  const drawn: number[] = []
  for (let i = 0; i < count; i++) {
    const j = i + (chance() % (total - i))
    drawn.push(moved.get(j) ?? j)
    moved.set(j, moved.get(i) ?? i)
  }
  return drawn
}

/** A stream of numbers in [0, 2^32) from a hash: SplitMix64 over its first eight bytes. */
function chanceOf(...parts: readonly Uint8Array[]): () => number {
  const digest = sha256(concatBytes(...parts))
  let state = new DataView(digest.buffer, digest.byteOffset).getBigUint64(0, true)
  return () => {
    state = mix(state)
    return Number(state >> 32n)
  }
}

const NO_CLAIMS: ReadonlyMap<PeerName, readonly Signed<'claim'>[]> = new Map()

/** Counted claims of an epoch by claimant, in order of index: of those that this node has to audit, and that are not excluded. */
function claimsToAudit(state: MeshState, epoch: bigint, self: PeerName, ring: Ring): ReadonlyMap<PeerName, readonly Signed<'claim'>[]> {
  const { claims, counted, exclusions } = state
  let duties = recent.find(
    (one) => one.epoch === epoch && one.ring === ring && one.claims === claims && one.counted === counted && one.exclusions === exclusions,
  )
  if (duties === undefined) {
    duties = { epoch, ring, claims, counted, exclusions, byVerifier: dutiesOf(state, epoch, ring) }
    if (recent.unshift(duties) > RECENT) recent.pop()
  }
  return duties.byVerifier.get(self) ?? NO_CLAIMS
}

type Duties = ReadonlyMap<PeerName, ReadonlyMap<PeerName, readonly Signed<'claim'>[]>>

/** Duties that were asked for last: a plan is made again and again over the same claims. */
const recent: (Pick<MeshState, 'claims' | 'counted' | 'exclusions' | 'epoch'> & { readonly ring: Ring; readonly byVerifier: Duties })[] = []
/** Those of the kept epochs, of a few views. */
const RECENT = 12

/** The same for every verifier. */
function dutiesOf(state: MeshState, epoch: bigint, ring: Ring): Duties {
  const byClaimant = new Map<PeerName, Signed<'claim'>[]>()
  for (const [key, claim] of state.claims) {
    if (claim.value.epoch !== epoch || !state.counted.has(key)) continue
    const held = byClaimant.get(claim.value.author)
    if (held === undefined) byClaimant.set(claim.value.author, [claim])
    else held.push(claim)
  }
  const duties = new Map<PeerName, Map<PeerName, readonly Signed<'claim'>[]>>()
  for (const [claimant, claims] of byClaimant) {
    if (isExcluded(state, claimant, epoch)) continue
    claims.sort((a, b) => a.value.index - b.value.index)
    for (const verifier of followersOf(ring, claimant)) {
      const held = duties.get(verifier)
      if (held === undefined) duties.set(verifier, new Map([[claimant, claims]]))
      else held.set(claimant, claims)
    }
  }
  return duties
}

function tasks(
  chosen: Iterable<{ readonly claim: Signed<'claim'>; readonly chunks: ReadonlySet<number>; readonly rank: number }>,
): readonly AuditTask[] {
  return [...chosen]
    .sort((a, b) => a.rank - b.rank || Number(a.claim.value.epoch - b.claim.value.epoch) || compareText(itemKey(a.claim), itemKey(b.claim)))
    .map(({ claim, chunks }) => ({ claim, chunks: [...chunks].sort((a, b) => a - b) }))
}
