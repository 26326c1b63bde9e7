import { charClass, OTHER } from '@sgsd/hllset'
import { ln } from '../evidence/ln.ts'
import { CountTable } from './count-table.ts'

/** What stands before the first and behind the last character of a clause. */
export const BOUNDARY = 0
/** A character that the model has not seen, or for which there was no number left. */
export const UNSEEN = -1

/** Distinct characters: their numbers are two bytes in the keys of the counts. Of Unicode's hanzi a text uses a tenth at most. */
const MAX_CHARACTERS = 65_535
const CODE_POINTS = 0x11_0000

/** Distinct pairs and triples that are held; 25 and 50 MB. 9,000 Tang poems have 0.28 and 0.5 million. */
const MAX_PAIRS = 2 ** 20
const MAX_TRIPLES = 2 ** 21

/** Costs are whole numbers of this many to a nat: sums of them are exact, so equal orders have equal costs. */
export const COSTS_PER_NAT = 65_536

/** Taken off each pair's count and given to pairs never seen (absolute discounting). */
const DISCOUNT = 0.8
/** Weight of the triples' estimate beside the pairs': the best of 0, 0.1, 0.2, 0.3 and 0.5 on Tang poems set apart for the choice. */
const TRIPLE_WEIGHT = 0.3
/** Added to the count of each character, seen or not. */
const UNIGRAM_PRIOR = 0.1

/**
 * How likely characters follow one another: counts of pairs and triples, smoothed. It learns from text in pieces; a clause is a run of letters, numbers and marks, and
 * everything else ends it. Memory is bounded whatever the text (see `CountTable`), and equal texts give equal models on every machine.
 */
export class OrderModel {
  /** Number of each code point, from 1 in the order of first appearance; 0 of those not seen. */
  readonly #numbers = new Uint16Array(CODE_POINTS)
  #characters = 0
  readonly #pairs = new CountTable(MAX_PAIRS)
  readonly #triples = new CountTable(MAX_TRIPLES)
  /** By number: how often a character was seen; how often something followed it; how many different ones did. Number 0 is the boundary. */
  readonly #seen = new Float64Array(MAX_CHARACTERS + 1)
  readonly #followed = new Float64Array(MAX_CHARACTERS + 1)
  readonly #followers = new Uint32Array(MAX_CHARACTERS + 1)
  #total = 0
  #clauses = 0
  /** The two symbols before the next one. */
  #before = BOUNDARY
  #last = BOUNDARY
  /** Half of a surrogate pair at the end of the piece before. */
  #torn = ''

  /** Distinct characters seen. */
  get characters(): number {
    return this.#characters
  }

  get clauses(): number {
    return this.#clauses
  }

  /** Learns from the next piece of a text; pieces may end anywhere. */
  push(text: string): void {
    const whole = this.#torn + text
    const end = (whole.charCodeAt(whole.length - 1) & 0xfc00) === 0xd800 ? whole.length - 1 : whole.length
    this.#torn = whole.slice(end)
    for (let at = 0; at < end; at++) {
      const codePoint = whole.codePointAt(at)!
      if (codePoint > 0xffff) at++
      if (charClass(codePoint) === OTHER) this.#endClause()
      else this.#follow(this.#numberFor(codePoint))
    }
  }

  /** Ends the clause at hand, as the end of a text does. The model may go on to learn from another. */
  end(): void {
    this.#torn = ''
    this.#endClause()
  }

  /** Number of a character, or UNSEEN. */
  numberOf(character: string): number {
    return this.#numbers[character.codePointAt(0)!]! || UNSEEN
  }

  /** −ln P(next | before, last) in 1/COSTS_PER_NAT, a whole number from 0. Each is a number of the model, BOUNDARY or UNSEEN. */
  cost(before: number, last: number, next: number): number {
    const alone = ((next < 0 ? 0 : this.#seen[next]!) + UNIGRAM_PRIOR) / (this.#total + UNIGRAM_PRIOR * (MAX_CHARACTERS + 1))
    const followed = last < 0 ? 0 : this.#followed[last]!
    let share = alone
    if (followed > 0) {
      const count = next < 0 ? 0 : this.#pairs.get(pair(last, next))
      share = Math.max(0, count - DISCOUNT) / followed + ((DISCOUNT * this.#followers[last]!) / followed) * alone
    }
    const times = before < 0 || last < 0 ? 0 : last === BOUNDARY ? this.#clauses : this.#pairs.get(pair(before, last))
    if (times > 0) {
      const count = next < 0 ? 0 : this.#triples.get(triple(before, last, next))
      share = TRIPLE_WEIGHT * Math.min(1, count / times) + (1 - TRIPLE_WEIGHT) * share
    }
    return Math.round(-ln(Math.min(1, share)) * COSTS_PER_NAT)
  }

  #numberFor(codePoint: number): number {
    if (this.#numbers[codePoint] === 0 && this.#characters < MAX_CHARACTERS) this.#numbers[codePoint] = ++this.#characters
    return this.#numbers[codePoint]! || UNSEEN
  }

  #endClause(): void {
    if (this.#last === BOUNDARY) return
    this.#follow(BOUNDARY)
    this.#before = BOUNDARY
    this.#last = BOUNDARY
    this.#clauses++
  }

  #follow(next: number): void {
    if (next >= 0) {
      this.#seen[next]!++
      this.#total++
      if (this.#last >= 0) {
        this.#followed[this.#last]!++
        if (this.#pairs.add(pair(this.#last, next)) === 1) this.#followers[this.#last]!++
        if (this.#before >= 0) this.#triples.add(triple(this.#before, this.#last, next))
      }
    }
    this.#before = this.#last
    this.#last = next
  }
}

function pair(first: number, second: number): number {
  return first * 0x1_0000 + second
}

function triple(first: number, second: number, third: number): number {
  return (first * 0x1_0000 + second) * 0x1_0000 + third
}
