import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChunkRun } from './items.ts'
import { LIVE_MS, MAX_CLAIM_CHUNKS, MAX_EPOCH_CHUNKS, RETIRE_MS } from './limits.ts'
import { rosterHash } from './digests.ts'
import { activeMembers, liveMembers, otherRosterViews } from './membership.ts'
import { at, beat, claim, counted, genesisOf, heard, ownClaim, received, record, run, stateOf } from './mesh.fixture.ts'
import type { MeshState } from './state.ts'
import { chunksOfEpoch, isEpochSize } from './grid.ts'
import { nextWork, ranges } from './work.ts'

/** A node's view: itself, and others with a beat now. */
function view(self: string, others: readonly string[], chunks = 24): MeshState {
  const names = [self, ...others]
  return run(stateOf(chunks, self), [...names.map((name) => received(record(name))), ...others.map((name) => heard(beat(name, 1n), 0))]).state
}

describe('members', () => {
  const state = run(view('self', ['a', 'b', 'c']), [received(record('c', { seq: 2n, left: true }))]).state

  test('are live for three beats after the newest; this node always; leavers never', () => {
    expect(liveMembers(state, at(LIVE_MS))).toEqual(['a', 'b', 'self'])
    expect(liveMembers(state, at(LIVE_MS + 1))).toEqual(['self'])
  })

  test('stay active for an hour, also those never seen since the start', () => {
    const restarted = run(stateOf(24), [received(record('self'), 'disk', 1_000), received(record('a'), 'disk', 1_000)]).state
    expect(activeMembers(restarted, at(1_000 + RETIRE_MS))).toEqual(['a', 'self'])
    expect(activeMembers(restarted, at(1_001 + RETIRE_MS))).toEqual(['self'])
    expect(liveMembers(restarted, at(1_000))).toEqual(['self'])
    expect(activeMembers(state, at(RETIRE_MS + 1))).toEqual(['self'])
  })

  test('a node without a record is no member yet, and has no work', () => {
    expect(liveMembers(stateOf(), at(0))).toEqual([])
    expect(nextWork(stateOf(), at(0), 4)).toBeUndefined()
  })
})

describe('work (docs/protocol.md §6.4)', () => {
  test('nodes with one view derive the same ranges, and together do every chunk once', () => {
    const names = ['a', 'b', 'c']
    const views = new Map(
      names.map((name) => [
        name,
        view(
          name,
          names.filter((other) => other !== name),
        ),
      ]),
    )
    const all = [...views.values()].map((state) => [...ranges(state, at(0))])
    expect(all[1]).toEqual(all[0])
    expect(all[2]).toEqual(all[0])
    const done = names
      .flatMap((name) => mineOwn(views.get(name)!, 5))
      .flatMap(({ start, count }) => Array.from({ length: count }, (_, i) => start + i))
    expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, i) => i))
  })

  test('is the first uncovered run of the own range, cut to the size asked for', () => {
    let state = view('self', [])
    expect(nextWork(state, at(0), 10)).toEqual({ epoch: 0n, start: 0, count: 10 })
    const other = claim('self', 0n, 0, { start: 4, count: 3 })
    state = run(state, [received(other), counted(other)]).state
    expect(nextWork(state, at(0), 10)).toEqual({ epoch: 0n, start: 0, count: 4 })
    expect(nextWork(state, at(0), 0)).toEqual({ epoch: 0n, start: 0, count: 1 })
    expect(nextWork(state, at(0), Number.NaN)).toEqual({ epoch: 0n, start: 0, count: 1 })
  })

  test('ends with the own range while the others are at work', () => {
    const state = view('self', ['a', 'b'])
    expect(nextWork(afterOwn(state), at(0), 24)).toBeUndefined()
  })

  test('goes on with what idle members leave open, split among those who are not', () => {
    const names = ['a', 'b']
    const paused = (self: string): MeshState => {
      const other = names.find((name) => name !== self)!
      return run(view(self, [other, 'lazy']), [heard(beat('lazy', 2n, { rateNow: 0n }), 0)]).state
    }
    const [a, b] = names.map((name) => paused(name))
    const open = ranges(a!, at(0)).get('lazy' as never)!
    const parts = [nextWork(afterOwn(a!), at(0), 99), nextWork(afterOwn(b!), at(0), 99)].sort((x, y) => x!.start - y!.start)
    expect(parts[0]!.start).toBe(open.start)
    expect(parts[0]!.start + parts[0]!.count).toBe(parts[1]!.start)
    expect(parts[1]!.start + parts[1]!.count).toBe(open.start + open.count)
  })

  test('a member whose beat stands in another epoch leaves its range to others too', () => {
    const state = run(view('self', ['a']), [heard(beat('a', 2n, { epoch: 5n }), 0)]).state
    const open = ranges(state, at(0)).get('a' as never)!
    expect(nextWork(afterOwn(state), at(0), 99)).toEqual({ epoch: 0n, ...open })
  })

  test('a range that a dead member leaves goes to the living', () => {
    const state = view('self', ['a'])
    expect(nextWork(afterOwn(state), at(LIVE_MS + 1), 99)).toEqual({ epoch: 0n, ...ranges(state, at(0)).get('a' as never) })
  })

  test('a member that dies in mid-epoch: the others close it among them once its lease has run out', () => {
    const names = ['a', 'b', 'c']
    const views = new Map(names.map((name) => [name, view(name, [...names.filter((other) => other !== name), 'dead'])]))
    const all = ranges(views.get('a')!, at(0))
    const taken = new Map<string, number>()
    for (const now of [0, LIVE_MS + 1]) {
      // The living beat on; everybody hears every claim.
      const beats = names.map((name) => heard(beat(name, BigInt(now + 2), { epoch: 0n }), now))
      for (const name of names) views.set(name, run(views.get(name)!, beats).state)
      for (let busy = true; busy;) {
        busy = false
        for (const name of names) {
          const work = nextWork(views.get(name)!, at(now), 3)
          if (work === undefined || work.epoch > 0n) continue
          busy = true
          const made = ownClaim(views.get(name)!, work)
          for (const other of names) views.set(other, run(views.get(other)!, [received(made), counted(made)]).state)
          if (now > 0) taken.set(name, (taken.get(name) ?? 0) + work.count)
        }
      }
      expect([...views.values()].map(({ epoch }) => epoch)).toEqual(now === 0 ? [0n, 0n, 0n] : [1n, 1n, 1n])
    }
    expect([...taken.values()].reduce((sum, count) => sum + count, 0)).toBe(all.get('dead' as never)!.count)
    expect(taken.size).toBeGreaterThan(1)
    expect(new Set([...views.values()].map(({ closed }) => closed[0]!.xor)).size).toBe(1)
  })

  test('members with other rosters are named, until the records are exchanged', () => {
    const one = view('self', ['a'])
    const other = run(view('a', ['self']), [received(record('z'))]).state
    const hear = (state: MeshState, from: MeshState, seq: bigint): MeshState =>
      run(state, [heard(beat(from.self, seq, { rosterHash: rosterHash(from) }), 1)]).state
    expect(otherRosterViews(hear(one, other, 2n), at(1))).toEqual(['a'])
    const healed = run(one, [received(record('z'))]).state
    expect(otherRosterViews(hear(healed, other, 3n), at(1))).toEqual([])
  })

  test('whatever size is asked for, a whole epoch fits into the claims that a member may make', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_EPOCH_CHUNKS }), fc.integer({ min: -1, max: 1e9 }), (chunks, wanted) => {
        const work = nextWork(view('self', [], chunks), at(0), wanted)!
        expect(work.count).toBeLessThanOrEqual(MAX_CLAIM_CHUNKS)
        expect(Math.ceil(chunks / work.count)).toBeLessThanOrEqual(Math.max(1_024, Math.ceil(chunks / MAX_CLAIM_CHUNKS)))
      }),
    )
  })

  test('ends when no claim index is left', () => {
    const last = claim('self', 0n, 2_047, { start: 0, count: 1 })
    const state = run(view('self', []), [received(last), counted(last)]).state
    expect(nextWork(state, at(0), 4)).toBeUndefined()
    expect(() => ownClaim(state, { start: 1, count: 1 })).toThrow(RangeError)
  })
})

test('an epoch has a whole number of chunks, 1 to 2^24', () => {
  expect(chunksOfEpoch(genesisOf(16))).toBe(16)
  expect([0n, 1n, 1n << 20n, (1n << 20n) + 1n, 3n << 20n, 1n << 44n, 1n << 45n].map(isEpochSize)).toEqual([
    false,
    false,
    true,
    false,
    true,
    true,
    false,
  ])
})

/** Runs of the own range, in claims of some size. */
function mineOwn(start: MeshState, size: number): ChunkRun[] {
  const runs: ChunkRun[] = []
  let state = start
  for (;;) {
    const work = nextWork(state, at(0), size)
    if (work === undefined) return runs
    runs.push(work)
    const made = ownClaim(state, work)
    state = run(state, [received(made, 'self'), counted(made)]).state
    if (state.epoch > 0n) return runs
  }
}

/** The same node when its own range is covered. */
function afterOwn(state: MeshState): MeshState {
  const made = ownClaim(state, ranges(state, at(0)).get(state.self)!)
  return run(state, [received(made, 'self'), counted(made)]).state
}
