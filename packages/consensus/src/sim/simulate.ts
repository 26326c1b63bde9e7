import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { allItems } from '../digests.ts'
import { chunksOfEpoch } from '../grid.ts'
import type { Millis, PeerName } from '../ids.ts'
import type { SignedItem } from '../items.ts'
import { itemKey } from '../join.ts'
import type { Input, MeshState } from '../state.ts'
import { FIELD } from '../step.ts'
import { isExcluded } from '../trust/exclusion.ts'
import { type Advance, advance } from './advance.ts'
import { isInnocent } from './cast.ts'
import { chunkXor } from './chunk-value.ts'
import { Member, type News } from './member.ts'
import { type Batch, Network } from './network.ts'
import { optionFault, type SimOptions } from './options.ts'
import { viewDigest } from './report.ts'
import { isSameView, viewKey } from './same-view.ts'
import { foundedState, TICK_MS, type World, worldOf } from './world.ts'

/** What came of a simulation. A function of the options. */
export interface SimReport {
  readonly seed: number
  readonly nodes: number
  readonly epochs: number
  /** Members that were there at the end of an epoch, summed over epochs. */
  readonly memberEpochs: number
  /** Epoch ends between a forger's first forged claim and its exclusion in the view of most; null: not excluded. */
  readonly forgers: readonly { readonly id: PeerName; readonly excludedAfterEpochs: number | null }[]
  /** Members without an offence that were excluded in any view at any time. */
  readonly honestExcluded: number
  readonly epochsCompleted: number
  /** Chunks recomputed per chunk mined. */
  readonly auditCostRatio: number
  /** At the end, the members without an offence hold the same items and derived the same from them. */
  readonly statesEqual: boolean
  /** Over all inputs and decisions in order, 64 hex digits. */
  readonly traceHash: string
  /** Epochs that ended with the XOR of the true values. */
  readonly epochsTrue: number
  /** Offenders that are excluded at the end, by role. */
  readonly offendersExcluded: Readonly<Record<string, number>>
  readonly ticks: number
  /** Distinct views at most, and how many a tick had on average. */
  readonly views: { readonly most: number; readonly mean: number }
}

/** The view of no member, so that it can be that of many. */
const NOBODY = '' as PeerName

/** A member syncs with another one every so many ticks. */
const SYNC_TICKS = 3
/** The mesh is cut in two for a minute. */
const CUT_TICKS = 12
/** After the last epoch the mesh has this many ticks to come to rest. */
const REST_TICKS = 40
/** An epoch that takes longer than this, in ticks, has stalled. */
const EPOCH_TICKS = 80

const CHURN = 20
const PARTNER = 21

/** A member as the mesh has it: where it is, and with which view. */
interface Seat {
  readonly member: Member
  view: MeshState
  isHere: boolean
  /** It came back, and asks at once what it missed. */
  hasToSync: boolean
}

/** Runs a mesh to its end. @param onEpoch - called at the end of each epoch; may throw to stop @throws RangeError for options with a fault */
export function simulate(options: SimOptions, onEpoch: (epoch: number) => void = () => {}): SimReport {
  const fault = optionFault(options)
  if (fault !== undefined) throw new RangeError(fault)
  return new Simulation(options, onEpoch).run()
}

class Simulation {
  readonly #options: SimOptions
  readonly #world: World
  readonly #network: Network
  readonly #seats: readonly Seat[]
  readonly #onEpoch: (epoch: number) => void
  readonly #trace = sha256.create()
  readonly #excludedAfter = new Map<PeerName, number>()
  readonly #wronged = new Set<PeerName>()
  #tick = 0
  #epoch = 0
  #memberEpochs = 0
  #views = { most: 0, sum: 0 }

  constructor(options: SimOptions, onEpoch: (epoch: number) => void) {
    this.#options = options
    this.#onEpoch = onEpoch
    this.#world = worldOf(options)
    this.#network = new Network(options, this.#world.chance)
    const common = foundedState(this.#world, NOBODY)
    this.#seats = this.#world.actors.map((actor) => ({
      member: new Member(this.#world, actor),
      view: options.share ? common : foundedState(this.#world, actor.peer),
      isHere: true,
      hasToSync: false,
    }))
  }

  run(): SimReport {
    const { epochs, nodes, seed } = this.#options
    this.#turn(false)
    while (this.#epoch < epochs && this.#tick < epochs * EPOCH_TICKS) this.#turn(false)
    for (const seat of this.#seats) if (!seat.isHere) this.#comeBack(seat)
    this.#network.cut(-1)
    for (let i = 0; i < REST_TICKS && (i < SYNC_TICKS || !this.#isAtRest()); i++) this.#turn(true)
    const main = this.#mostHeld()
    const members = this.#seats.map(({ member }) => member)
    const sum = (of: 'mined' | 'audited'): number => members.reduce((total, member) => total + member[of], 0)
    return {
      seed,
      nodes,
      epochs,
      memberEpochs: this.#memberEpochs,
      forgers: members
        .filter(({ forgedFrom }) => forgedFrom !== undefined)
        .map(({ actor: { peer } }) => ({ id: peer, excludedAfterEpochs: this.#excludedAfter.get(peer) ?? null })),
      honestExcluded: this.#wronged.size,
      epochsCompleted: Number(main.epoch),
      auditCostRatio: sum('audited') / Math.max(1, sum('mined')),
      statesEqual: this.#isAtRest(),
      traceHash: bytesToHex(this.#trace.digest()),
      epochsTrue: main.closed.filter(({ epoch, xor }) => xor === this.#trueXor(epoch)).length,
      offendersExcluded: this.#offendersExcluded(main),
      ticks: this.#tick,
      views: { most: this.#views.most, mean: this.#views.sum / Math.max(1, this.#tick) },
    }
  }

  /** One tick: what was said arrives, everybody takes it in, and speaks. */
  #turn(isLast: boolean): void {
    const tick = this.#tick
    this.#network.turn(tick)
    const news = this.#deliver(isLast)
    if (this.#options.share) this.#unite()
    const main = this.#mostHeld()
    this.#observe(main)
    for (const [i, seat] of this.#seats.entries()) {
      if (!seat.isHere) continue
      const said = seat.member.act(seat.view, news.get(seat)!, tick, isLast)
      this.#network.say(i, tick, said.items, said.beat)
      if (said.items.length > 0) this.#record(`${i} says ${said.items.map(({ id }) => id).join()}`)
    }
    if (Number(main.epoch) > this.#epoch) this.#endEpochs(Number(main.epoch), isLast)
    this.#tick += 1
  }

  /** Members with one view to whom the same comes are one computation. */
  #deliver(isCalm: boolean): ReadonlyMap<Seat, News> {
    const now = (this.#tick * TICK_MS) as Millis
    const news = new Map<Seat, News>()
    const done = new Map<MeshState, Map<string, Advance>>()
    const before = new Map(this.#seats.map((seat) => [seat, seat.view]))
    for (const [i, seat] of this.#seats.entries()) {
      if (!seat.isHere) continue
      const inbox = this.#network.inbox(i, this.#tick, isCalm)
      const partner = this.#partnerOf(i, seat)
      const theirs = partner === undefined ? undefined : before.get(partner)!
      const key = `${inbox.map(({ id }) => id).join()} ${theirs === undefined || theirs === seat.view ? '' : this.#numberOf(theirs)}`
      let results = done.get(seat.view)
      if (results === undefined) {
        results = new Map()
        done.set(seat.view, results)
      }
      let result = this.#options.share ? results.get(key) : undefined
      if (result === undefined) {
        const missed = theirs === undefined ? [] : itemsToSend(theirs, seat.view)
        result = advance(this.#world, seat.view, inputsOf(seat.view, inbox, missed, now))
        results.set(key, result)
        for (const peer of result.excluded) if (isInnocent(this.#world.byPeer.get(peer)!)) this.#wronged.add(peer)
      }
      seat.view = result.state
      seat.hasToSync = false
      news.set(seat, result)
      this.#record(`${i} hears ${inbox.map(({ id }) => id).join()} ${partner?.member.actor.peer} ${result.decisions}`)
    }
    return news
  }

  readonly #numbers = new WeakMap<MeshState, number>()
  #lastNumber = 0

  #numberOf(view: MeshState): number {
    let number = this.#numbers.get(view)
    if (number === undefined) this.#numbers.set(view, (number = ++this.#lastNumber))
    return number
  }

  #partnerOf(index: number, seat: Seat): Seat | undefined {
    if (!seat.hasToSync && this.#tick % SYNC_TICKS !== index % SYNC_TICKS) return undefined
    const side = this.#network.sideOf(index, this.#tick)
    for (let attempt = 0; attempt < 4; attempt++) {
      const other = this.#world.chance.draw(PARTNER, this.#tick, index, attempt) % this.#options.nodes
      const partner = this.#seats[other]!
      if (other !== index && partner.isHere && !partner.hasToSync && this.#network.sideOf(other, this.#tick) === side) return partner
    }
    return undefined
  }

  /** Views that decide alike become one: that of most members stands for the others. */
  #unite(): void {
    const holders = this.#holders()
    const kept = new Map<string, MeshState[]>()
    const instead = new Map<MeshState, MeshState>()
    for (const [view] of [...holders].sort(([, a], [, b]) => b - a)) {
      const key = viewKey(view)
      const alike = kept.get(key) ?? []
      const same = alike.find((other) => isSameView(other, view))
      if (same === undefined) kept.set(key, [...alike, view])
      else instead.set(view, same)
    }
    for (const seat of this.#seats) seat.view = instead.get(seat.view) ?? seat.view
    const views = holders.size - instead.size
    this.#views = { most: Math.max(this.#views.most, views), sum: this.#views.sum + views }
  }

  #holders(): ReadonlyMap<MeshState, number> {
    const holders = new Map<MeshState, number>()
    for (const { view, isHere } of this.#seats) if (isHere) holders.set(view, (holders.get(view) ?? 0) + 1)
    return holders
  }

  /** The view of most; where nobody shares, of the first member among those that are furthest. */
  #mostHeld(): MeshState {
    let best: MeshState | undefined
    let most = 0
    const counts = new Map<string, number>()
    for (const { view, isHere } of this.#seats) {
      if (!isHere) continue
      const key = `${view.epoch}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const { view, isHere } of this.#seats) {
      const count = counts.get(`${view.epoch}`)!
      if (!isHere || count <= most) continue
      best = view
      most = count
    }
    return best!
  }

  #observe(main: MeshState): void {
    for (const { member } of this.#seats) {
      const { peer } = member.actor
      if (member.forgedFrom === undefined || this.#excludedAfter.has(peer) || !isExcluded(main, peer)) continue
      this.#excludedAfter.set(peer, Number(main.epoch - member.forgedFrom))
    }
  }

  #endEpochs(epoch: number, isLast: boolean): void {
    const here = this.#seats.filter(({ isHere, member }) => isHere && member.actor.role !== 'sybil').length
    const { epochs, partitions } = this.#options
    this.#memberEpochs += here * (Math.min(epoch, epochs) - Math.min(this.#epoch, epochs))
    if (partitions.some((at) => at > this.#epoch && at <= epoch)) this.#network.cut(this.#tick + 1 + CUT_TICKS)
    this.#epoch = epoch
    if (!isLast) this.#churn(epoch)
    this.#onEpoch(epoch)
  }

  /** Who was away comes back; others go: half of them say so, half vanish. */
  #churn(epoch: number): void {
    const { churn } = this.#options
    const { chance } = this.#world
    for (const [i, seat] of this.#seats.entries()) {
      if (!seat.isHere) {
        this.#comeBack(seat)
        continue
      }
      if (seat.member.actor.role === 'sybil' || !chance.happens(churn, CHURN, epoch, i)) continue
      if (i % 2 === 0) this.#network.say(i, this.#tick, [seat.member.record(true)], undefined)
      seat.isHere = false
      seat.member.crash()
      this.#network.drop(i)
      this.#record(`${i} goes`)
    }
  }

  #comeBack(seat: Seat): void {
    const { index } = seat.member.actor
    seat.isHere = true
    seat.hasToSync = true
    this.#network.say(index, this.#tick, [seat.member.record(false)], undefined)
    this.#record(`${index} comes back`)
  }

  /** Do the members without an offence know and conclude the same? */
  #isAtRest(): boolean {
    const views = new Set(this.#seats.filter(({ member }) => isInnocent(member.actor)).map(({ view }) => view))
    return new Set([...views].map(viewDigest)).size === 1
  }

  #offendersExcluded(main: MeshState): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { role, peer } of this.#world.actors) {
      if (isInnocent({ role } as never) || role === 'sybil') continue
      counts[role] = (counts[role] ?? 0) + (main.exclusions.has(peer) ? 1 : 0)
    }
    return counts
  }

  readonly #xors = new Map<bigint, bigint>()

  #trueXor(epoch: bigint): bigint {
    const run = { start: 0, count: chunksOfEpoch(this.#world.genesis) }
    let xor = this.#xors.get(epoch)
    if (xor === undefined) this.#xors.set(epoch, (xor = chunkXor(this.#world.key, Number(epoch), run)))
    return xor
  }

  #record(what: string): void {
    this.#trace.update(utf8ToBytes(`${this.#tick} ${what}\n`))
  }
}

/** Items of one view that another lacks, or has an older version of. */
function itemsToSend(from: MeshState, to: MeshState): readonly SignedItem[] {
  if (from === to) return []
  const missed: SignedItem[] = []
  for (const item of allItems(from)) {
    const held = to[FIELD[item.kind]].get(itemKey(item) as PeerName)
    if (held !== item) missed.push(item)
  }
  return missed
}

/** A member's own items come as its own where the view is its own; what it missed comes before the news. */
function inputsOf(view: MeshState, inbox: readonly Batch[], missed: readonly SignedItem[], now: Millis): readonly Input[] {
  const inputs: Input[] = missed.length > 0 ? [{ type: 'items-received', items: missed, now, source: 'peer' }] : []
  for (const { items, beats } of inbox) {
    for (const part of bySource(items, view.self)) inputs.push({ type: 'items-received', ...part, now })
    for (const beat of beats) inputs.push({ type: 'beat-received', beat, now })
  }
  inputs.push({ type: 'ticked', now })
  return inputs
}

function bySource(
  items: readonly SignedItem[],
  self: PeerName,
): readonly { readonly items: readonly SignedItem[]; readonly source: 'self' | 'peer' }[] {
  if (!items.some(({ value }) => value.author === self)) return items.length > 0 ? [{ items, source: 'peer' }] : []
  return items.map((item) => ({ items: [item], source: item.value.author === self ? 'self' : 'peer' }))
}
