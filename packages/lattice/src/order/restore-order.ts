import { charClass, OTHER } from '@sgsd/hllset'
import { BOUNDARY, COSTS_PER_NAT, type OrderModel, UNSEEN } from './order-model.ts'

/** Up to so many characters every order is weighed: 2^14 subsets × 14 × 15 endings, 14 MB and a fifth of a second. Two verses of seven. */
export const MAX_EXACT_CHARACTERS = 14
/** Most characters that are put in order at once. */
export const MAX_ORDER_CHARACTERS = 128
/** Beginnings that are kept at each length where not all can be. */
const BEAM_WIDTH = 512

/** Characters in their likeliest order. */
export interface RestoredOrder {
  readonly text: string
  /** −ln of the text's probability. */
  readonly nats: number
  /** The same for the order in which the characters were given. */
  readonly givenNats: number
  /** Every order was weighed; otherwise a better one may have been missed. */
  readonly exact: boolean
  /** Characters, each once, that the model has never seen: about their place it can say little. */
  readonly unseen: readonly string[]
}

/** The characters of a text that can be put in order: letters, numbers and marks; white space, punctuation and symbols are passed over. */
export function orderable(text: string): string[] {
  return Array.from(text).filter((character) => charClass(character.codePointAt(0)!) !== OTHER)
}

/**
 * Puts characters into the order that the model finds likeliest as one clause. Of equally likely orders it is the first by code points when exact. The result depends on
 * the model and on which characters there are, not on how they stood.
 * @throws RangeError for more than MAX_ORDER_CHARACTERS orderable characters
 */
export function restoreOrder(model: OrderModel, text: string): RestoredOrder {
  const given = orderable(text)
  if (given.length > MAX_ORDER_CHARACTERS) throw new RangeError(`${given.length} characters; at most ${MAX_ORDER_CHARACTERS} can be put in order`)
  const characters = given.toSorted((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)
  const numbers = characters.map((character) => model.numberOf(character))
  const exact = characters.length <= MAX_EXACT_CHARACTERS
  const order = exact ? exactOrder(characters, costTable(model, numbers)) : beamOrder(characters, costTable(model, numbers))
  const restored = order.map((place) => characters[place]!)
  return {
    text: restored.join(''),
    nats: natsOf(model, restored),
    givenNats: natsOf(model, given),
    exact,
    unseen: [...new Set(given.filter((character) => model.numberOf(character) === UNSEEN))],
  }
}

function natsOf(model: OrderModel, characters: readonly string[]): number {
  if (characters.length === 0) return 0
  let [before, last, sum] = [BOUNDARY, BOUNDARY, 0]
  for (const next of [...characters.map((character) => model.numberOf(character)), BOUNDARY]) {
    sum += model.cost(before, last, next)
    before = last
    last = next
  }
  return sum / COSTS_PER_NAT
}

/** Costs by place of the two characters before and of the next; place n is the boundary. */
type Costs = (before: number, last: number, next: number) => number

function costTable(model: OrderModel, numbers: readonly number[]): Costs {
  const symbols = [...numbers, BOUNDARY]
  const size = symbols.length
  const costs = new Int32Array(size ** 3)
  let at = 0
  for (const before of symbols) for (const last of symbols) for (const next of symbols) costs[at++] = model.cost(before, last, next)
  return (before, last, next) => costs[(before * size + last) * size + next]!
}

/**
 * The least costly order of all (Bellman; Held and Karp 1962): for each set of used characters and each last two of them, the least cost of what can follow, from
 * the whole set down. Walking up again, the first character that keeps the least cost is taken, so ties go by code point.
 */
function exactOrder(characters: readonly string[], costs: Costs): number[] {
  const n = characters.length
  if (n === 0) return []
  const full = 2 ** n - 1
  const least = new Int32Array(2 ** n * n * (n + 1))
  const state = (used: number, before: number, last: number): number => (used * n + last) * (n + 1) + before
  /** Of equal characters the first unused one stands for all. */
  const mayFollow = (used: number, next: number): boolean =>
    ((used >> next) & 1) === 0 && (next === 0 || characters[next] !== characters[next - 1] || ((used >> (next - 1)) & 1) === 1)
  const bestFrom = (used: number, before: number, last: number): { next: number; cost: number } => {
    let best = { next: n, cost: used === full ? costs(before, last, n) : Infinity }
    for (let next = 0; next < n; next++) {
      if (!mayFollow(used, next)) continue
      const cost = costs(before, last, next) + least[state(used | (1 << next), last, next)]!
      if (cost < best.cost) best = { next, cost }
    }
    return best
  }
  for (let used = full; used > 0; used--) {
    for (let last = 0; last < n; last++) {
      if (((used >> last) & 1) === 0) continue
      const rest = used & ~(1 << last)
      for (let before = 0; before <= n; before++) {
        const fits = before === n ? rest === 0 : ((rest >> before) & 1) === 1
        if (fits) least[state(used, before, last)] = bestFrom(used, before, last).cost
      }
    }
  }
  const order: number[] = []
  for (let [used, before, last] = [0, n, n]; order.length < n;) {
    const { next } = bestFrom(used, before, last)
    order.push(next)
    used |= 1 << next
    before = last
    last = next
  }
  return order
}

interface Beginning {
  readonly places: readonly number[]
  readonly used: bigint
  readonly cost: number
}

/** Keeps the least costly beginnings of each length, one for each set of used characters and each last two of them; ties go to the earlier found. */
function beamOrder(characters: readonly string[], costs: Costs): readonly number[] {
  const n = characters.length
  let beam: Beginning[] = [{ places: [], used: 0n, cost: 0 }]
  for (let length = 0; length < n; length++) {
    const longer: Beginning[] = []
    for (const { places, used, cost } of beam) {
      const [before, last] = [places.at(-2) ?? n, places.at(-1) ?? n]
      let previous = ''
      for (let next = 0; next < n; next++) {
        const bit = 1n << BigInt(next)
        if ((used & bit) !== 0n || characters[next] === previous) continue
        previous = characters[next]!
        const end = length === n - 1 ? costs(last, next, n) : 0
        longer.push({ places: [...places, next], used: used | bit, cost: cost + costs(before, last, next) + end })
      }
    }
    longer.sort((a, b) => a.cost - b.cost)
    const kept = new Set<string>()
    beam = longer.filter(({ places, used }) => {
      if (kept.size === BEAM_WIDTH) return false
      const key = `${used} ${places.at(-2)} ${places.at(-1)}`
      return !kept.has(key) && kept.add(key)
    })
  }
  return beam[0]!.places
}
