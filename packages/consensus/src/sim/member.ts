import { draftClaim } from '../claims.ts'
import { rosterHash } from '../digests.ts'
import type { ItemId, Millis, PeerName, RosterHash } from '../ids.ts'
import type { Beat, Claim, Equivocation, SignedItem } from '../items.ts'
import { MAX_CLAIM_CHUNKS } from '../limits.ts'
import { liveMembers } from '../membership.ts'
import { claimRoot } from '../merkle.ts'
import { sortedEntries } from '../order.ts'
import type { ClosedEpoch, Input, MeshState, Signed } from '../state.ts'
import { step } from '../step.ts'
import { draftSeal } from '../trust/beacon.ts'
import { isExcluded } from '../trust/exclusion.ts'
import { draftProof, isProofWanted } from '../trust/proof.ts'
import { auditPlan } from '../trust/sampling.ts'
import { nextWork, type Work } from '../work.ts'
import { itemKey } from '../join.ts'
import type { Actor } from './cast.ts'
import { chunkValue } from './chunk-value.ts'
import { digestOf, signed } from './signing.ts'
import { claimedValues, firstForged, isForged, MINING_TICKS, recordOf, TICK_MS, voteOf, type World } from './world.ts'

/** A member audits every so many ticks, members one after the other. */
const AUDIT_TICKS = 3
/** Epochs between two layers of a member. */
const LAYER_EPOCHS = 8

/** What a member says in a tick. */
export interface Said {
  readonly items: readonly SignedItem[]
  readonly beat: Beat | undefined
}

/** What became known to it in the tick. */
export interface News {
  readonly closed: readonly ClosedEpoch[]
  readonly evidence: readonly Equivocation[]
}

/** A member's own part: what it mines and audits. Its view of the mesh is not here, so that members with equal views can share one. */
export class Member {
  readonly actor: Actor
  /** Chunks that it claimed, and chunks of others that it recomputed. */
  mined = 0
  audited = 0
  /** Epoch of its first claim with a forged chunk. */
  forgedFrom: bigint | undefined
  readonly #world: World
  #job: (Work & { readonly readyAt: number }) | undefined
  #inFlight: readonly (Work & { readonly until: number })[] = []
  #audits: MeshState['audits'] = new Map()
  #auditsOf: MeshState['audited'] = new Map()
  readonly #auditedIds = new Map<string, ItemId>()
  #recordSeq = 1n
  #headSeq = 0n
  #framedIn = -1n
  /** What its last plan of audits was made from: the same gives nothing new to do. */
  #planned: (PlanInputs & { readonly live: readonly PeerName[] }) | undefined

  constructor(world: World, actor: Actor) {
    this.#world = world
    this.actor = actor
  }

  /** A view with what only this member audited laid over it: what `step` would have in a state of its own. */
  #withAudits(view: MeshState): MeshState {
    const audits = new Map<string, readonly number[]>()
    for (const [key, chunks] of this.#audits) {
      if (view.claims.get(key)?.id === this.#auditedIds.get(key)) audits.set(key, chunks)
      else this.#auditedIds.delete(key)
    }
    return { ...view, audits, audited: this.#auditsOf }
  }

  /** @param isLast - the wanted epochs are complete: nothing new is begun */
  act(view: MeshState, news: News, tick: number, isLast: boolean): Said {
    const now = (tick * TICK_MS) as Millis
    const state = { ...view, self: this.actor.peer }
    if (this.actor.role === 'sybil') return { items: this.#pose(state, tick), beat: this.#beat(state, tick) }
    const items: SignedItem[] = news.closed.flatMap((closed) => this.#seal(state, closed))
    for (const { first, second } of news.evidence) {
      if (this.actor.isSilent || first.value.author === this.actor.peer) continue
      items.push(signed('equivocation', { author: this.actor.peer, first, second }))
    }
    if (tick === 0 || (!isLast && news.closed.some(({ epoch }) => Number(epoch) % LAYER_EPOCHS === this.actor.index % LAYER_EPOCHS)))
      items.push(this.#head())
    // nobody was heard before the first beats
    if (tick > 0) items.push(...this.#mine(state, now, tick, isLast))
    if (this.actor.role === 'framer') items.push(...this.#frame(state))
    if (!isLast && tick % AUDIT_TICKS === this.actor.index % AUDIT_TICKS) items.push(...this.#audit(state, now))
    return { items, beat: this.#beat(state, tick) }
  }

  /** Its record when it leaves or comes back. */
  record(left: boolean): SignedItem {
    this.#recordSeq += 1n
    return recordOf(this.actor, this.#recordSeq, left)
  }

  /** What it was at is lost. */
  crash(): void {
    this.#job = undefined
    this.#inFlight = []
  }

  #seal(state: MeshState, closed: ClosedEpoch): SignedItem[] {
    const value = draftSeal(state, closed, this.actor.secret)
    return value === undefined ? [] : [signed('seal', value)]
  }

  #head(): SignedItem {
    this.#headSeq += 1n
    const layer = digestOf(`layer ${this.actor.peer} ${this.#headSeq}`)
    return signed('head', { author: this.actor.peer, seq: this.#headSeq, layer, radicals: [1] })
  }

  #mine(state: MeshState, now: Millis, tick: number, isLast: boolean): SignedItem[] {
    const { options } = this.#world
    const said: SignedItem[] = []
    this.#inFlight = this.#inFlight.filter(({ until }) => until >= tick)
    const job = this.#job
    if (job !== undefined && job.epoch !== state.epoch && !state.repairing.has(job.epoch)) this.#job = undefined
    else if (job !== undefined && job.readyAt <= tick) {
      this.#job = undefined
      this.#inFlight = [...this.#inFlight, { ...job, until: tick }]
      said.push(...this.#claim(state, job))
    }
    // its place is known once the claim is in the state: one a tick
    if (said.length > 0 || this.#job !== undefined) return said
    const work = nextWork(state, now, MAX_CLAIM_CHUNKS, this.#inFlight)
    if (work === undefined || (isLast && work.epoch >= options.epochs)) return said
    const share = Math.ceil((work.count * MINING_TICKS) / options.chunks)
    this.#job = { ...work, readyAt: tick + Math.max(1, share) }
    return said
  }

  #claim(state: MeshState, { start, count, epoch }: Work): SignedItem[] {
    const { role, peer } = this.actor
    const run = { start, count, epoch }
    const values = claimedValues(this.#world, { author: peer, epoch, run })
    const isForgery = firstForged(this.#world, { author: peer, epoch, run }) !== undefined
    if (isForgery) this.forgedFrom ??= epoch
    this.mined += count
    const claim = this.#draft(state, run, values, isForgery)
    if (role !== 'equivocator' || count < 2) return [signed('claim', claim)]
    const shorter = this.#draft(state, { ...run, count: count - 1 }, values.slice(0, -1), false)
    return [signed('claim', claim), signed('claim', shorter)]
  }

  /** Only a claim that a proof may be about has a root that its leaves lead to. */
  #draft(state: MeshState, run: Work, values: BigUint64Array, isForgery: boolean): Claim {
    const { peer } = this.actor
    const roster = rosterHashOf(state)
    const leaves = digestOf(`leaves ${peer} ${run.epoch} ${run.start} ${run.count}`)
    const isHashed = isForgery || [...this.#world.victims.values()].includes(peer)
    const context = { meshId: state.meshId, epoch: run.epoch, rosterHash: roster, author: peer, run: { start: run.start, count: run.count } }
    return draftClaim(state, run, values, leaves, { rosterHash: roster, root: isHashed ? claimRoot(context, values) : leaves })
  }

  #audit(view: MeshState, now: Millis): SignedItem[] {
    const live = liveMembers(view, now)
    if (this.#planned !== undefined && isSamePlan(this.#planned, view, live)) return []
    this.#planned = { ...pick(view), live }
    const state = this.#withAudits(view)
    const notes: Input[] = []
    const proofs: SignedItem[] = []
    for (const { claim, chunks } of auditPlan(state, this.actor.peer, now, this.actor.secret)) {
      const { author, epoch } = claim.value
      const accused = this.#world.byPeer.get(author)!
      const wrong = chunks.findIndex((chunk) => isForged(this.#world, accused, epoch, chunk))
      const right = wrong < 0 ? chunks : chunks.slice(0, wrong)
      if (right.length > 0) notes.push({ type: 'claim-audited', claim, chunks: right, ok: true })
      this.audited += right.length
      this.#auditedIds.set(itemKey(claim), claim.id)
      if (wrong < 0) continue
      this.audited += 1
      notes.push({ type: 'claim-audited', claim, chunks: [chunks[wrong]!], ok: false })
      if (!this.actor.isSilent && isProofWanted(state, claim)) proofs.push(this.#accuse(state, claim, chunks[wrong]!))
    }
    const noted = step(state, { type: 'batched', inputs: notes }).state
    this.#audits = noted.audits
    this.#auditsOf = noted.audited
    return proofs
  }

  /** By the draw of a sample a value was found that is not the chunk's. */
  #accuse(state: MeshState, claim: Signed<'claim'>, chunk: number): SignedItem {
    const values = claimedValues(this.#world, claim.value)
    const claimed = values[chunk - claim.value.run.start]!
    if (claimed === chunkValue(this.#world.key, Number(claim.value.epoch), chunk)) throw new Error(`chunk ${chunk} was not forged`)
    return signed('proof', draftProof(state, claim, chunk, values))
  }

  /** A proof of a claim in which nothing is wrong, once an epoch. */
  #frame(state: MeshState): SignedItem[] {
    const victim = this.#world.victims.get(this.actor.peer)
    if (isExcluded(state, this.actor.peer) || this.#framedIn === state.epoch) return []
    for (const [key, claim] of sortedEntries(state.claims)) {
      if (claim.value.author !== victim || !state.counted.has(key)) continue
      this.#framedIn = state.epoch
      return [signed('proof', draftProof(state, claim, claim.value.run.start, claimedValues(this.#world, claim.value)))]
    }
    return []
  }

  /** An id that nobody voted in does all that a member does, and votes for its like. */
  #pose(state: MeshState, tick: number): SignedItem[] {
    const { actors, options } = this.#world
    const { peer } = this.actor
    if (tick === 0) {
      const others = actors.filter((other) => other.role === 'sybil' && other.peer !== peer)
      return [recordOf(this.actor, 1n, false), this.#head(), ...others.slice(0, 64).map((other) => voteOf(peer, other.peer))]
    }
    if (this.#framedIn === state.epoch || Number(state.epoch) >= options.epochs) return []
    this.#framedIn = state.epoch
    const run = { start: 0, count: options.chunks, epoch: state.epoch }
    return [signed('claim', this.#draft(state, run, claimedValues(this.#world, { author: peer, epoch: state.epoch, run }), false))]
  }

  #beat(state: MeshState, tick: number): Beat {
    return {
      author: this.actor.peer,
      seq: BigInt(tick),
      rosterHash: rosterHashOf(state),
      consensus: state.consensus,
      digest: '',
      epoch: state.epoch,
      chunksDone: 0,
      chunksCovered: state.tallies.get(state.epoch)?.chunksCovered ?? 0,
      rateNow: 1_000n,
      layers: 1,
    }
  }
}

type PlanInputs = Pick<MeshState, (typeof PLAN_INPUTS)[number]>
const PLAN_INPUTS = ['claims', 'counted', 'reveals', 'conflicts', 'exclusions', 'goodEpochs', 'epoch', 'proofs'] as const

function pick({ claims, counted, reveals, conflicts, exclusions, goodEpochs, epoch, proofs }: MeshState): PlanInputs {
  return { claims, counted, reveals, conflicts, exclusions, goodEpochs, epoch, proofs }
}

function isSamePlan(last: PlanInputs & { readonly live: readonly PeerName[] }, state: MeshState, live: readonly PeerName[]): boolean {
  return (
    PLAN_INPUTS.every((field) => last[field] === state[field]) && last.live.length === live.length && last.live.every((peer, i) => peer === live[i])
  )
}

const rosterHashes = new WeakMap<MeshState['roster'], RosterHash>()

function rosterHashOf(state: MeshState): RosterHash {
  let hash = rosterHashes.get(state.roster)
  if (hash === undefined) {
    hash = rosterHash(state)
    rosterHashes.set(state.roster, hash)
  }
  return hash
}
