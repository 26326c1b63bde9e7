import type { Draft } from '../draft.ts'
import { keptEpochs, pursueClaims, recount, settleEpochs } from '../epochs.ts'
import type { PeerName } from '../ids.ts'
import type { SignedItem, SignedRival } from '../items.ts'
import { itemKey } from '../join.ts'
import { MAX_RIVAL_BYTES, PROBATION_EPOCHS } from '../limits.ts'
import { compareText } from '../order.ts'
import type { MeshState, Signed } from '../state.ts'
import { type Exclusion, type Exclusions, exclusionsKey, exclusionsOf, exclusionAt } from './exclusion.ts'

/** What recomputing a proof's chunk showed: the accused's claim is wrong, or the accusation is. */
export function judgeProof(draft: Draft, proof: Signed<'proof'>, computed: bigint): void {
  const { proofs, verdicts } = draft.state
  if (proofs.get(itemKey(proof))?.id !== proof.id || verdicts.has(proof.id)) return
  draft.edit('verdicts').set(proof.id, computed === proof.value.value ? 'false' : 'upheld')
  applyExclusions(draft)
}

/**
 * Two items that one honest author never signs are evidence against it, made at once where both are seen. Shown to people always; authored where it fits an
 * item and nothing as new is known.
 */
export function testify(draft: Draft, held: SignedRival, item: SignedItem): void {
  const [first, second] = ([held, item as SignedRival] as const).toSorted((a, b) => compareText(a.id, b.id)) as [SignedRival, SignedRival]
  const { author } = item.value
  const { state } = draft
  draft.emit({ type: 'report', level: 'warn', what: 'equivocation', peer: author, detail: `${item.kind} ${held.id} and ${item.id}` })
  const value = { author: state.self, first, second }
  if (author === state.self || first.bytes.length + second.bytes.length > MAX_RIVAL_BYTES) return
  if (!state.equivocations.has(itemKey({ kind: 'equivocation', value }))) draft.emit({ type: 'author', item: { kind: 'equivocation', value } })
}

/**
 * Brings everything that rests on who is excluded in line with the items and verdicts: kept epochs in which somebody's claims became void, or count again,
 * are tallied anew; a closed one that is no longer whole is opened for repair; heads leave the fold or come back.
 */
export function applyExclusions(draft: Draft): void {
  const before = draft.state.exclusions
  const after = exclusionsOf(draft.state)
  if (exclusionsKey(before) === exclusionsKey(after)) return
  draft.set({ exclusions: after })
  for (const [peer, exclusion] of after) {
    if (before.get(peer)?.windows.length !== exclusion.windows.length) announce(draft, peer, exclusion)
    if ((before.get(peer)?.offences ?? 0) < exclusion.offences && draft.state.goodEpochs.has(peer)) draft.edit('goodEpochs').delete(peer)
  }
  for (const epoch of keptEpochs(draft.state)) if (isTouched(draft.state, epoch, before, after)) recount(draft, epoch)
  pursueClaims(draft)
  settleEpochs(draft)
  draft.refold()
}

/** Bookkeeping of what this node recomputed; nothing follows from it for anybody. */
export function noteAudit(draft: Draft, claim: Signed<'claim'>, chunks: readonly number[], ok: boolean): void {
  const { state } = draft
  const { author, run } = claim.value
  const key = itemKey(claim)
  const known = state.audits.get(key) ?? []
  const fresh = [...new Set(chunks)].filter((chunk) => chunk >= run.start && chunk < run.start + run.count && !known.includes(chunk))
  if (state.claims.get(key)?.id !== claim.id || (fresh.length === 0 && ok)) return
  const count = state.audited.get(author) ?? { chunks: 0, failed: 0 }
  draft.edit('audits').set(key, [...known, ...fresh])
  draft.edit('audited').set(author, { chunks: count.chunks + fresh.length, failed: count.failed + (ok ? 0 : 1) })
}

/** Two counted claims name different values for one chunk: it is sampled before all others. */
export function noteConflict(draft: Draft, claims: readonly [Signed<'claim'>, Signed<'claim'>], chunk: number): void {
  const { state } = draft
  const holds = ({ value: { run } }: Signed<'claim'>): boolean => Number.isInteger(chunk) && chunk >= run.start && chunk < run.start + run.count
  if (!claims.every((claim) => state.claims.get(itemKey(claim))?.id === claim.id && holds(claim))) return
  if (claims.every((claim) => state.conflicts.get(itemKey(claim)) === chunk)) return
  for (const claim of claims) draft.edit('conflicts').set(itemKey(claim), chunk)
  const [one, other] = claims.map(({ value }) => value.author)
  draft.emit({
    type: 'report',
    level: 'warn',
    what: 'values-differ',
    detail: `chunk ${chunk} of epoch ${claims[0].value.epoch}: claims of ${one} and ${other}`,
  })
}

/** Good epochs that an earlier process counted, for members without an offence. */
export function restoreTrust(draft: Draft, goodEpochs: ReadonlyMap<PeerName, number>): void {
  for (const [peer, count] of goodEpochs) {
    const known = draft.state.goodEpochs.get(peer) ?? 0
    if (!Number.isInteger(count) || count <= known || draft.state.exclusions.has(peer)) continue
    draft.edit('goodEpochs').set(peer, Math.min(count, PROBATION_EPOCHS))
  }
}

function announce(draft: Draft, peer: PeerName, { windows }: Exclusion): void {
  const { epoch } = draft.state
  const window = windows.findLast(({ until }) => until === undefined || until >= epoch) ?? windows.at(-1)!
  const span = `epochs ${window.from} to ${window.until ?? 'its readmission'}`
  draft.emit({ type: 'report', level: 'warn', what: 'excluded', peer, detail: `${window.cause}, ${span}, by ${window.evidence}` })
}

/** Does somebody with claims in this epoch stand otherwise than before? */
function isTouched(state: MeshState, epoch: bigint, before: Exclusions, after: Exclusions): boolean {
  const changed = new Map<PeerName, boolean>()
  for (const { value } of state.claims.values()) {
    if (value.epoch !== epoch) continue
    const { author } = value
    if (!changed.has(author))
      changed.set(author, (exclusionAt(before, author, epoch) === undefined) !== (exclusionAt(after, author, epoch) === undefined))
    if (changed.get(author) === true) return true
  }
  return false
}
