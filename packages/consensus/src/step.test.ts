import { describe, expect, test } from 'vitest'
import { consensusHeads } from './digests.ts'
import { REFETCH_INTERVAL_MS, REFETCH_LIMIT } from './limits.ts'
import { at, beat, claim, counted, head, heard, kinds, received, record, run, seal, stateOf } from './mesh.fixture.ts'
import { step } from './step.ts'

const whole = { start: 0, count: 16 }

describe('items and their effects', () => {
  test('an own item is persisted, then published; one from a peer is persisted only; one from disk neither', () => {
    expect(kinds(run(stateOf(), [received(record('self'), 'self')]).effects)).toEqual(['persist', 'publish'])
    expect(kinds(run(stateOf(), [received(record('a'))]).effects)).toEqual(['persist'])
    expect(kinds(run(stateOf(), [received(record('a'), 'disk')]).effects)).toEqual([])
  })

  test('a newer item takes the place of the older, whose bytes may then go', () => {
    const old = record('a')
    const { effects } = step(run(stateOf(), [received(old)]).state, received(record('a', { seq: 2n })))
    expect(effects.map((effect) => effect.type)).toEqual(['persist', 'forget'])
    expect(effects[1]).toEqual({ type: 'forget', item: old })
  })

  test('500 stale and 500 repeated items change nothing and cause nothing (reliability: replay after a restart)', () => {
    const now = run(stateOf(), [received(record('a', { seq: 1_000n })), received(head('a', 1_000n))]).state
    for (let seq = 0n; seq < 500n; seq++) {
      for (const item of [record('a', { seq }), head('a', seq), record('a', { seq: 1_000n }), head('a', 1_000n)]) {
        const again = step(now, received(item))
        expect(again.state).toBe(now)
        expect(again.effects).toEqual([])
      }
    }
  })

  test('of two items for one version the greater id stands, whichever came first, and both orders report it', () => {
    const [one, two] = [head('a', 1n, 'x'), head('a', 1n, 'y')]
    for (const order of [
      [one, two],
      [two, one],
    ]) {
      const { state, effects } = run(
        stateOf(),
        order.map((item) => received(item)),
      )
      expect(state.heads.get(one.value.author)?.id).toBe(one.id > two.id ? one.id : two.id)
      expect(kinds(effects)).toContain('report equivocation')
    }
  })

  test('of two claims for one index the smaller id stands, and what was counted for the other is counted anew', () => {
    const [one, two] = [claim('a', 0n, 0, { start: 0, count: 4 }), claim('a', 0n, 0, { start: 2, count: 4 })].sort((x, y) => (x.id < y.id ? -1 : 1))
    const other = claim('a', 0n, 1, { start: 8, count: 2 })
    const before = run(stateOf(), [received(record('a')), received(two!), counted(two!), received(other), counted(other)])
    expect(before.state.tallies.get(0n)?.chunksCovered).toBe(6)
    const after = run(before.state, [received(one!)])
    expect(kinds(after.effects)).toEqual(['persist', 'forget', 'report equivocation', 'author', 'fetch-leaves'])
    expect(after.state.tallies.get(0n)?.covered).toEqual([{ start: 8, count: 2 }])
    const end = run(after.state, [counted(one!)])
    expect(end.state.tallies.get(0n)?.covered).toEqual([one!.value.run, { start: 8, count: 2 }])
  })

  test('head and claims that come before their author is a member are kept, and asked for when its record comes', () => {
    const early = run(stateOf(), [received(head('a', 1n)), received(claim('a', 0n, 0, whole))])
    expect(kinds(early.effects)).toEqual(['persist', 'persist'])
    expect(kinds(run(early.state, [received(record('a'))]).effects)).toEqual(['persist', 'fetch-layer', 'fetch-leaves'])
  })

  test('leaves of a claim whose author is no member are not counted', () => {
    const early = claim('a', 0n, 0, whole)
    expect(run(stateOf(), [received(early), counted(early)]).state.counted.size).toBe(0)
  })
})

describe('layers', () => {
  const member = run(stateOf(), [received(record('a'))]).state

  test('a head asks for its layer; the layer that is ready changes the consensus', () => {
    const { state, effects } = run(member, [received(head('a', 1n)), { type: 'layer-ready', head: head('a', 1n) }])
    expect(kinds(effects)).toEqual(['persist', 'fetch-layer', 'fold'])
    expect(state.consensus).not.toBe(member.consensus)
    expect(effects.at(-1)).toEqual({ type: 'fold', consensus: state.consensus })
  })

  test('while the newest layer is on its way, the last one counts', () => {
    const { state } = run(member, [received(head('a', 1n)), { type: 'layer-ready', head: head('a', 1n) }, received(head('a', 2n))])
    expect(consensusHeads(state)).toEqual([head('a', 1n)])
  })

  test('a layer that comes after a newer one is ignored', () => {
    const newer = run(member, [received(head('a', 2n)), { type: 'layer-ready', head: head('a', 2n) }]).state
    expect(step(newer, { type: 'layer-ready', head: head('a', 1n) }).state).toBe(newer)
  })

  test('a layer that nobody announced is ignored', () => {
    expect(step(member, { type: 'layer-ready', head: head('a', 1n) }).state).toBe(member)
  })

  test('a refused newest layer takes its author out of the consensus until a better one comes', () => {
    const refused = run(member, [
      received(head('a', 1n)),
      { type: 'layer-ready', head: head('a', 1n) },
      received(head('a', 2n)),
      { type: 'layer-refused', head: head('a', 2n), reason: 'NaN' },
    ])
    expect(refused.state.consensus).toBe(member.consensus)
    expect(kinds(refused.effects.slice(-2))).toEqual(['report layer-refused', 'fold'])
    // A node that never saw the first layer, or sees it late, comes to the same.
    expect(step(refused.state, { type: 'layer-ready', head: head('a', 1n) }).state).toBe(refused.state)
    const better = run(refused.state, [received(head('a', 3n)), { type: 'layer-ready', head: head('a', 3n) }]).state
    expect(consensusHeads(better)).toEqual([head('a', 3n)])
    expect(better.refused.size).toBe(0)
  })

  test("a leaver's layer stays", () => {
    const left = run(member, [
      received(head('a', 1n)),
      { type: 'layer-ready', head: head('a', 1n) },
      received(record('a', { seq: 2n, left: true })),
    ]).state
    expect(consensusHeads(left)).toEqual([head('a', 1n)])
  })
})

describe('epochs', () => {
  const member = run(stateOf(), [received(record('self'), 'self'), received(record('a')), received(record('b'))]).state

  test('an epoch closes when its last chunk is counted; chunks that several claims cover count once', () => {
    const [one, two] = [claim('a', 0n, 0, { start: 0, count: 10 }), claim('b', 0n, 0, { start: 6, count: 10 })]
    const { state, effects } = run(member, [received(one), received(two), counted(two), counted(one)])
    const exact = claim('a', 0n, 9, whole).value.xor
    expect(state.epoch).toBe(1n)
    expect(state.closed).toEqual([{ epoch: 0n, xor: exact, how: 'computed' }])
    expect(effects.at(-1)).toEqual({ type: 'epoch-closed', closed: state.closed[0] })
    expect(Object.fromEntries(state.tallies.get(0n)!.byMember)).toEqual({ a: 6, b: 10 })
  })

  test('a claim of the next epoch waits for its time', () => {
    const [now, next] = [claim('a', 0n, 0, whole), claim('b', 1n, 0, whole)]
    const waiting = run(member, [received(next), counted(next)])
    expect(kinds(waiting.effects)).toEqual(['persist'])
    expect(waiting.state.counted.size).toBe(0)
    const { effects } = run(waiting.state, [received(now), counted(now)])
    expect(kinds(effects)).toEqual(['persist', 'fetch-leaves', 'epoch-closed', 'fetch-leaves'])
  })

  test('claims older than two closed epochs are forgotten', () => {
    const claims = [0n, 1n, 2n].map((epoch) => claim('a', epoch, 0, whole))
    const { state, effects } = run(
      member,
      claims.flatMap((item) => [received(item), counted(item)]),
    )
    expect(state.epoch).toBe(3n)
    expect([...state.claims.keys()]).toEqual(['1/a/0', '2/a/0'])
    expect([...state.counted]).toEqual(['1/a/0', '2/a/0'])
    expect([...state.tallies.keys()]).toEqual([1n, 2n, 3n])
    expect(effects).toContainEqual({ type: 'forget', item: claims[0] })
  })

  test('refused leaves are reported once, asked for no more, and counted never', () => {
    const bad = claim('a', 0n, 0, whole)
    const refusal = { type: 'leaves-refused', claim: bad, reason: 'wrong root' } as const
    const { state, effects } = run(member, [received(bad), refusal, refusal, counted(bad)])
    expect(kinds(effects)).toEqual(['persist', 'fetch-leaves', 'report claim-refused'])
    expect(state.epoch).toBe(0n)
    expect(kinds(step(state, { type: 'ticked', now: at(1) }).effects)).toEqual([])
  })

  test('values that are not one per chunk are ignored', () => {
    const short = claim('a', 0n, 0, whole)
    const before = run(member, [received(short)]).state
    expect(step(before, { type: 'leaves-ready', claim: short, values: new BigUint64Array(15) }).state).toBe(before)
  })

  test('a seal that names another XOR than was computed here is reported', () => {
    const all = claim('a', 0n, 0, whole)
    const early = run(member, [received(seal('b', 0n, 1n)), received(all), counted(all)])
    expect(kinds(early.effects)).toContain('report epoch-xor-differs')
    const late = run(member, [received(all), counted(all), received(seal('b', 0n, 1n)), received(seal('a', 0n, all.value.xor))])
    expect(kinds(late.effects).filter((kind) => kind.startsWith('report'))).toEqual(['report epoch-xor-differs'])
  })

  test('after a restart the own seal from disk says where to go on, whatever order the disk gives', () => {
    const items = [claim('a', 57n, 0, whole), claim('a', 54n, 0, whole), record('a'), seal('self', 56n, 99n)]
    for (const order of [items, [...items].reverse()]) {
      const { state } = run(
        stateOf(),
        order.map((item) => received(item, 'disk')),
      )
      expect(state.epoch).toBe(57n)
      expect(state.closed).toEqual([{ epoch: 56n, xor: 99n, how: 'computed' }])
      expect([...state.claims.keys()]).toEqual(['57/a/0'])
      expect(kinds(run(state, [counted(claim('a', 57n, 0, whole))]).effects)).toEqual(['epoch-closed'])
    }
  })
})

describe('a laggard (docs/protocol.md §7.6)', () => {
  const names = ['a', 'b', 'c']
  const member = run(stateOf(), [
    received(record('self')),
    ...names.map((name) => received(record(name))),
    ...names.map((name) => heard(beat(name, 1n), 0)),
  ]).state

  test('adopts the epoch that more than half of the others sealed, with the XOR most of them name', () => {
    const { state, effects } = run(member, [received(seal('a', 7n, 5n)), received(seal('b', 7n, 5n))])
    expect(state.epoch).toBe(8n)
    expect(state.closed).toEqual([{ epoch: 7n, xor: 5n, how: 'adopted' }])
    expect(kinds(effects)).toEqual(['persist', 'persist', 'report epoch-adopted', 'epoch-closed'])
  })

  test('one of three is no majority, nor are seals of members that are gone', () => {
    expect(run(member, [received(seal('a', 7n, 5n))]).state.epoch).toBe(0n)
    const late = run(member, [heard(beat('c', 2n), 60_000)]).state
    expect(run(late, [received(seal('a', 7n, 5n), 'peer', 60_000), received(seal('b', 7n, 5n), 'peer', 60_000)]).state.epoch).toBe(0n)
  })

  test('of unlike seals the majority has reached the smaller epoch', () => {
    expect(run(member, [received(seal('a', 9n, 5n)), received(seal('b', 7n, 6n))]).state.closed).toEqual([{ epoch: 7n, xor: 6n, how: 'adopted' }])
  })

  test('computes for itself as long as the claims it needs are kept', () => {
    expect(
      run(
        member,
        names.map((name) => received(seal(name, 1n, 5n))),
      ).state.epoch,
    ).toBe(0n)
    expect(
      run(
        member,
        names.map((name) => received(seal(name, 2n, 5n))),
      ).state.epoch,
    ).toBe(3n)
  })

  test('adopts also when the seals came first and the beats later', () => {
    const silent = run(stateOf(), [received(record('self')), received(record('a')), received(seal('a', 4n, 1n))]).state
    expect(silent.epoch).toBe(0n)
    expect(run(silent, [heard(beat('a', 1n), 10), { type: 'ticked', now: at(20) }]).state.epoch).toBe(5n)
  })
})

describe('beats and ticks', () => {
  test('a beat counts for members only, and an older one not at all', () => {
    const stranger = step(stateOf(), heard(beat('a', 1n), 5)).state
    expect(stranger.seen.size).toBe(0)
    const known = run(stateOf(), [received(record('a')), heard(beat('a', 2n), 5), heard(beat('a', 1n), 9), heard(beat('a', 2n), 9)]).state
    expect([...known.seen]).toEqual([['a', 5]])
  })

  test('missing content is asked for again, but not at every tick', () => {
    const wanting = run(stateOf(), [received(record('a')), received(head('a', 1n)), received(claim('a', 0n, 0, whole))]).state
    const first = step(wanting, { type: 'ticked', now: at(1_000) })
    expect(kinds(first.effects)).toEqual(['fetch-leaves', 'fetch-layer'])
    const soon = step(first.state, { type: 'ticked', now: at(1_000 + REFETCH_INTERVAL_MS - 1) })
    expect(soon.effects).toEqual([])
    expect(kinds(step(soon.state, { type: 'ticked', now: at(1_000 + REFETCH_INTERVAL_MS) }).effects)).toEqual(['fetch-leaves', 'fetch-layer'])
  })

  test('what nobody has cannot keep the rest from being asked for', () => {
    const names = Array.from({ length: 100 }, (_, i) => `m${String(i).padStart(3, '0')}`)
    let { state } = run(
      stateOf(),
      names.flatMap((name) => [received(record(name)), received(head(name, 1n))]),
    )
    const asked: string[] = []
    for (let turn = 1; turn <= 3; turn++) {
      const ticked = step(state, { type: 'ticked', now: at(turn * REFETCH_INTERVAL_MS) })
      state = ticked.state
      expect(ticked.effects).toHaveLength(REFETCH_LIMIT)
      asked.push(...ticked.effects.map((effect) => (effect.type === 'fetch-layer' ? effect.head.value.author : '')))
    }
    expect(new Set(asked)).toEqual(new Set(names))
  })
})
