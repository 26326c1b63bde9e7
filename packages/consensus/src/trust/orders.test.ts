import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { xorOf } from '../claims.ts'
import type { SignedItem } from '../items.ts'
import { itemKey } from '../join.ts'
import {
  at,
  checked,
  claim,
  counted,
  forgedClaim,
  head,
  op,
  peer,
  proof,
  received,
  record,
  seal,
  signed,
  stateOf,
  valuesOf,
} from '../mesh.fixture.ts'
import type { Effect, Input, MeshState, Signed } from '../state.ts'
import { step } from '../step.ts'

const CHUNKS = 8
const left = { start: 0, count: 4 }
const right = { start: 4, count: 4 }
const exact = (epoch: bigint): bigint => xorOf(valuesOf(epoch, { start: 0, count: CHUNKS }))

describe('different orders of claims, proofs, evidence, operations and seals give the same derived state', () => {
  /** Two epochs, tiled by honest members; offenders in between, each forged claim with a proof, some honest ones accused, some equivocating. */
  const history = fc
    .record({
      forgeries: fc.array(fc.record({ epoch: fc.bigInt({ min: 0n, max: 1n }), start: fc.nat(6), bad: fc.nat(1), by: fc.constantFrom('c', 'd') }), {
        maxLength: 4,
      }),
      framed: fc.array(fc.record({ epoch: fc.bigInt({ min: 0n, max: 1n }), chunk: fc.nat(3), by: fc.constantFrom('c', 'd', 'e') }), { maxLength: 2 }),
      twice: fc.option(fc.constantFrom('c', 'd', 'e')),
      revoked: fc.option(fc.constantFrom('d', 'e')),
      seals: fc.array(fc.record({ author: fc.constantFrom('a', 'b', 'c'), epoch: fc.bigInt({ min: 0n, max: 1n }) })),
    })
    .map(({ forgeries, framed, twice, revoked, seals }) => {
      const leaves = new Map<string, BigUint64Array>()
      const items: SignedItem[] = ['self', 'a', 'b', 'c', 'd', 'e'].map((name) => record(name))
      for (const name of ['a', 'c', 'd']) items.push(head(name, 1n))
      for (const epoch of [0n, 1n]) items.push(claim('a', epoch, 0, left), claim('b', epoch, 0, right), claim('e', epoch, 0, { start: 2, count: 4 }))
      for (const [i, { epoch, start, bad, by }] of forgeries.entries()) {
        const { item, values } = forgedClaim(by, epoch, 10 + i, { start, count: 2 }, start + bad)
        leaves.set(item.id, values)
        items.push(item, proof(i % 2 === 0 ? 'a' : 'b', item, values, start + bad))
      }
      for (const { epoch, chunk, by } of framed) items.push(proof(by, claim('a', epoch, 0, left), valuesOf(epoch, left), chunk))
      if (twice !== null) items.push(claim(twice, 0n, 50, left), claim(twice, 0n, 50, right))
      if (revoked !== null) items.push(op('a', revoked, 'revoke', { epoch: 1n }))
      for (const { author, epoch } of seals) items.push(seal(author, epoch, 0n))
      return { items, leaves }
    })
  const schedule = fc.infiniteStream(fc.nat(1_000_000))

  test('shuffled, duplicated, batched or one by one, with proofs among the claims or long after them', () => {
    fc.assert(
      fc.property(history, schedule, schedule, ({ items, leaves }, first, second) => {
        const one = settle(stateOf(CHUNKS), [...items, ...items], leaves, first, 1)
        const other = settle(stateOf(CHUNKS), items, leaves, second, 5)
        const late = proofsLate(items, leaves, second)
        expect(summary(other)).toEqual(summary(one))
        expect(summary(late.state)).toEqual(summary(one))
        expect(one.epoch).toBe(2n)
        expect(one.closed.map(({ xor }) => xor)).toEqual([exact(1n), exact(0n)])
      }),
      { numRuns: 150 },
    )
  })

  test('these histories do change the XOR of closed epochs', () => {
    const picks = { next: () => ({ done: false as const, value: 3 }) }
    const opened = fc.sample(history, { numRuns: 60, seed: 3 }).filter(({ items, leaves }) => proofsLate(items, leaves, picks).mended)
    expect(opened.length).toBeGreaterThan(20)
  })
})

/** First everything but proofs, forged claims before honest ones, then the proofs. */
function proofsLate(
  items: readonly SignedItem[],
  leaves: ReadonlyMap<string, BigUint64Array>,
  picks: Iterator<number>,
): { readonly state: MeshState; readonly mended: boolean } {
  const seals: bigint[] = []
  const watch = (effect: Effect): void => {
    if (effect.type === 'epoch-closed') seals.push(effect.closed.epoch)
  }
  const isForged = ({ id, kind }: SignedItem): boolean => kind === 'record' || leaves.has(id)
  let state = settle(stateOf(CHUNKS), items.filter(isForged), leaves, picks, 1, watch)
  state = settle(
    state,
    items.filter((item) => !isForged(item) && item.kind !== 'proof'),
    leaves,
    picks,
    3,
    watch,
  )
  return {
    state: settle(
      state,
      items.filter(({ kind }) => kind === 'proof'),
      leaves,
      picks,
      2,
      watch,
    ),
    mended: seals.length > new Set(seals).size,
  }
}

/** Runs items to the end; what effects ask for comes at any later moment. @param batch - inputs a step takes at most */
function settle(
  start: MeshState,
  items: readonly SignedItem[],
  leaves: ReadonlyMap<string, BigUint64Array>,
  picks: Iterator<number>,
  batch: number,
  watch: (effect: Effect) => void = () => {},
): MeshState {
  const pending: Input[] = items.map((item) => received(item))
  let state = start
  for (let now = (start.refetch.at ?? 0) + 10_000; ; now += 10_000) {
    while (pending.length > 0) {
      const taken: Input[] = []
      for (let i = 0; i < batch && pending.length > 0; i++) taken.push(...pending.splice((picks.next().value as number) % pending.length, 1))
      const result = step(state, batch === 1 ? taken[0]! : { type: 'batched', inputs: taken })
      state = result.state
      for (const effect of result.effects) {
        watch(effect)
        pending.push(...answer(effect, leaves))
      }
    }
    const ticked = step(state, { type: 'ticked', now: at(now) })
    state = ticked.state
    pending.push(...ticked.effects.flatMap((effect) => answer(effect, leaves)))
    if (pending.length === 0) return state
  }
}

function answer(effect: Effect, leaves: ReadonlyMap<string, BigUint64Array>): Input[] {
  if (effect.type === 'fetch-leaves') {
    const values = leaves.get(effect.claim.id)
    return [values === undefined ? counted(effect.claim) : { type: 'leaves-ready', claim: effect.claim, values }]
  }
  if (effect.type === 'fetch-layer') return [{ type: 'layer-ready', head: effect.head }]
  if (effect.type === 'check-proof') return [checked(effect.proof)]
  if (effect.type !== 'author') return []
  return [received(signed(effect.item as { kind: 'equivocation'; value: Signed<'equivocation'>['value'] }), 'self')]
}

/** Everything that must be equal on nodes with equal items. */
function summary(state: MeshState): unknown {
  return {
    items: ['roster', 'heads', 'claims', 'seals', 'proofs', 'ops'].map((field) =>
      [...(state[field as 'claims'].values() as Iterable<SignedItem>)].map(itemKey).sort(),
    ),
    exclusions: [...state.exclusions.keys()].sort().map((name) => [name, windows(state, name)]),
    consensus: state.consensus,
    epoch: state.epoch,
    closed: state.closed,
    repairing: [...state.repairing],
    tallies: [...state.tallies.values()]
      .map(({ epoch, covered, chunksCovered, xor }) => ({ epoch, covered, chunksCovered, xor }))
      .sort((a, b) => (a.epoch < b.epoch ? -1 : 1)),
  }
}

/** Epochs for which a member is out, by cause. */
function windows(state: MeshState, name: string): readonly unknown[] {
  return (state.exclusions.get(peer(name))?.windows ?? []).map(({ cause, from, until }) => [cause, from, until])
}
