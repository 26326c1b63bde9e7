import type { ItemId, PeerName } from '../ids.ts'
import type { Equivocation } from '../items.ts'
import { FIRST_EXCLUSION_EPOCHS, NEXT_EXCLUSION_EPOCHS } from '../limits.ts'
import { isMember } from '../member.ts'
import { compareText, sortedEntries } from '../order.ts'
import type { MeshState, Signed } from '../state.ts'

/** Why a member is out. */
export type ExclusionCause = 'forged' | 'false-accusation' | 'equivocation' | 'revoked'

/** Epochs for which a member is out: `from` … `until`, both included; without an end until it is readmitted. */
export interface ExclusionWindow {
  readonly cause: ExclusionCause
  readonly from: bigint
  readonly until: bigint | undefined
  /** Id of the proof, equivocation or operation that opened it. */
  readonly evidence: ItemId
}

export interface Exclusion {
  /** By first epoch. */
  readonly windows: readonly ExclusionWindow[]
  /** Offences that opened a window: each after the first costs more. */
  readonly offences: number
}

export type Exclusions = ReadonlyMap<PeerName, Exclusion>

/** Something that a member did, at an epoch, and what shows it. */
interface Offence {
  readonly cause: 'forged' | 'false-accusation'
  readonly epoch: bigint
  readonly evidence: ItemId
}

/**
 * Who is out, and when: a pure function of the sets of items and of what recomputing showed, the same in any order of arrival.
 *
 * An upheld proof is an offence of the accused, a false one of the accuser, both at the epoch of the claim. A member's offences in order of epoch: the
 * first opens [E, E + 8], one inside an open window adds nothing, each later one opens [E, E + 64]. Two items for one key and version open a window
 * without an end, until an operation forgives that version; a revocation one from its epoch on, while it is the newest operation. docs/protocol.md §7.10
 */
export function exclusionsOf(state: Pick<MeshState, 'roster' | 'admitted' | 'proofs' | 'verdicts' | 'equivocations' | 'ops'>): Exclusions {
  const windows = new Map<PeerName, ExclusionWindow[]>()
  const offences = new Map<PeerName, number>()
  for (const [peer, list] of offencesOf(state)) {
    const opened = windowsOf(list)
    windows.set(peer, opened)
    offences.set(peer, opened.length)
  }
  const suspects = new Set<PeerName>(windows.keys())
  for (const { value } of state.equivocations.values()) suspects.add(value.first.value.author)
  const ops = validOps(state, suspects)
  for (const [peer, window] of equivocationWindows(state, ops)) {
    pushTo(windows, peer, window)
    offences.set(peer, (offences.get(peer) ?? 0) + 1)
  }
  for (const [peer, window] of revocations(ops)) pushTo(windows, peer, window)
  return new Map(
    [...windows].map(
      ([peer, list]) => [peer, { windows: list.sort(compareWindows), offences: offences.get(peer) ?? 0 }] satisfies [PeerName, Exclusion],
    ),
  )
}

/** The window that keeps a member out of an epoch, or undefined: of several the one that ends last. */
export function exclusionAt(exclusions: Exclusions, peer: PeerName, epoch: bigint): ExclusionWindow | undefined {
  let found: ExclusionWindow | undefined
  for (const window of exclusions.get(peer)?.windows ?? []) {
    if (window.from > epoch || (window.until !== undefined && window.until < epoch)) continue
    if (found === undefined || window.until === undefined || (found.until !== undefined && window.until > found.until)) found = window
  }
  return found
}

/** Is a member out of an epoch (the current one, if none is named)? Its claims of that epoch count for nothing. */
export function isExcluded(state: Pick<MeshState, 'exclusions' | 'epoch'>, peer: PeerName, epoch: bigint = state.epoch): boolean {
  return state.exclusions.size > 0 && exclusionAt(state.exclusions, peer, epoch) !== undefined
}

/** What makes an exclusion different from another one, as text. */
export function exclusionsKey(exclusions: Exclusions): string {
  return sortedEntries(exclusions)
    .map(([peer, { windows }]) => `${peer} ${windows.map(({ cause, from, until, evidence }) => `${cause} ${from} ${until} ${evidence}`).join()}`)
    .join('\n')
}

/** Version of the items of an equivocation: the epoch of claims, the seq of heads and records. */
export function equivocationVersion({ first }: Equivocation): bigint {
  return first.kind === 'claim' ? first.value.epoch : first.value.seq
}

function offencesOf({ proofs, verdicts }: Pick<MeshState, 'proofs' | 'verdicts'>): ReadonlyMap<PeerName, Offence[]> {
  const offences = new Map<PeerName, Offence[]>()
  for (const proof of proofs.values()) {
    const verdict = verdicts.get(proof.id)
    if (verdict === undefined) continue
    const { epoch, author: accused } = proof.value.claim.value
    if (verdict === 'upheld') pushTo(offences, accused, { cause: 'forged', epoch, evidence: proof.id })
    else pushTo(offences, proof.value.author, { cause: 'false-accusation', epoch, evidence: proof.id })
  }
  return offences
}

function windowsOf(offences: readonly Offence[]): ExclusionWindow[] {
  const windows: ExclusionWindow[] = []
  let end = -1n
  for (const { cause, epoch, evidence } of [...offences].sort(compareOffences)) {
    if (epoch <= end) continue
    end = epoch + BigInt(windows.length === 0 ? FIRST_EXCLUSION_EPOCHS : NEXT_EXCLUSION_EPOCHS)
    windows.push({ cause, from: epoch, until: end, evidence })
  }
  return windows
}

/** Operations of members that have no offence on record, over somebody else. */
function validOps(state: Pick<MeshState, 'roster' | 'admitted' | 'ops'>, suspects: ReadonlySet<PeerName>): readonly Signed<'op'>[] {
  return [...state.ops.values()].filter(({ value: { author, subject } }) => author !== subject && isMember(state, author) && !suspects.has(author))
}

/** One window for each member with an equivocation that nobody forgave, from the first such epoch on; heads and records count from epoch 0. */
function equivocationWindows(
  { equivocations }: Pick<MeshState, 'equivocations'>,
  ops: readonly Signed<'op'>[],
): ReadonlyMap<PeerName, ExclusionWindow> {
  const windows = new Map<PeerName, ExclusionWindow>()
  for (const { id, value } of equivocations.values()) {
    if (isForgiven(value, ops)) continue
    const peer = value.first.value.author
    const window: ExclusionWindow = {
      cause: 'equivocation',
      from: value.first.kind === 'claim' ? value.first.value.epoch : 0n,
      until: undefined,
      evidence: id,
    }
    const held = windows.get(peer)
    if (held === undefined || compareWindows(window, held) < 0) windows.set(peer, window)
  }
  return windows
}

function isForgiven(equivocation: Equivocation, ops: readonly Signed<'op'>[]): boolean {
  const version = equivocationVersion(equivocation)
  const { kind, value } = equivocation.first
  return ops.some(({ value: op }) => {
    if (op.action !== 'readmit' || op.subject !== value.author) return false
    return version <= (kind === 'claim' ? op.epoch : kind === 'head' ? op.headSeq : op.recordSeq)
  })
}

/** Subjects whose newest operation, by seq and then id, is a revocation. */
function revocations(ops: readonly Signed<'op'>[]): ReadonlyMap<PeerName, ExclusionWindow> {
  const newest = new Map<PeerName, Signed<'op'>>()
  for (const op of ops) {
    const held = newest.get(op.value.subject)
    const isNewer = held === undefined || op.value.seq > held.value.seq || (op.value.seq === held.value.seq && op.id > held.id)
    if (isNewer) newest.set(op.value.subject, op)
  }
  const windows = new Map<PeerName, ExclusionWindow>()
  for (const [peer, { id, value }] of newest) {
    if (value.action === 'revoke') windows.set(peer, { cause: 'revoked', from: value.epoch, until: undefined, evidence: id })
  }
  return windows
}

function compareOffences(a: Offence, b: Offence): number {
  return a.epoch < b.epoch ? -1 : a.epoch > b.epoch ? 1 : compareText(a.evidence, b.evidence)
}

function compareWindows(a: ExclusionWindow, b: ExclusionWindow): number {
  return a.from < b.from ? -1 : a.from > b.from ? 1 : compareText(a.evidence, b.evidence)
}

function pushTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
