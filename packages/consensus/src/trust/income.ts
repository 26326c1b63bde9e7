import type { PeerName } from '../ids.ts'
import { INCOME_CAP, INCOME_HALF_LIFE_EPOCHS } from '../limits.ts'
import { consensusHeads } from '../digests.ts'
import { isMember } from '../member.ts'
import type { MeshState, Signed } from '../state.ts'
import { isExcluded } from './exclusion.ts'

/** Units of a score and of a weight: powers of two, so that the arithmetic below is exact on every machine. */
const SCORE_UNITS = 65_536
const WEIGHT_UNITS = 64

/**
 * The weight of every head that the fold takes, from what *other* members measured; a function of the state, exact, equal on nodes with equal items.
 *
 * The score of a head is the median of its receipts (of an even number the lower of the two middle ones), halved for every eight epochs that the receipt
 * is old. 1 is the median head; none weighs more than 3; a head without a receipt weighs 1. Receipts of the head's author and of excluded members do not
 * count. Where no head has a score above 0 all weigh 1. docs/protocol.md §7.11
 * @returns multiples of 1/64
 */
export function foldWeights(state: MeshState): ReadonlyMap<PeerName, number> {
  const heads = consensusHeads(state)
  const weights = new Map<PeerName, number>(heads.map(({ value }) => [value.author, 1]))
  if (state.receipts.size === 0) return weights
  const incomes = incomesOf(state, heads)
  const middle = lowerMedian([...incomes.values()].filter((income) => income > 0))
  if (middle === undefined) return weights
  for (const [peer, income] of incomes) {
    weights.set(peer, Math.floor((WEIGHT_UNITS * Math.min(income, INCOME_CAP * middle)) / middle) / WEIGHT_UNITS)
  }
  return weights
}

/** Whole numbers below 2^16 + 1, for the heads that have receipts. */
function incomesOf(state: MeshState, heads: readonly Signed<'head'>[]): ReadonlyMap<PeerName, number> {
  const byLayer = new Map<string, number[]>(heads.map(({ value }) => [`${value.layer}/${value.author}`, []]))
  for (const { value } of state.receipts.values()) {
    if (value.author === value.subject || !isMember(state, value.author) || isExcluded(state, value.author)) continue
    byLayer.get(`${value.layer}/${value.subject}`)?.push(decayed(Math.floor(value.score * SCORE_UNITS), state.epoch - value.epoch))
  }
  const incomes = new Map<PeerName, number>()
  for (const { value } of heads) {
    const income = lowerMedian(byLayer.get(`${value.layer}/${value.author}`)!)
    if (income !== undefined) incomes.set(value.author, income)
  }
  return incomes
}

function decayed(score: number, age: bigint): number {
  return age <= 0n ? score : Math.floor(score / 2 ** Number(age / BigInt(INCOME_HALF_LIFE_EPOCHS)))
}

function lowerMedian(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >>> 1]
}
