import { bytesToHex } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allItems, consensusHeads, consensusId, stateDigest } from './digests.ts'
import type { SignedItem } from './items.ts'
import { itemKey, joinItem } from './join.ts'
import { at, claim, counted, head, kinds, received, record, run, seal, signed, stateOf } from './mesh.fixture.ts'
import type { Effect, Input, MeshState } from './state.ts'
import { step } from './step.ts'

const CHUNKS = 8
const author = fc.constantFrom('a', 'b', 'c', 'self')
const version = fc.bigInt({ min: 1n, max: 3n })

const records = fc
  .record({ author, version, cores: fc.integer({ min: 1, max: 2 }), left: fc.boolean() })
  .map(({ author, version, cores, left }) => record(author, { seq: version, cores, left }))
/** Two layers for one seq: equivocation is in. */
const heads = fc
  .record({ author, version, layer: fc.nat(1) })
  .map(({ author, version, layer }) => head(author, version, `${author}-${version}-${layer}`))
/** Own seals move the epoch of the node that signed them, so they are a matter of their own. */
const seals = fc
  .record({ author: fc.constantFrom('a', 'b', 'c'), epoch: version, xor: fc.bigInt({ min: 0n, max: 1n }) })
  .map(({ author, epoch, xor }) => seal(author, epoch, xor))

const claims = (epochs: number, chunks: number) =>
  fc
    .record({
      author,
      epoch: fc.bigInt({ min: 0n, max: BigInt(epochs - 1) }),
      index: fc.nat(3),
      start: fc.nat(chunks - 1),
      count: fc.integer({ min: 1, max: chunks }),
    })
    .map(({ author, epoch, index, start, count }) => claim(author, epoch, index, { start, count: Math.min(count, chunks - start) }))

/** Any items at all, equivocation included, in an epoch that never closes: its last chunk is in no claim. */
const anyItems: fc.Arbitrary<readonly SignedItem[]> = fc.array(fc.oneof(records, heads, seals, claims(1, CHUNKS - 1)), { maxLength: 24 })

const AUTHORS = ['a', 'b', 'c', 'self'] as const

/** Claims that tile an epoch, some of them missing, and others across them; no two of them conflict. */
const tiledEpoch = (epoch: bigint) =>
  fc
    .record({
      cuts: fc.uniqueArray(fc.integer({ min: 1, max: CHUNKS - 1 }), { maxLength: 5 }),
      drop: fc.option(fc.nat(5), { freq: 4 }),
      across: claims(3, CHUNKS),
    })
    .map(({ cuts, drop, across }) => {
      const starts = [0, ...cuts.sort((x, y) => x - y)]
      const tiles = starts.map((start, i) => ({ start, count: (starts[i + 1] ?? CHUNKS) - start }))
      const tiling = tiles.map((tile, i) => claim(AUTHORS[i % 4]!, epoch, i, tile)).filter((_, i) => i !== drop)
      return [...tiling, claim(across.value.author, epoch, 10, across.value.run)]
    })

/** Items of which no two claims conflict, over three epochs that mostly close on the way. */
const closingItems: fc.Arbitrary<readonly SignedItem[]> = fc
  .tuple(
    tiledEpoch(0n),
    tiledEpoch(1n),
    tiledEpoch(2n),
    fc.array(fc.oneof(records, seals)),
    fc.subarray(
      AUTHORS.map((name) => record(name)),
      { minLength: 3 },
    ),
  )
  .map((parts) => parts.flat())

/** Picks for a run of the simulation: which of the pending inputs comes next, and which item comes twice. */
const schedule = fc.infiniteStream(fc.nat(1_000_000))

describe('join laws (docs/protocol.md §5.1): the state depends on the set of items alone', () => {
  test('in any order, with any duplicates, with layers and leaves coming at any moment', () => {
    fc.assert(
      fc.property(anyItems, schedule, schedule, (items, first, second) => {
        expect(summary(settle(stateOf(CHUNKS), [...items, ...items], first))).toEqual(summary(settle(stateOf(CHUNKS), items, second)))
      }),
      { numRuns: 300 },
    )
  })

  test('the same, while epochs close on the way', () => {
    fc.assert(
      fc.property(closingItems, schedule, schedule, (items, first, second) => {
        expect(summary(settle(stateOf(CHUNKS), [...items, ...items], first))).toEqual(summary(settle(stateOf(CHUNKS), items, second)))
      }),
      { numRuns: 300 },
    )
  })

  test('these samples do close epochs', () => {
    const steady = { next: () => ({ done: false as const, value: 1 }) }
    const reached = fc.sample(closingItems, { numRuns: 200, seed: 7 }).map((items) => settle(stateOf(CHUNKS), items, steady).epoch)
    expect(reached.filter((epoch) => epoch > 0n).length).toBeGreaterThan(30)
    expect(reached).toContain(3n)
  })

  test('in any grouping: two nodes that exchange what they hold agree with one that got everything', () => {
    fc.assert(
      fc.property(anyItems, anyItems, schedule, (mine, yours, picks) => {
        const a = settle(stateOf(CHUNKS), mine, picks)
        const b = settle(stateOf(CHUNKS), yours, picks)
        const whole = summary(settle(stateOf(CHUNKS), [...mine, ...yours], picks))
        expect(summary(settle(a, [...allItems(b)], picks))).toEqual(whole)
        expect(summary(settle(b, [...allItems(a)], picks))).toEqual(whole)
      }),
      { numRuns: 200 },
    )
  })

  test('what is known already changes nothing and causes nothing', () => {
    fc.assert(
      fc.property(anyItems, schedule, (items, picks) => {
        const settled = settle(stateOf(CHUNKS), items, picks)
        for (const item of allItems(settled)) {
          const again = step(settled, received(item))
          expect(again.state).toBe(settled)
          expect(again.effects).toEqual([])
        }
      }),
      { numRuns: 100 },
    )
  })

  test('the laws can fail: with the newest arrival standing, two orders differ', () => {
    const items = [head('a', 1n), head('a', 2n)]
    const lastArrival = (list: readonly SignedItem[]): Map<string, SignedItem> => new Map(list.map((item) => [itemKey(item), item]))
    expect(lastArrival(items)).not.toEqual(lastArrival([...items].reverse()))
  })
})

describe('bounds', () => {
  test('of more keys than fit, the smallest stay, in any order', () => {
    const five = ['e', 'a', 'd', 'b', 'c'].map((name) => head(name, 1n))
    const held = (items: readonly SignedItem[]): string[] => {
      let map: ReadonlyMap<string, SignedItem> = new Map()
      for (const item of items) {
        const joined = joinItem(map, item, { all: 3, ofAuthor: 1 })
        if (joined.type === 'taken') map = joined.items
      }
      return [...map.keys()].sort()
    }
    expect(held(five)).toEqual(['a', 'b', 'c'])
    expect(held([...five].reverse())).toEqual(['a', 'b', 'c'])
  })

  test.each([
    ['a claim of an epoch too far ahead', claim('a', 3n, 0, { start: 0, count: 1 })],
    ['a claim beyond the grid', claim('a', 0n, 0, { start: 7, count: 2 })],
    [
      'a claim of no chunks',
      { ...claim('a', 0n, 0, { start: 0, count: 1 }), value: { ...claim('a', 0n, 0, { start: 0, count: 1 }).value, run: { start: 0, count: 0 } } },
    ],
    ['a claim with a negative index', claim('a', 0n, -1, { start: 0, count: 1 })],
    ['a claim with an index past the last', claim('a', 0n, 2_048, { start: 0, count: 1 })],
    [
      'a claim of a fractional run',
      { ...claim('a', 0n, 0, { start: 0, count: 1 }), value: { ...claim('a', 0n, 0, { start: 0, count: 1 }).value, run: { start: 0.5, count: 1 } } },
    ],
    ['a seal below 0', seal('a', -1n, 0n)],
    ['a head beyond u64', head('a', 1n << 64n)],
    ['a record beyond u64', record('a', { seq: -1n })],
  ] satisfies [string, SignedItem][])('%s is ignored without a trace', (_, item) => {
    const { state, effects } = step(stateOf(CHUNKS), received(item))
    expect([...allItems(state)]).toEqual([])
    expect(effects).toEqual([])
  })
})

describe('digests', () => {
  test('the consensus id does not depend on the order of heads; with the sort removed it would', () => {
    const some = [head('b', 1n), head('a', 1n), head('c', 2n)]
    expect(consensusId('mean/1', some)).toBe(consensusId('mean/1', [...some].reverse()))
    expect(unsortedId(some)).not.toBe(unsortedId([...some].reverse()))
  })

  test('the consensus id changes with member, seq, layer and number of heads', () => {
    const ids = [[], [head('a', 1n)], [head('b', 1n)], [head('a', 2n)], [head('a', 1n, 'other')], [head('a', 1n), head('b', 1n)]].map((heads) =>
      consensusId('mean/1', heads),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('heads of others than members count for nothing until their record comes', () => {
    const layer = head('a', 1n)
    const before = run(stateOf(CHUNKS), [received(layer), { type: 'layer-ready', head: layer }])
    expect(before.state.consensus).toBe(consensusId('mean/1', []))
    expect(kinds(before.effects)).toEqual(['persist'])
    const after = run(before.state, [received(record('a'))])
    expect(after.state.consensus).toBe(consensusId('mean/1', [layer]))
    expect(kinds(after.effects)).toEqual(['persist', 'fold'])
  })
})

/** A layer is refused by its content: here, by its id. */
function isGood(layer: string): boolean {
  return Number.parseInt(layer[0]!, 16) >= 4
}

/** Runs items to the end in an order of the schedule's choice; what effects ask for comes at any later moment, or with a later tick. */
function settle(start: MeshState, items: readonly SignedItem[], picks: fc.Stream<number> | Iterator<number>): MeshState {
  const pending: Input[] = items.map((item) => received(item))
  let state = start
  let now: number = start.refetch.at ?? 0
  for (;;) {
    if (pending.length === 0) {
      now += 10_000
      const ticked = step(state, { type: 'ticked', now: at(now) })
      state = ticked.state
      pending.push(...ticked.effects.flatMap(answer))
      if (pending.length === 0) return state
    }
    const pick = picks.next().value as number
    const [input] = pending.splice(pick % pending.length, 1)
    const result = step(state, input!)
    state = result.state
    // Now and then content does not come: the next tick asks again.
    if (pick % 7 > 0) pending.push(...result.effects.flatMap(answer))
  }
}

function answer(effect: Effect): Input[] {
  if (effect.type === 'fetch-leaves') return [counted(effect.claim)]
  if (effect.type !== 'fetch-layer') return []
  const { head } = effect
  return [isGood(head.value.layer) ? { type: 'layer-ready', head } : { type: 'layer-refused', head, reason: 'bad' }]
}

/** Everything that must be equal on nodes with equal items. */
function summary(state: MeshState): unknown {
  return {
    digest: bytesToHex(stateDigest(state)),
    consensus: state.consensus,
    heads: consensusHeads(state).map(({ id }) => id),
    epoch: state.epoch,
    closed: state.closed,
    tallies: [...state.tallies.values()].map(({ epoch, covered, chunksCovered, xor }) => ({ epoch, covered, chunksCovered, xor })),
  }
}

function unsortedId(heads: readonly SignedItem[]): string {
  return signed<'seal'>({ kind: 'seal', value: { ...seal('a', 0n, 0n).value, author: heads.map(({ id }) => id).join() as never } }).id
}
