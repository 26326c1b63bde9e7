import { consensusId } from './digests.ts'
import { Draft, without, withEntry } from './draft.ts'
import { adoptIfBehind, compareSeal, countClaim, emptyTally, isWanted, pursueClaims, recount, resumeBehind } from './epochs.ts'
import type { Genesis } from './genesis.ts'
import type { MeshId, Millis, PeerName } from './ids.ts'
import type { SignedItem } from './items.ts'
import { compareItems, itemKey, joinItem, limitOf, withinBounds } from './join.ts'
import { REFETCH_INTERVAL_MS, REFETCH_LIMIT } from './limits.ts'
import { isMember } from './membership.ts'
import { compareText } from './order.ts'
import type { Effect, Input, MeshState, Signed, Step } from './state.ts'

/** Where each kind of item stands in the state. */
const FIELD = { record: 'roster', head: 'heads', claim: 'claims', seal: 'seals' } as const

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
    closed: [],
    seals: new Map(),
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
  switch (input.type) {
    case 'item-received':
      receive(draft, input)
      break
    case 'beat-received':
      hear(draft, input)
      break
    case 'layer-ready':
      admitLayer(draft, input.head)
      break
    case 'layer-refused':
      refuseLayer(draft, input.head, input.reason)
      break
    case 'leaves-ready':
      countClaim(draft, input.claim, input.values)
      break
    case 'leaves-refused':
      refuseLeaves(draft, input.claim, input.reason)
      break
    case 'ticked':
      tick(draft, input.now)
      break
    default:
      input satisfies never
  }
  return draft.done()
}

function receive(draft: Draft, { item, now, source }: Extract<Input, { type: 'item-received' }>): void {
  start(draft, now)
  if (!withinBounds(draft.state, item, source === 'disk')) {
    // A claim that was left behind by an epoch's end: its bytes may go.
    if (source === 'disk') draft.emit({ type: 'forget', item })
    return
  }
  const field = FIELD[item.kind]
  const joined = joinItem(draft.state[field], item, limitOf(item.kind))
  if (joined.type === 'taken') {
    draft.set({ [field]: joined.items })
    if (source !== 'disk') draft.emit({ type: 'persist', item })
    for (const dropped of joined.dropped) draft.emit({ type: 'forget', item: dropped })
    if (source === 'self') draft.emit({ type: 'publish', item })
  }
  if (joined.rival !== undefined) {
    draft.emit({
      type: 'report',
      level: 'warn',
      what: 'equivocation',
      peer: item.value.author,
      detail: `${item.kind} ${joined.rival.id} and ${item.id}`,
    })
  }
  if (joined.type === 'taken') follow(draft, item, joined.dropped, now)
}

/** What a newly standing item entails. */
function follow(draft: Draft, item: SignedItem, dropped: readonly SignedItem[], now: Millis): void {
  switch (item.kind) {
    case 'record':
      // A newcomer's head and claims may have come before its record.
      if (!dropped.some((old) => old.value.author === item.value.author)) {
        pursueHead(draft, item.value.author)
        pursueClaims(draft, item.value.author)
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
      if (item.value.author === draft.state.self) resumeBehind(draft, item.value)
      compareSeal(draft, item)
      adoptIfBehind(draft, now)
      break
  }
}

function followClaim(draft: Draft, claim: Signed<'claim'>, dropped: readonly SignedItem[]): void {
  const { state } = draft
  const gone = dropped.map(itemKey)
  const wasCounted = dropped.some((old) => old.kind === 'claim' && old.value.epoch === state.epoch && state.counted.has(itemKey(old)))
  if (gone.some((key) => state.refusedClaims.has(key))) {
    draft.set({ refusedClaims: new Map([...state.refusedClaims].filter(([key]) => !gone.includes(key))) })
  }
  if (wasCounted) recount(draft)
  else if (isWanted(draft.state, claim)) draft.emit({ type: 'fetch-leaves', claim })
}

function hear(draft: Draft, { beat, now }: Extract<Input, { type: 'beat-received' }>): void {
  const { state } = draft
  start(draft, now)
  const newest = state.beats.get(beat.author)
  if (!isMember(state, beat.author) || (newest !== undefined && newest.seq >= beat.seq)) return
  draft.set({ beats: withEntry(state.beats, beat.author, beat), seen: withEntry(state.seen, beat.author, now) })
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
  draft.set({ ready: withEntry(ready, author, head), refused: without(refused, author) })
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
  draft.set({ ready: without(ready, author), refused: withEntry(refused, author, { head, reason }) })
  draft.emit({ type: 'report', level: 'warn', what: 'layer-refused', peer: author, detail: reason })
  draft.refold()
}

function refuseLeaves(draft: Draft, claim: Signed<'claim'>, reason: string): void {
  const { claims, counted, refusedClaims } = draft.state
  const key = itemKey(claim)
  if (claims.get(key)?.id !== claim.id || counted.has(key) || refusedClaims.has(key)) return
  draft.set({ refusedClaims: withEntry(refusedClaims, key, reason) })
  draft.emit({ type: 'report', level: 'warn', what: 'claim-refused', peer: claim.value.author, detail: reason })
}

function tick(draft: Draft, now: Millis): void {
  start(draft, now)
  adoptIfBehind(draft, now)
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
  return missing.sort((a, b) => compareText(a.key, b.key))
}

function pursueHead(draft: Draft, author: PeerName): void {
  const head = draft.state.heads.get(author)
  if (head !== undefined && isHeadWanted(draft.state, head)) draft.emit({ type: 'fetch-layer', head })
}

function isHeadWanted(state: MeshState, head: Signed<'head'>): boolean {
  const { author } = head.value
  return isMember(state, author) && state.ready.get(author)?.id !== head.id && state.refused.get(author)?.head.id !== head.id
}

function start(draft: Draft, now: Millis): void {
  if (draft.state.startedAt === undefined) draft.set({ startedAt: now })
}
