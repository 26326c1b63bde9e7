import { xorOf } from './claims.ts'
import type { Draft, OpenTally } from './draft.ts'
import type { Millis, PeerName } from './ids.ts'
import { chunksOfEpoch } from './grid.ts'
import type { ChunkRun } from './items.ts'
import { itemKey } from './join.ts'
import { KEPT_EPOCHS, KEPT_REVEALS, MAX_CLOSED, MAX_COMPARED, PROBATION_EPOCHS, RECEIPT_EPOCHS, STALL_MS } from './limits.ts'
import { isMember } from './member.ts'
import { isLive, liveMembers } from './membership.ts'
import { compareText, sortedEntries } from './order.ts'
import { addRun, countChunks, missingFrom } from './runs.ts'
import type { ClosedEpoch, EpochTally, MeshState, Signed } from './state.ts'
import { isExcluded } from './trust/exclusion.ts'

/** A tally with nothing in it. */
export function emptyTally(epoch: bigint): EpochTally {
  return { epoch, covered: [], chunksCovered: 0, xor: 0n, byMember: new Map() }
}

/**
 * Does this claim still have something to add? It is of the current epoch or of one that is being repaired, of a member that is not excluded from that
 * epoch, neither counted nor refused, and some of its chunks are uncovered.
 */
export function isWanted(state: MeshState, claim: Signed<'claim'>): boolean {
  if (!isCountable(state, claim)) return false
  const key = itemKey(claim)
  if (state.counted.has(key) || state.refusedClaims.has(key)) return false
  return missingFrom(state.tallies.get(claim.value.epoch)?.covered ?? [], claim.value.run).length > 0
}

/** Asks for the leaves of every claim that can be counted now; of one author, or of all. */
export function pursueClaims(draft: Draft, author?: PeerName): void {
  const { state } = draft
  const wanted = [...state.claims].filter(([, claim]) => (author === undefined || claim.value.author === author) && isWanted(state, claim))
  for (const [, claim] of wanted.sort(([a], [b]) => compareText(a, b))) draft.emit({ type: 'fetch-leaves', claim })
}

/**
 * Adds the uncovered chunks of a claim to the tally of its epoch. Chunk → value is a function, so the tally depends on the set of counted claims
 * alone and not on their order (`byMember` does: it tells who was first here). Where it overlaps counted claims of others, and two values differ, one of
 * them is false: the leaves are compared. docs/protocol.md §7.4
 */
export function countClaim(draft: Draft, claim: Signed<'claim'>, values: BigUint64Array): void {
  const { state } = draft
  const key = itemKey(claim)
  const { epoch, run } = claim.value
  if (state.claims.get(key)?.id !== claim.id || !isCountable(state, claim)) return
  if (state.counted.has(key) || state.refusedClaims.has(key) || values.length !== run.count) return
  const added = addTo(draft.tally(epoch), claim, values)
  draft.edit('counted').add(key)
  if (added < run.count) compareOverlaps(draft, claim)
  settleEpochs(draft)
}

/**
 * After a counted claim was replaced or its author excluded: the tally of an epoch starts anew from the claims that stand. What is covered by whole claims
 * needs no values; a claim of which only a part is needed now is asked for again. A closed epoch that is no longer whole is opened for repair.
 */
export function recount(draft: Draft, epoch: bigint): void {
  const { state } = draft
  const claims = sortedEntries(state.claims).filter(([, claim]) => claim.value.epoch === epoch)
  const closed = state.closed.find((candidate) => candidate.epoch === epoch)
  if (epoch !== state.epoch && !isRecomputable(state, epoch, closed, claims)) return
  const tally = draft.freshTally(epoch)
  const counted = draft.edit('counted')
  for (const [key, claim] of claims) {
    if (!counted.has(key)) continue
    const fresh = countChunks(missingFrom(tally.covered, claim.value.run))
    const { count } = claim.value.run
    if (!isMember(state, claim.value.author) || isExcluded(state, claim.value.author, epoch) || (fresh > 0 && fresh < count)) counted.delete(key)
    else if (fresh === count) addTo(tally, claim, undefined)
  }
  if (epoch !== state.epoch && !state.repairing.has(epoch) && tally.chunksCovered < chunksOfEpoch(state.genesis)) {
    draft.edit('repairing').add(epoch)
    const open = chunksOfEpoch(state.genesis) - tally.chunksCovered
    draft.emit({ type: 'report', level: 'warn', what: 'epoch-reopened', detail: `${open} chunks of epoch ${epoch} have to be covered anew` })
  } else if (closed !== undefined && tally.chunksCovered === chunksOfEpoch(state.genesis)) reclose(draft, tally)
}

/** Closes what is whole: epochs under repair first, then, once none is left, the current one. */
export function settleEpochs(draft: Draft): void {
  const { genesis } = draft.state
  const isWhole = (epoch: bigint): boolean => draft.state.tallies.get(epoch)?.chunksCovered === chunksOfEpoch(genesis)
  for (const epoch of [...draft.state.repairing].sort((a, b) => (a < b ? -1 : 1))) {
    if (isWhole(epoch)) reclose(draft, draft.state.tallies.get(epoch)!)
  }
  if (draft.state.repairing.size === 0 && isWhole(draft.state.epoch)) closeEpoch(draft)
}

/**
 * A node that is so far behind that the claims it would need are gone adopts the result of the others: let e be the largest epoch that more than half
 * of the other live members have sealed; when e ≥ own epoch + `KEPT_EPOCHS`, this node goes on at e + 1 with the XOR that most seals of e name (of
 * equally many, the smaller). docs/protocol.md §7.6
 */
export function adoptIfBehind(draft: Draft, now: Millis): void {
  const { state } = draft
  const threshold = state.epoch + BigInt(KEPT_EPOCHS)
  let isAnyAhead = false
  for (const { value } of state.seals.values()) isAnyAhead ||= value.epoch >= threshold
  if (!isAnyAhead) return
  const others = [...state.roster.keys()].filter((peer) => peer !== state.self && isLive(state, peer, now))
  const seals = others.flatMap((peer) => state.seals.get(peer) ?? []).sort((a, b) => (a.value.epoch > b.value.epoch ? -1 : 1))
  const median = seals[Math.floor(others.length / 2)]
  if (median === undefined || median.value.epoch < threshold) return
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
  for (const kept of keptEpochs(draft.state)) if (kept < draft.state.epoch && hasVoidClaim(draft.state, kept)) recount(draft, kept)
  pursueClaims(draft)
}

/** Has the current epoch, or a repair that keeps it from closing, gained nothing for `STALL_MS` although somebody says that it mines? It then counts as stalled until it ends. */
export function noteProgress(draft: Draft, now: Millis): void {
  const { epoch, tallies, repairing, progress } = draft.state
  let covered = tallies.get(epoch)?.chunksCovered ?? 0
  for (const open of repairing) covered += tallies.get(open)?.chunksCovered ?? 0
  const hasStalled = progress.hasStalled && progress.epoch === epoch
  const isMined = liveMembers(draft.state, now).some((peer) => (draft.state.beats.get(peer)?.rateNow ?? 0n) > 0n)
  if (progress.epoch !== epoch || progress.covered !== covered || !isMined) draft.set({ progress: { epoch, covered, at: now, hasStalled } })
  else if (!hasStalled && now - progress.at > STALL_MS) {
    draft.set({ progress: { ...progress, hasStalled: true } })
    draft.emit({ type: 'report', level: 'warn', what: 'epoch-stalled', detail: `epoch ${epoch}: others take part in what is left` })
  }
}

/** Reports seals that name another XOR for an epoch than this node has. */
export function compareSeal(draft: Draft, { value }: Signed<'seal'>): void {
  const mine = draft.state.closed.find(({ epoch }) => epoch === value.epoch)
  if (mine === undefined || mine.xor === value.xor) return
  draft.emit({ type: 'report', level: 'warn', what: 'epoch-xor-differs', peer: value.author, detail: `epoch ${value.epoch}` })
}

/** Epochs whose claims are kept, the current one included; oldest first. */
export function keptEpochs(state: Pick<MeshState, 'epoch'>): readonly bigint[] {
  const epochs: bigint[] = []
  for (let epoch = oldestKept(state.epoch); epoch <= state.epoch; epoch++) if (epoch >= 0n) epochs.push(epoch)
  return epochs
}

/** Of an epoch that is counted now, and of a member that has a part in it. */
function isCountable(state: MeshState, { value: { author, epoch } }: Signed<'claim'>): boolean {
  return (epoch === state.epoch || state.repairing.has(epoch)) && isMember(state, author) && !isExcluded(state, author, epoch)
}

/** @param values - undefined where no chunk of the claim is covered yet. @returns chunks added */
function addTo(tally: OpenTally, { value: { author, run, xor } }: Signed<'claim'>, values: BigUint64Array | undefined): number {
  const fresh = missingFrom(tally.covered, run)
  const count = countChunks(fresh)
  if (count === 0) return 0
  if (count === run.count) tally.xor ^= xor
  else for (const piece of fresh) tally.xor ^= xorOf(values!, piece.start - run.start, piece.count)
  addRun(tally.covered, run)
  tally.chunksCovered += count
  tally.byMember.set(author, (tally.byMember.get(author) ?? 0) + count)
  return count
}

/** Asks for a comparison with the first few counted claims of other members that share chunks with this one. */
function compareOverlaps(draft: Draft, claim: Signed<'claim'>): void {
  const { state } = draft
  let compared = 0
  for (const [key, other] of state.claims) {
    if (compared === MAX_COMPARED) return
    if (other.value.epoch !== claim.value.epoch || other.value.author === claim.value.author || !state.counted.has(key)) continue
    const start = Math.max(claim.value.run.start, other.value.run.start)
    const end = Math.min(claim.value.run.start + claim.value.run.count, other.value.run.start + other.value.run.count)
    if (start >= end) continue
    draft.emit({ type: 'compare-leaves', claims: [claim, other], overlap: { start, count: end - start } })
    compared += 1
  }
}

/** A closed epoch is whole again: its entry is replaced, and sealed anew if the XOR is another. */
function reclose(draft: Draft, { epoch, xor }: EpochTally): void {
  const { state } = draft
  if (state.repairing.has(epoch)) {
    draft.edit('repairing').delete(epoch)
    draft.emit({ type: 'report', level: 'info', what: 'epoch-repaired', detail: `epoch ${epoch}` })
  }
  if (state.closed.some((candidate) => candidate.epoch === epoch && candidate.xor === xor)) return
  const closed: ClosedEpoch = { epoch, xor, how: 'computed' }
  draft.set({ closed: state.closed.map((candidate) => (candidate.epoch === epoch ? closed : candidate)) })
  announce(draft, closed)
}

function closeEpoch(draft: Draft): void {
  const { state } = draft
  const tally = state.tallies.get(state.epoch)!
  const closed: ClosedEpoch = { epoch: tally.epoch, xor: tally.xor, how: 'computed' }
  const good = draft.edit('goodEpochs')
  for (const author of authorsOf(state, tally.epoch)) good.set(author, Math.min((good.get(author) ?? 0) + 1, PROBATION_EPOCHS))
  enterEpoch(draft, closed)
  announce(draft, closed)
  pursueClaims(draft)
}

function announce(draft: Draft, closed: ClosedEpoch): void {
  draft.emit({ type: 'epoch-closed', closed })
  for (const [, seal] of sortedEntries(draft.state.seals)) if (seal.value.epoch === closed.epoch) compareSeal(draft, seal)
}

/** Makes the epoch behind `closed` the current one, and forgets what no one can need any more. */
function enterEpoch(draft: Draft, closed: ClosedEpoch): void {
  const epoch = closed.epoch + 1n
  const oldest = oldestKept(epoch)
  const { state } = draft
  const gone = [...state.claims].filter(([, claim]) => claim.value.epoch < oldest).sort(([a], [b]) => compareText(a, b))
  draft.set({ epoch, closed: [closed, ...state.closed].slice(0, MAX_CLOSED) })
  if (gone.length > 0) {
    const collections = [draft.edit('claims'), draft.edit('counted'), draft.edit('refusedClaims'), draft.edit('audits'), draft.edit('conflicts')]
    for (const [key] of gone) for (const collection of collections) collection.delete(key)
  }
  draft.freshTally(epoch)
  for (const old of state.tallies.keys()) if (old < oldest) draft.edit('tallies').delete(old)
  for (const old of state.reveals.keys()) if (old + BigInt(KEPT_REVEALS) < epoch) draft.edit('reveals').delete(old)
  for (const old of state.repairing) {
    if (old >= oldest) continue
    draft.edit('repairing').delete(old)
    draft.emit({
      type: 'report',
      level: 'warn',
      what: 'epoch-not-repaired',
      detail: `epoch ${old} was not covered anew in time; its XOR stands as it was`,
    })
  }
  for (const [, claim] of gone) draft.emit({ type: 'forget', item: claim })
  for (const [key, receipt] of state.receipts) {
    if (receipt.value.epoch + BigInt(RECEIPT_EPOCHS) >= epoch) continue
    draft.edit('receipts').delete(key)
    draft.emit({ type: 'forget', item: receipt })
  }
  if (state.exclusions.size > 0 || state.receipts.size > 0) draft.refold()
}

function oldestKept(epoch: bigint): bigint {
  return epoch - BigInt(KEPT_EPOCHS)
}

function authorsOf(state: MeshState, epoch: bigint): ReadonlySet<PeerName> {
  const authors = new Set<PeerName>()
  for (const [key, { value }] of state.claims) if (value.epoch === epoch && state.counted.has(key)) authors.add(value.author)
  return authors
}

function hasVoidClaim(state: MeshState, epoch: bigint): boolean {
  if (state.exclusions.size === 0) return false
  for (const { value } of state.claims.values()) if (value.epoch === epoch && isExcluded(state, value.author, epoch)) return true
  return false
}

/** Were all claims that a closed epoch rested on kept? Only then can it be computed anew; one that was adopted cannot. */
function isRecomputable(
  state: MeshState,
  epoch: bigint,
  closed: ClosedEpoch | undefined,
  claims: readonly (readonly [string, Signed<'claim'>])[],
): boolean {
  if (closed?.how !== 'computed') return false
  const chunks = chunksOfEpoch(state.genesis)
  if (state.repairing.has(epoch) || state.tallies.get(epoch)?.chunksCovered === chunks) return true
  const covered: ChunkRun[] = []
  for (const [, { value }] of claims) addRun(covered, value.run)
  return countChunks(covered) === chunks
}

function mostNamed(xors: readonly bigint[]): bigint {
  const votes = new Map<bigint, number>()
  for (const xor of xors) votes.set(xor, (votes.get(xor) ?? 0) + 1)
  const [winner] = [...votes].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return winner?.[0] ?? 0n
}
