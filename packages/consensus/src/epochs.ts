import type { PeerName } from './ids.ts'
import type { Millis } from './ids.ts'
import type { Claim } from './items.ts'
import { xorOf } from './claims.ts'
import { type Draft, filtered, withEntry } from './draft.ts'
import { itemKey } from './join.ts'
import { KEPT_EPOCHS, MAX_CLOSED } from './limits.ts'
import { isMember, liveMembers } from './membership.ts'
import { compareText, sortedEntries } from './order.ts'
import { countChunks, missingFrom, withRun } from './runs.ts'
import type { ClosedEpoch, EpochTally, MeshState, Signed } from './state.ts'
import { chunksOfEpoch } from './work.ts'

/** A tally with nothing in it. */
export function emptyTally(epoch: bigint): EpochTally {
  return { epoch, covered: [], chunksCovered: 0, xor: 0n, byMember: new Map() }
}

/**
 * Does this claim still have something to add? It is of the current epoch and of a member, neither counted nor refused, and some of its chunks are
 * uncovered.
 */
export function isWanted(state: MeshState, claim: Signed<'claim'>): boolean {
  const key = itemKey(claim)
  if (claim.value.epoch !== state.epoch || !isMember(state, claim.value.author)) return false
  if (state.counted.has(key) || state.refusedClaims.has(key)) return false
  return missingFrom(state.tallies.get(state.epoch)?.covered ?? [], claim.value.run).length > 0
}

/** Asks for the leaves of every claim that can be counted now; of one author, or of all. */
export function pursueClaims(draft: Draft, author?: PeerName): void {
  for (const [, claim] of sortedEntries(draft.state.claims)) {
    if ((author === undefined || claim.value.author === author) && isWanted(draft.state, claim)) draft.emit({ type: 'fetch-leaves', claim })
  }
}

/**
 * Adds the uncovered chunks of a claim to the tally of its epoch. Chunk → value is a function, so the tally depends on the set of counted claims
 * alone and not on their order (`byMember` does: it tells who was first here). docs/protocol.md §7.4
 */
export function countClaim(draft: Draft, claim: Signed<'claim'>, values: BigUint64Array): void {
  const { state } = draft
  const key = itemKey(claim)
  const { epoch, author, run } = claim.value
  const isHeld = state.claims.get(key)?.id === claim.id && epoch === state.epoch && isMember(state, author)
  if (!isHeld || state.counted.has(key) || state.refusedClaims.has(key) || values.length !== run.count) return
  const tally = added(state.tallies.get(epoch) ?? emptyTally(epoch), claim.value, values)
  draft.set({ counted: new Set(state.counted).add(key), tallies: withEntry(state.tallies, epoch, tally) })
  closeIfComplete(draft)
}

/** After a counted claim was replaced: the tally of the current epoch starts anew from the claims that stand. */
export function recount(draft: Draft): void {
  const { state } = draft
  const prefix = `${state.epoch}/`
  const counted = new Set([...state.counted].filter((key) => !key.startsWith(prefix)))
  draft.set({ counted, tallies: withEntry(state.tallies, state.epoch, emptyTally(state.epoch)) })
  pursueClaims(draft)
}

/**
 * A node that is so far behind that the claims it would need are gone adopts the result of the others: let e be the largest epoch that more than half
 * of the other live members have sealed; when e ≥ own epoch + `KEPT_EPOCHS`, this node goes on at e + 1 with the XOR that most seals of e name (of
 * equally many, the smaller). docs/protocol.md §7.6
 */
export function adoptIfBehind(draft: Draft, now: Millis): void {
  const { state } = draft
  const others = liveMembers(state, now).filter((peer) => peer !== state.self)
  const seals = others.flatMap((peer) => state.seals.get(peer) ?? []).sort((a, b) => (a.value.epoch > b.value.epoch ? -1 : 1))
  const median = seals[Math.floor(others.length / 2)]
  if (median === undefined || median.value.epoch < state.epoch + BigInt(KEPT_EPOCHS)) return
  const { epoch } = median.value
  const closed: ClosedEpoch = {
    epoch,
    xor: mostNamed(seals.filter(({ value }) => value.epoch === epoch).map(({ value }) => value.xor)),
    how: 'adopted',
  }
  draft.emit({
    type: 'report',
    level: 'info',
    what: 'epoch-adopted',
    detail: `epoch ${state.epoch} could not be computed any more; epoch ${epoch} is taken from the seals of others`,
  })
  enterEpoch(draft, closed)
  draft.emit({ type: 'epoch-closed', closed })
  pursueClaims(draft)
}

/** This node's own seal, from disk or from peers after a loss of the disk: it had closed that epoch, and goes on behind it. */
export function resumeBehind(draft: Draft, { epoch, xor }: Signed<'seal'>['value']): void {
  if (epoch < draft.state.epoch) return
  enterEpoch(draft, { epoch, xor, how: 'computed' })
  pursueClaims(draft)
}

/** Reports seals that name another XOR for an epoch than this node has. */
export function compareSeal(draft: Draft, { value }: Signed<'seal'>): void {
  const mine = draft.state.closed.find(({ epoch }) => epoch === value.epoch)
  if (mine === undefined || mine.xor === value.xor) return
  draft.emit({ type: 'report', level: 'warn', what: 'epoch-xor-differs', peer: value.author, detail: `epoch ${value.epoch}` })
}

function added(tally: EpochTally, { author, run }: Claim, values: BigUint64Array): EpochTally {
  const fresh = missingFrom(tally.covered, run)
  const count = countChunks(fresh)
  if (count === 0) return tally
  let { xor } = tally
  for (const piece of fresh) xor ^= xorOf(values, piece.start - run.start, piece.count)
  return {
    epoch: tally.epoch,
    covered: withRun(tally.covered, run),
    chunksCovered: tally.chunksCovered + count,
    xor,
    byMember: withEntry(tally.byMember, author, (tally.byMember.get(author) ?? 0) + count),
  }
}

function closeIfComplete(draft: Draft): void {
  const { state } = draft
  const tally = state.tallies.get(state.epoch)
  if (tally === undefined || tally.chunksCovered < chunksOfEpoch(state.genesis)) return
  const closed: ClosedEpoch = { epoch: tally.epoch, xor: tally.xor, how: 'computed' }
  enterEpoch(draft, closed)
  draft.emit({ type: 'epoch-closed', closed })
  for (const [, seal] of sortedEntries(state.seals)) if (seal.value.epoch === tally.epoch) compareSeal(draft, seal)
  pursueClaims(draft)
}

/** Makes the epoch behind `closed` the current one, and forgets the claims that no one can need any more. */
function enterEpoch(draft: Draft, closed: ClosedEpoch): void {
  const { state } = draft
  const epoch = closed.epoch + 1n
  const oldest = epoch - BigInt(KEPT_EPOCHS)
  const gone = [...state.claims].filter(([, claim]) => claim.value.epoch < oldest).sort(([a], [b]) => compareText(a, b))
  const lost = new Set(gone.map(([key]) => key))
  draft.set({
    epoch,
    closed: [closed, ...state.closed].slice(0, MAX_CLOSED),
    claims: filtered(state.claims, (_, key) => !lost.has(key)),
    counted: new Set([...state.counted].filter((key) => !lost.has(key))),
    refusedClaims: filtered(state.refusedClaims, (_, key) => !lost.has(key)),
    tallies: withEntry(
      filtered(state.tallies, (tally) => tally.epoch >= oldest),
      epoch,
      emptyTally(epoch),
    ),
  })
  for (const [, item] of gone) draft.emit({ type: 'forget', item })
}

function mostNamed(xors: readonly bigint[]): bigint {
  const votes = new Map<bigint, number>()
  for (const xor of xors) votes.set(xor, (votes.get(xor) ?? 0) + 1)
  const [winner] = [...votes].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return winner?.[0] ?? 0n
}
