import type { Beat, SignedItem } from '../items.ts'
import type { Chance } from './chance.ts'
import type { SimOptions } from './options.ts'

/** What members of one lane and side said in one tick: it is delivered, lost, late or doubled as a whole. */
export interface Batch {
  readonly id: string
  readonly lane: number
  readonly items: readonly SignedItem[]
  readonly beats: readonly Beat[]
}

/** Paths by which messages reach a member, each with its own luck. */
export const LANES = 4
/** Longest delay, ticks. */
const MAX_DELAY = 3

const FATE = 10
const DELAY = 11
const SIDE = 12

/** What was said, on its way. */
export class Network {
  readonly #options: SimOptions
  readonly #chance: Chance
  #said = new Map<string, { readonly items: SignedItem[]; readonly beats: Beat[]; readonly lane: number }>()
  #batches: readonly (Batch & { readonly side: number })[] = []
  /** By member: what comes late. */
  readonly #late = new Map<number, { readonly due: number; readonly batch: Batch }[]>()
  /** Until this tick the halves do not hear each other. */
  #cutUntil = -1

  constructor(options: SimOptions, chance: Chance) {
    this.#options = options
    this.#chance = chance
  }

  cut(until: number): void {
    this.#cutUntil = until
  }

  /** The half in which a member is in this tick. */
  sideOf(member: number, tick: number): number {
    return tick < this.#cutUntil ? this.#chance.draw(SIDE, this.#cutUntil, member) % 2 : 0
  }

  say(member: number, tick: number, items: readonly SignedItem[], beat: Beat | undefined): void {
    const lane = member % LANES
    const key = `${this.sideOf(member, tick)}.${lane}`
    const held = this.#said.get(key) ?? { items: [], beats: [], lane }
    this.#said.set(key, held)
    held.items.push(...items)
    if (beat !== undefined) held.beats.push(beat)
  }

  /** What was said in the tick before is delivered now. */
  turn(tick: number): void {
    this.#batches = [...this.#said]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { items, beats, lane }]) => ({ id: `${tick}.${key}`, side: Number(key[0]), lane, items, beats }))
    this.#said = new Map()
  }

  /** What reaches a member now; its own lane always does. @param isCalm - nothing is lost, late or doubled */
  inbox(member: number, tick: number, isCalm: boolean): readonly Batch[] {
    const inbox = this.#lateFor(member, tick)
    const side = this.sideOf(member, tick - 1)
    for (const batch of this.#batches) {
      if (batch.side !== side) continue
      const fate = isCalm || batch.lane === member % LANES ? 'arrives' : this.#fate(member, tick, batch.lane)
      if (fate === 'late') this.#delay(member, tick, batch)
      else if (fate !== 'lost') inbox.push(batch)
      if (fate === 'twice') inbox.push(batch)
    }
    return inbox
  }

  /** What was on its way to a member that is gone. */
  drop(member: number): void {
    this.#late.delete(member)
  }

  #fate(member: number, tick: number, lane: number): 'lost' | 'late' | 'twice' | 'arrives' {
    const { loss, delay, duplicate } = this.#options
    const luck = loss + delay + duplicate === 0 ? 1 : this.#chance.draw(FATE, tick, member, lane) / 2 ** 32
    return luck < loss ? 'lost' : luck < loss + delay ? 'late' : luck < loss + delay + duplicate ? 'twice' : 'arrives'
  }

  #delay(member: number, tick: number, batch: Batch): void {
    const due = tick + 1 + (this.#chance.draw(DELAY, tick, member, batch.lane) % MAX_DELAY)
    const held = this.#late.get(member)
    if (held === undefined) this.#late.set(member, [{ due, batch }])
    else held.push({ due, batch })
  }

  #lateFor(member: number, tick: number): Batch[] {
    const held = this.#late.get(member)
    if (held === undefined) return []
    this.#late.set(
      member,
      held.filter(({ due }) => due > tick),
    )
    return held.filter(({ due }) => due <= tick).map(({ batch }) => batch)
  }
}
