import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { consensusHeads, consensusId } from '../digests.ts'
import { INCOME_CAP, INCOME_HALF_LIFE_EPOCHS, RECEIPT_EPOCHS } from '../limits.ts'
import { at, beat, head, heard, kinds, op, peer, receipt, received, record, run, seal, stateOf } from '../mesh.fixture.ts'
import type { MeshState } from '../state.ts'
import { step } from '../step.ts'
import { foldWeights } from './income.ts'
import { receiptsDue, scorersOf } from './receipts.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']
const heads = new Map(NAMES.map((name) => [name, head(name, 1n)]))
const base = run(
  stateOf(16, 'a'),
  NAMES.flatMap((name) => [received(record(name)), received(heads.get(name)!), { type: 'layer-ready', head: heads.get(name)! } as const]),
).state
const of = (state: MeshState): readonly number[] => NAMES.map((name) => foldWeights(state).get(peer(name))!)
const scored = (scores: Readonly<Record<string, readonly number[]>>, epoch = 0n): MeshState =>
  run(
    base,
    Object.entries(scores).flatMap(([subject, list]) => {
      const scorers = NAMES.filter((name) => name !== subject)
      return list.map((score, i) => received(receipt(scorers[i]!, heads.get(subject)!, score, epoch)))
    }),
  ).state

describe('income (docs/protocol.md §7.11)', () => {
  test('is equal until receipts exist; a head without one weighs as the median does', () => {
    expect(of(base)).toEqual([1, 1, 1, 1, 1])
    expect(of(scored({ a: [0.25], b: [0.5], c: [0.75] }))).toEqual([0.5, 1, 1.5, 1, 1])
  })

  test('is the median of the receipts: one liar among three scorers moves it no further than the honest ones', () => {
    for (const lie of [0, 1]) expect(of(scored({ a: [0.5, 0.5, lie], b: [0.5, 0.5, 0.5] }))).toEqual([1, 1, 1, 1, 1])
  })

  test('is at most three times the median member', () => {
    expect(of(scored({ a: [1], b: [0.1], c: [0.1], d: [0.1] }))[0]).toBe(INCOME_CAP)
  })

  test('a report on oneself, by a stranger, by somebody excluded, or under a wrong name changes nothing', () => {
    const selves = run(base, [
      received(receipt('a', heads.get('a')!, 1)),
      received(receipt('stranger', heads.get('a')!, 1)),
      received(op('b', 'e', 'revoke')),
      received(receipt('e', heads.get('a')!, 1)),
      received({ ...receipt('b', heads.get('a')!, 1), value: { ...receipt('b', heads.get('a')!, 1).value, subject: peer('c') } }),
    ]).state
    expect([...foldWeights(selves).values()]).toEqual([1, 1, 1, 1])
  })

  test('decays by half every eight epochs, and receipts are dropped in the end', () => {
    const state = scored({ a: [0.5], b: [0.5] })
    const later = run(state, [
      received(seal('a', BigInt(INCOME_HALF_LIFE_EPOCHS) - 1n, 0n), 'disk'),
      received(receipt('c', heads.get('b')!, 0.5, 8n)),
    ]).state
    expect(later.epoch).toBe(8n)
    // Of b's two receipts the lower median is the old one.
    expect(of(later).slice(0, 2)).toEqual([1, 1])
    const gone = run(state, [received(seal('a', BigInt(RECEIPT_EPOCHS), 0n), 'disk')])
    expect(gone.state.receipts.size).toBe(0)
    expect(kinds(gone.effects).filter((kind) => kind === 'forget')).toHaveLength(2)
  })

  test('weights are multiples of 1/64 in [0, 3], whatever the scores, and the same in any order', () => {
    const score = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...NAMES), fc.array(score, { maxLength: 4 })), (scores) => {
        const state = scored(scores)
        for (const weight of of(state)) {
          expect(weight).toBeGreaterThanOrEqual(0)
          expect(weight).toBeLessThanOrEqual(INCOME_CAP)
          expect(Number.isInteger(weight * 64)).toBe(true)
        }
        const reversed = run(
          base,
          [...state.receipts.values()].toReversed().map((item) => received(item)),
        ).state
        expect(of(reversed)).toEqual(of(state))
        expect(reversed.consensus).toBe(state.consensus)
      }),
      { numRuns: 60 },
    )
  })

  test('other weights are another consensus, equal ones the same as without receipts', () => {
    expect(scored({ a: [0.5], b: [0.5] }).consensus).toBe(base.consensus)
    const unequal = scored({ a: [0.25], b: [0.75] })
    expect(unequal.consensus).not.toBe(base.consensus)
    expect(unequal.consensus).toBe(consensusId('mean/1', consensusHeads(unequal), foldWeights(unequal)))
    expect(kinds(step(base, received(receipt('c', heads.get('a')!, 0.3))).effects)).toEqual(['persist'])
  })

  test('a receipt beyond its bounds is ignored', () => {
    for (const bad of [receipt('b', heads.get('a')!, 1.5), receipt('b', heads.get('a')!, Number.NaN), receipt('b', heads.get('a')!, 1, 3n)]) {
      expect(step(base, received(bad)).effects).toEqual([])
    }
  })
})

describe('scorers', () => {
  test('up to five members, never the author, whom the beacon draws', () => {
    const members = Array.from({ length: 20 }, (_, i) => peer(`m${i}`))
    const { layer } = heads.get('a')!.value
    const drawn = scorersOf('aa', layer, members[0]!, members)
    expect(drawn).toHaveLength(5)
    expect(drawn).not.toContain(members[0])
    expect(scorersOf('aa', layer, members[0]!, members.toReversed())).toEqual(drawn)
    expect(scorersOf('bb', layer, members[0]!, members)).not.toEqual(drawn)
  })

  test('this node scores the heads of others that it is drawn for, once', () => {
    const live = run(
      base,
      NAMES.slice(1).map((name) => heard(beat(name, 1n), 0)),
    ).state
    expect(receiptsDue(live, at(0)).map(({ value }) => value.author)).toEqual(['b', 'c', 'd', 'e'])
    const done = run(live, [received(receipt('a', heads.get('b')!, 0.5), 'self')]).state
    expect(receiptsDue(done, at(0)).map(({ value }) => value.author)).toEqual(['c', 'd', 'e'])
  })
})
