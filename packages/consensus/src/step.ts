import { consensusId } from './digests.ts'
import { Draft } from './draft.ts'
import {
  adoptIfBehind,
  compareSeal,
  countClaim,
  emptyTally,
  isWanted,
  noteProgress,
  keptEpochs,
  pursueClaims,
  recount,
  resumeBehind,
  settleEpochs,
} from './epochs.ts'
import type { Genesis } from './genesis.ts'
import type { MeshId, Millis, PeerName } from './ids.ts'
import type { SignedItem } from './items.ts'
import { compareItems, itemKey, joinItem, limitOf, withinBounds } from './join.ts'
import { KEPT_EPOCHS, REFETCH_INTERVAL_MS, REFETCH_LIMIT } from './limits.ts'
import { isMember } from './member.ts'
import { compareText } from './order.ts'
import type { Effect, Input, MeshState, Signed, Step } from './state.ts'
import { admittedOf } from './trust/admission.ts'
import { revealedBy } from './trust/beacon.ts'
import { isExcluded } from './trust/exclusion.ts'
import { applyExclusions, judgeProof, noteAudit, noteConflict, restoreTrust, testify } from './trust/judge.ts'

/** Where each kind of item stands in the state. */
export const FIELD = {
  record: 'roster',
  head: 'heads',
  claim: 'claims',
  seal: 'seals',
  proof: 'proofs',
  equivocation: 'equivocations',
  op: 'ops',
  receipt: 'receipts',
  vote: 'votes',
} as const

type Source = Extract<Input, { type: 'item-received' }>['source']

export function initialState(genesis: Genesis, meshId: MeshId, self: PeerName): MeshState {
  return {
    meshId,
    genesis,
    self,
    roster: new Map(),
    heads: new Map(),
    ready: new Map(),
    refused: new Map(),
    claims: new Map(),
    counted: new Set(),
    refusedClaims: new Map(),
    tallies: new Map([[0n, emptyTally(0n)]]),
    epoch: 0n,
    progress: { epoch: 0n, covered: -1, at: 0 as Millis, hasStalled: false },
    closed: [],
    seals: new Map(),
    proofs: new Map(),
    equivocations: new Map(),
    ops: new Map(),
    receipts: new Map(),
    votes: new Map(),
    admitted: admittedOf(genesis, []),
    verdicts: new Map(),
    exclusions: new Map(),
    repairing: new Set(),
    reveals: new Map(),
    audits: new Map(),
    audited: new Map(),
    goodEpochs: new Map(),
    conflicts: new Map(),
    beats: new Map(),
    seen: new Map(),
    consensus: consensusId(genesis.foldId, []),
    startedAt: undefined,
    refetch: { at: undefined, after: '' },
  }
}

/**
 * The node's whole decision-making: total, without clock or chance. An input that is out of bounds, stale or known already leaves the state as it is.
 * Effects are in the order in which they must happen: an item is persisted before it is published. docs/protocol.md §5
 */
export function step(state: MeshState, input: Input): Step {
  const draft = new Draft(state)
  take(draft, input)
  return draft.done()
}

function take(draft: Draft, input: Input): void {
  switch (input.type) {
    case 'item-received':
      return receive(draft, [input.item], input.now, input.source)
    case 'items-received':
      return receive(draft, input.items, input.now, input.source)
    case 'beat-received':
      return hear(draft, input)
    case 'layer-ready':
      return admitLayer(draft, input.head)
    case 'layer-refused':
      return refuseLayer(draft, input.head, input.reason)
    case 'leaves-ready':
      return countClaim(draft, input.claim, input.values)
    case 'leaves-refused':
      return refuseLeaves(draft, input.claim, input.reason)
    case 'proof-checked':
      return judgeProof(draft, input.proof, input.computed)
    case 'claim-audited':
      return noteAudit(draft, input.claim, input.chunks, input.ok)
    case 'leaves-differ':
      return noteConflict(draft, input.claims, input.chunk)
    case 'trust-restored':
      return restoreTrust(draft, input.goodEpochs)
    case 'ticked':
      return tick(draft, input.now)
    case 'batched':
      for (const one of input.inputs) take(draft, one)
      return
    default:
      return input satisfies never
  }
}

function receive(draft: Draft, items: readonly SignedItem[], now: Millis, source: Source): void {
  start(draft, now)
  let isAnyAhead = false
  for (const item of items) {
    receiveOne(draft, item, source)
    isAnyAhead ||= item.kind === 'seal' && item.value.epoch >= draft.state.epoch + BigInt(KEPT_EPOCHS)
  }
  if (isAnyAhead) adoptIfBehind(draft, now)
}

function receiveOne(draft: Draft, item: SignedItem, source: Source): void {
  if (!withinBounds(draft.state, item, source === 'disk')) {
    // A claim that was left behind by an epoch's end: its bytes may go.
    if (source === 'disk') draft.emit({ type: 'forget', item })
    return
  }
  const field = FIELD[item.kind]
  const joined = joinItem(draft.state[field], item, limitOf(item.kind), () => draft.edit(field) as Map<string, SignedItem>)
  if (joined.type === 'taken') {
    if (source !== 'disk') draft.emit({ type: 'persist', item })
    for (const dropped of joined.dropped) draft.emit({ type: 'forget', item: dropped })
    if (source === 'self') draft.emit({ type: 'publish', item })
  }
  if (joined.rival !== undefined) testify(draft, joined.rival, item)
  if (joined.type === 'taken') follow(draft, item, joined.dropped)
}

/** What a newly standing item entails. */
function follow(draft: Draft, item: SignedItem, dropped: readonly SignedItem[]): void {
  switch (item.kind) {
    case 'record':
      // A newcomer's head, claims and operations may have come before its record.
      if (!dropped.some((old) => old.value.author === item.value.author)) {
        pursueHead(draft, item.value.author)
        pursueClaims(draft, item.value.author)
        if (draft.state.ops.size > 0) applyExclusions(draft)
      }
      draft.refold()
      break
    case 'head':
      pursueHead(draft, item.value.author)
      break
    case 'claim':
      followClaim(draft, item, dropped)
      break
    case 'seal':
      if (revealedBy(item, dropped) && draft.state.admitted?.has(item.value.author) !== false)
        draft.reveals(item.value.epoch).set(item.value.author, item.value.nonce)
      if (item.value.author === draft.state.self) resumeBehind(draft, item.value)
      compareSeal(draft, item)
      break
    case 'proof':
      draft.emit({ type: 'check-proof', proof: item })
      forgetVerdicts(draft, dropped)
      break
    case 'equivocation':
    case 'op':
      applyExclusions(draft)
      break
    case 'receipt':
      draft.refold()
      break
    case 'vote':
      applyVotes(draft)
      break
  }
}

/** Brings everything that rests on who is a member in line with the votes. */
function applyVotes(draft: Draft): void {
  const before = draft.state.admitted
  const after = admittedOf(draft.state.genesis, draft.state.votes.values())
  if (before === undefined || after === undefined || (before.size === after.size && [...after].every((peer) => before.has(peer)))) return
  draft.set({ admitted: after })
  for (const peer of after) {
    if (before.has(peer)) continue
    draft.emit({ type: 'report', level: 'info', what: 'admitted', peer })
    pursueHead(draft, peer)
    pursueClaims(draft, peer)
  }
  // only where votes went out of the state, over its bounds
  if ([...before].some((peer) => !after.has(peer))) {
    for (const epoch of keptEpochs(draft.state)) recount(draft, epoch)
    settleEpochs(draft)
  }
  if (draft.state.ops.size > 0) applyExclusions(draft)
  draft.refold()
}

/** Proofs that stand no longer: what they showed counts no longer either. */
function forgetVerdicts(draft: Draft, dropped: readonly SignedItem[]): void {
  const judged = dropped.filter(({ id }) => draft.state.verdicts.has(id))
  if (judged.length === 0) return
  for (const { id } of judged) draft.edit('verdicts').delete(id)
  applyExclusions(draft)
}

function followClaim(draft: Draft, claim: Signed<'claim'>, dropped: readonly SignedItem[]): void {
  for (const old of dropped as readonly Signed<'claim'>[]) {
    const key = itemKey(old)
    for (const field of ['audits', 'conflicts', 'refusedClaims'] as const) if (draft.state[field].has(key)) draft.edit(field).delete(key)
    if (!draft.state.counted.has(key)) continue
    draft.edit('counted').delete(key)
    recount(draft, old.value.epoch)
    pursueClaims(draft)
    settleEpochs(draft)
    return
  }
  if (isWanted(draft.state, claim)) draft.emit({ type: 'fetch-leaves', claim })
}

function hear(draft: Draft, { beat, now }: Extract<Input, { type: 'beat-received' }>): void {
  start(draft, now)
  const newest = draft.state.beats.get(beat.author)
  if (!isMember(draft.state, beat.author) || (newest !== undefined && newest.seq >= beat.seq)) return
  draft.edit('beats').set(beat.author, beat)
  draft.edit('seen').set(beat.author, now)
}

/** The newest ready head of each member counts; one that was overtaken on the way is ignored. */
function admitLayer(draft: Draft, head: Signed<'head'>): void {
  const { heads, ready, refused } = draft.state
  const { author } = head.value
  const newest = heads.get(author)
  if (newest === undefined || compareItems(head, newest) > 0) return
  for (const other of [ready.get(author), refused.get(author)?.head]) {
    if (other !== undefined && compareItems(head, other) <= 0) return
  }
  draft.edit('ready').set(author, head)
  if (refused.has(author)) draft.edit('refused').delete(author)
  draft.refold()
}

/**
 * A layer is refused by its content, which every node judges alike; so a member whose newest head is refused has no part in the consensus until it
 * announces a better one. Its earlier layer is not kept instead: a node that joined later has never seen that.
 */
function refuseLayer(draft: Draft, head: Signed<'head'>, reason: string): void {
  const { heads, ready, refused } = draft.state
  const { author } = head.value
  if (heads.get(author)?.id !== head.id || refused.get(author)?.head.id === head.id) return
  if (ready.has(author)) draft.edit('ready').delete(author)
  draft.edit('refused').set(author, { head, reason })
  draft.emit({ type: 'report', level: 'warn', what: 'layer-refused', peer: author, detail: reason })
  draft.refold()
}

function refuseLeaves(draft: Draft, claim: Signed<'claim'>, reason: string): void {
  const { claims, counted, refusedClaims } = draft.state
  const key = itemKey(claim)
  if (claims.get(key)?.id !== claim.id || counted.has(key) || refusedClaims.has(key)) return
  draft.edit('refusedClaims').set(key, reason)
  draft.emit({ type: 'report', level: 'warn', what: 'claim-refused', peer: claim.value.author, detail: reason })
}

function tick(draft: Draft, now: Millis): void {
  start(draft, now)
  adoptIfBehind(draft, now)
  noteProgress(draft, now)
  const { at, after } = draft.state.refetch
  if (at !== undefined && now - at < REFETCH_INTERVAL_MS) return
  const missing = missingContent(draft.state)
  const from = missing.findIndex(({ key }) => key > after)
  const turn = [...missing.slice(from < 0 ? 0 : from), ...missing.slice(0, from < 0 ? 0 : from)].slice(0, REFETCH_LIMIT)
  for (const { effect } of turn) draft.emit(effect)
  draft.set({ refetch: { at: now, after: turn.at(-1)?.key ?? '' } })
}

/** Requests for all content that could count now and is not here, by key. */
function missingContent(state: MeshState): readonly { readonly key: string; readonly effect: Effect }[] {
  const missing: { readonly key: string; readonly effect: Effect }[] = []
  for (const [author, head] of state.heads) {
    if (isHeadWanted(state, head)) missing.push({ key: `head/${author}`, effect: { type: 'fetch-layer', head } })
  }
  for (const [key, claim] of state.claims) {
    if (isWanted(state, claim)) missing.push({ key: `claim/${key}`, effect: { type: 'fetch-leaves', claim } })
  }
  for (const [key, proof] of state.proofs) {
    if (!state.verdicts.has(proof.id)) missing.push({ key: `proof/${key}`, effect: { type: 'check-proof', proof } })
  }
  return missing.sort((a, b) => compareText(a.key, b.key))
}

function pursueHead(draft: Draft, author: PeerName): void {
  const head = draft.state.heads.get(author)
  if (head !== undefined && isHeadWanted(draft.state, head)) draft.emit({ type: 'fetch-layer', head })
}

function isHeadWanted(state: MeshState, head: Signed<'head'>): boolean {
  const { author } = head.value
  if (!isMember(state, author) || isExcluded(state, author)) return false
  return state.ready.get(author)?.id !== head.id && state.refused.get(author)?.head.id !== head.id
}

function start(draft: Draft, now: Millis): void {
  if (draft.state.startedAt === undefined) draft.set({ startedAt: now })
}
