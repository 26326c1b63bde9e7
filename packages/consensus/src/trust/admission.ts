import type { Genesis } from '../genesis.ts'
import type { PeerName } from '../ids.ts'
import type { Vote } from '../items.ts'
import { compareText } from '../order.ts'
import type { MeshState, Signed } from '../state.ts'

/** Chunks of a probe: 67 M colours, a fraction of a second on one core, and too many to be done by hand or by a node that only relays. */
export const PROBE_CHUNKS = 64

/** An answer must be here within this time, milliseconds: 13 M colours a second, below which a member is of no use to the others. */
export const PROBE_DEADLINE_MS = 5_000

/** Chunks from which a probe's range is drawn: 2^43, so that nobody has computed it before. */
export const PROBE_SPAN: bigint = 1n << 43n

/**
 * Who is admitted, in a mesh whose genesis says `vote`; in others nobody has to be. The founder is; and so is, step by step, every candidate for whom
 * there is a number n such that at least floor(n / 2) + 1 admitted members voted yes, each of whom knew of at most n members. A vote whose author says that
 * it knew of fewer members than it joined itself is void.
 *
 * It depends on the set of votes alone, and more votes never admit fewer. docs/protocol.md §5.5
 * @returns undefined where the genesis admits without votes
 */
export function admittedOf(genesis: Genesis, votes: Iterable<Signed<'vote'>>): ReadonlySet<PeerName> | undefined {
  if (genesis.founder === undefined) return undefined
  const yes = [...votes].flatMap(({ value }) => (value.ok && value.author !== value.candidate ? [value] : []))
  const byCandidate = new Map<PeerName, Vote[]>()
  for (const vote of yes.sort((a, b) => a.basis - b.basis)) {
    const list = byCandidate.get(vote.candidate)
    if (list === undefined) byCandidate.set(vote.candidate, [vote])
    else list.push(vote)
  }
  /** The least number of members that each one made the mesh have when it came. */
  const places = new Map<PeerName, number>([[genesis.founder, 1]])
  for (let isSettled = false; !isSettled;) {
    isSettled = true
    for (const [candidate, list] of byCandidate) {
      const place = placeOf(list, places)
      if (place === undefined || (places.get(candidate) ?? Infinity) <= place) continue
      places.set(candidate, place)
      isSettled = false
    }
  }
  return new Set(places.keys())
}

/** Is this node a member that may vote, and so knows how many there are? */
export function votersOf(state: Pick<MeshState, 'admitted' | 'roster'>): readonly PeerName[] {
  return [...(state.admitted ?? [])].filter((peer) => state.roster.has(peer)).sort(compareText)
}

/** Yes-votes of admitted members that a candidate has, and how many it needs of those that are admitted now. */
export function tallyOf(state: Pick<MeshState, 'admitted' | 'votes'>, candidate: PeerName): { readonly yes: number; readonly needed: number } {
  let yes = 0
  for (const { value } of state.votes.values()) {
    if (value.candidate === candidate && value.ok && state.admitted?.has(value.author) === true) yes += 1
  }
  return { yes, needed: majorityOf(state.admitted?.size ?? 0) }
}

/** More than half. */
export function majorityOf(members: number): number {
  return Math.floor(members / 2) + 1
}

/** What a candidate's answer to a probe was worth. */
export type ProbeFinding = { readonly ok: true; readonly rate: bigint } | { readonly ok: false; readonly why: string }

/**
 * Judges an answer whose signature and binding to the probe were checked.
 * @param values - as answered @param expected - as computed here
 * @param elapsedMs - from the probe's sending to the answer's arrival, on the prober's own monotonic clock
 */
export function judgeValues(values: BigUint64Array, expected: BigUint64Array, elapsedMs: number, colours: bigint): ProbeFinding {
  if (values.length !== expected.length) return { ok: false, why: `${values.length} values for ${expected.length} chunks` }
  const wrong = expected.findIndex((value, i) => values[i] !== value)
  if (wrong >= 0) return { ok: false, why: `a wrong value for chunk ${wrong} of ${expected.length}` }
  if (elapsedMs > PROBE_DEADLINE_MS) return { ok: false, why: `too slow: ${Math.round(elapsedMs)} ms, ${PROBE_DEADLINE_MS} are allowed` }
  return { ok: true, rate: BigInt(Math.round((Number(colours) * 1_000) / Math.max(1, elapsedMs))) }
}

/** This node's vote on a candidate; not yet signed. @param nonce - of the probe, 64 hex digits */
export function draftVote(state: MeshState, candidate: PeerName, finding: ProbeFinding, nonce: string): Vote {
  const held = [...state.votes.values()].find(({ value }) => value.author === state.self && value.candidate === candidate)?.value
  return {
    author: state.self,
    candidate,
    seq: held === undefined ? 0n : held.seq + 1n,
    ok: finding.ok,
    basis: state.admitted?.size ?? 1,
    rate: finding.ok ? finding.rate : 0n,
    nonce,
    reason: finding.ok ? '' : finding.why,
  }
}

/** Members in the mesh once a candidate with these votes (by basis) is in it; undefined while they do not suffice. */
function placeOf(votes: readonly Vote[], places: ReadonlyMap<PeerName, number>): number | undefined {
  let count = 0
  for (const { author, basis } of votes) {
    const own = places.get(author)
    if (own === undefined || basis < own) continue
    count += 1
    if (count >= majorityOf(basis)) return basis + 1
  }
  return undefined
}
