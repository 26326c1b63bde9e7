import { describe, expect, test } from 'vitest'
import { STALL_MS } from './limits.ts'
import { at, beat, claim, counted, heard, kinds, received, record, run, stateOf } from './mesh.fixture.ts'
import type { MeshState } from './state.ts'
import { nextWork, ranges } from './work.ts'

const CHUNKS = 32
const PEERS = ['a', 'b', 'c']

/** Everybody's range is covered but that of `c`, which says that it mines. */
function waiting(): MeshState {
  const start = run(stateOf(CHUNKS), [...['self', ...PEERS].map((name) => received(record(name))), ...beats(1)]).state
  const claims = [...ranges(start, at(1))].filter(([peer]) => peer !== 'c').map(([peer, range]) => claim(peer, 0n, 0, range))
  return run(
    start,
    claims.flatMap((item) => [received(item), counted(item)]),
  ).state
}

function beats(now: number): readonly ReturnType<typeof heard>[] {
  return PEERS.map((name) => heard(beat(name, BigInt(now)), now))
}

describe('an epoch that a member holds up (docs/protocol.md §6.4)', () => {
  test('rests with that member until the epoch has stalled, then everybody takes part', () => {
    const first = run(waiting(), [{ type: 'ticked', now: at(2) }])
    expect(nextWork(first.state, at(2), 64)).toBeUndefined()
    const late = STALL_MS + 3
    const stalled = run(first.state, [...beats(late), { type: 'ticked', now: at(late) }])
    expect(kinds(stalled.effects)).toContain('report epoch-stalled')
    const gap = ranges(stalled.state, at(late)).get('c' as never)!
    const work = nextWork(stalled.state, at(late), 64)!
    expect(work.count).toBeGreaterThan(0)
    expect(work.start).toBeGreaterThanOrEqual(gap.start)
    expect(work.start + work.count).toBeLessThanOrEqual(gap.start + gap.count)
  })

  test('what gains chunks does not stall, and the next epoch begins without', () => {
    const before = run(waiting(), [{ type: 'ticked', now: at(2) }]).state
    const gap = ranges(before, at(2)).get('c' as never)!
    const one = claim('c', 0n, 0, { start: gap.start, count: 1 })
    const gained = run(before, [received(one), counted(one), { type: 'ticked', now: at(STALL_MS) }])
    const later = run(gained.state, [{ type: 'ticked', now: at(STALL_MS + 5_000) }])
    expect(kinds(later.effects)).not.toContain('report epoch-stalled')
    const stalled = run(later.state, [...beats(3 * STALL_MS), { type: 'ticked', now: at(3 * STALL_MS) }]).state
    expect(stalled.progress.hasStalled).toBe(true)
    const rest = claim('c', 0n, 1, { start: gap.start + 1, count: gap.count - 1 })
    const next = run(stalled, [received(rest), counted(rest), { type: 'ticked', now: at(3 * STALL_MS + 1) }]).state
    expect(next.epoch).toBe(1n)
    expect(next.progress.hasStalled).toBe(false)
  })

  test('does not stall while nobody says that it mines: a mesh at rest is no trouble', () => {
    const resting = (now: number): readonly ReturnType<typeof heard>[] => PEERS.map((name) => heard({ ...beat(name, BigInt(now)), rateNow: 0n }, now))
    const before = run(waiting(), [...resting(2), { type: 'ticked', now: at(2) }]).state
    const late = 4 * STALL_MS
    const rested = run(before, [...resting(late), { type: 'ticked', now: at(late) }])
    expect(kinds(rested.effects)).not.toContain('report epoch-stalled')
    expect(rested.state.progress.hasStalled).toBe(false)
    // work that begins later has its own time
    const begun = run(rested.state, [...beats(late + 1), { type: 'ticked', now: at(late + STALL_MS - 1) }])
    expect(begun.state.progress.hasStalled).toBe(false)
  })

  test('fewer chunks than helpers: none of them rests with one member', () => {
    const before = run(waiting(), [{ type: 'ticked', now: at(2) }]).state
    const gap = ranges(before, at(2)).get('c' as never)!
    const most = claim('c', 0n, 0, { start: gap.start, count: gap.count - 1 })
    const one = run(before, [received(most), counted(most), { type: 'ticked', now: at(3) }]).state
    const late = STALL_MS + 4
    const stalled = run(one, [...beats(late), { type: 'ticked', now: at(late) }]).state
    for (const peer of ['self', 'a', 'b']) {
      expect(nextWork({ ...stalled, self: peer as never }, at(late), 64)).toEqual({ epoch: 0n, start: gap.start + gap.count - 1, count: 1 })
    }
  })
})
