import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Genesis } from '../genesis.ts'
import type { MeshState } from '../state.ts'
import type { PeerName } from '../ids.ts'
import { at, beat, claim, genesisOf, head, heard, MESH_ID, op, peer, received, record, signed, valuesOf } from '../mesh.fixture.ts'
import type { Vote } from '../items.ts'
import { consensusHeads } from '../digests.ts'
import { isMember } from '../member.ts'
import { liveMembers } from '../membership.ts'
import type { Signed } from '../state.ts'
import { initialState, step } from '../step.ts'
import { nextWork } from '../work.ts'
import { admittedOf, draftVote, judgeValues, majorityOf, PROBE_DEADLINE_MS, tallyOf } from './admission.ts'

const GENESIS: Genesis = { ...genesisOf(16), version: 2, admission: 'vote', founder: peer('f') }

function vote(author: string, candidate: string, basis: number, changes: Partial<Vote> = {}): Signed<'vote'> {
  const value = {
    author: peer(author),
    candidate: peer(candidate),
    seq: 0n,
    ok: true,
    basis,
    rate: 1n,
    nonce: '00'.repeat(32),
    reason: '',
    ...changes,
  }
  return signed<'vote'>({ kind: 'vote', value })
}

const names = (set: ReadonlySet<PeerName> | undefined): string[] => [...(set ?? [])].toSorted()
const admitted = (...votes: Signed<'vote'>[]): string[] => names(admittedOf(GENESIS, votes))

describe('who is admitted', () => {
  test('in a mesh that does not vote, nobody has to be', () => {
    expect(admittedOf(genesisOf(16), [vote('f', 'a', 1)])).toBeUndefined()
  })

  test('the founder; whom it admits alone; then more than half of those who are in', () => {
    expect(admitted()).toEqual(['f'])
    const two = [vote('f', 'a', 1)]
    expect(admitted(...two)).toEqual(['a', 'f'])
    expect(admitted(...two, vote('f', 'b', 2))).toEqual(['a', 'f'])
    const three = [...two, vote('f', 'b', 2), vote('a', 'b', 2)]
    expect(admitted(...three)).toEqual(['a', 'b', 'f'])
    expect(admitted(...three, vote('b', 'c', 3))).toEqual(['a', 'b', 'f'])
    expect(admitted(...three, vote('b', 'c', 3), vote('a', 'c', 3))).toEqual(['a', 'b', 'c', 'f'])
  })

  test('floor(n / 2) + 1', () => {
    expect([1, 2, 3, 4, 5, 16].map(majorityOf)).toEqual([1, 2, 2, 3, 3, 9])
  })

  test('a no, a vote on oneself, and votes of those who are not in count for nothing', () => {
    expect(admitted(vote('f', 'a', 1, { ok: false }))).toEqual(['f'])
    expect(admitted(vote('a', 'a', 1), vote('a', 'b', 1), vote('b', 'a', 1))).toEqual(['f'])
  })

  test('who claims to have known fewer members than there were when it came votes in vain', () => {
    const three = [vote('f', 'a', 1), vote('f', 'b', 2), vote('a', 'b', 2)]
    expect(admitted(...three, vote('b', 'sybil', 1))).toEqual(['a', 'b', 'f'])
    expect(admitted(...three, vote('a', 'sybil', 1))).toEqual(['a', 'b', 'f'])
  })

  const VOTES = ['f', 'a', 'b', 'c', 'd'].flatMap((author) =>
    ['a', 'b', 'c', 'd', 'e'].filter((candidate) => candidate !== author).map((candidate) => ({ author, candidate })),
  )
  const ballots = fc.array(
    fc
      .tuple(fc.constantFrom(...VOTES), fc.integer({ min: 1, max: 5 }), fc.boolean())
      .map(([{ author, candidate }, basis, ok]) => vote(author, candidate, basis, { ok })),
    { maxLength: 20 },
  )

  test('does not depend on the order of votes, and more votes never admit fewer', () => {
    fc.assert(
      fc.property(ballots, ballots, fc.nat(), (some, more, turn) => {
        const all = [...some, ...more]
        const at = turn % (all.length + 1)
        expect(admitted(...all.slice(at), ...all.slice(0, at))).toEqual(admitted(...all))
        expect(admitted(...all)).toEqual(expect.arrayContaining(admitted(...some)))
      }),
    )
  })
})

const feed = (state: MeshState, ...inputs: Parameters<typeof step>[1][]): MeshState =>
  inputs.reduce((before, input) => step(before, input).state, state)
const roster = (...authors: string[]): Parameters<typeof step>[1][] => authors.map((author) => received(record(author)))

describe('a candidate in the state', () => {
  const mesh = feed(initialState(GENESIS, MESH_ID, peer('f')), ...roster('f', 'a', 'c'), received(vote('f', 'a', 1)))

  test('is kept and counts for nothing: no range, no life, no claim, no head, no order', () => {
    const run = { start: 0, count: 4 }
    const chunk = claim('c', 0n, 0, run)
    const heads = head('c', 1n)
    const busy = feed(
      mesh,
      heard(beat('c', 1n), 10),
      received(chunk),
      received(heads),
      { type: 'layer-ready', head: heads },
      received(op('c', 'a', 'revoke')),
      {
        type: 'leaves-ready',
        claim: chunk,
        values: valuesOf(0n, run),
      },
    )
    expect(isMember(busy, peer('c'))).toBe(false)
    expect(liveMembers(busy, at(20))).toEqual(['f'])
    expect(busy.claims.size).toBe(1)
    expect(busy.tallies.get(0n)?.chunksCovered ?? 0).toBe(0)
    expect(consensusHeads(busy)).toEqual([])
    expect(busy.exclusions.size).toBe(0)
    const voted = step(feed(busy, received(vote('f', 'c', 2))), received(vote('a', 'c', 2)))
    expect(isMember(voted.state, peer('c'))).toBe(true)
    expect(consensusHeads(voted.state).map(({ value }) => value.author)).toEqual(['c'])
    expect(voted.state.exclusions.has(peer('a'))).toBe(true)
    const wanted = voted.effects.filter(({ type }) => type === 'fetch-leaves')
    expect(wanted).not.toHaveLength(0)
    const counted = feed(voted.state, { type: 'leaves-ready', claim: chunk, values: valuesOf(0n, run) })
    expect(counted.tallies.get(0n)?.chunksCovered).toBe(4)
  })

  test('that is this node does no work until it is in', () => {
    const self = feed(initialState(GENESIS, MESH_ID, peer('c')), ...roster('f', 'c'))
    expect(nextWork(self, at(0), 4)).toBeUndefined()
    expect(nextWork(feed(self, received(vote('f', 'c', 1))), at(0), 4)).toBeDefined()
  })

  test('has so many votes of so many needed', () => {
    expect(tallyOf(feed(mesh, received(vote('f', 'c', 2))), peer('c'))).toEqual({ yes: 1, needed: 2 })
  })

  test('a yes is never taken back: of two the one that admits no fewer stands, and no no', () => {
    const votes = [vote('f', 'c', 2), vote('f', 'c', 3), vote('f', 'c', 2, { ok: false, seq: 9n })]
    for (const order of [votes, votes.toReversed()]) {
      const state = feed(mesh, ...order.map((one) => received(one)))
      expect([...state.votes.values()].find(({ value }) => value.candidate === 'c')?.value).toMatchObject({ ok: true, basis: 2 })
    }
    const no = feed(
      mesh,
      received(vote('f', 'c', 2, { ok: false, seq: 1n, reason: 'b' })),
      received(vote('f', 'c', 2, { ok: false, seq: 0n, reason: 'a' })),
    )
    expect([...no.votes.values()].find(({ value }) => value.candidate === 'c')?.value.reason).toBe('b')
  })

  test('a vote says how many members its author knows, and follows its author’s last', () => {
    expect(draftVote(mesh, peer('c'), { ok: true, rate: 5n }, 'ab'.repeat(32))).toEqual({
      author: 'f',
      candidate: 'c',
      seq: 0n,
      ok: true,
      basis: 2,
      rate: 5n,
      nonce: 'ab'.repeat(32),
      reason: '',
    })
    const again = feed(mesh, received(vote('f', 'c', 2, { ok: false, seq: 4n })))
    expect(draftVote(again, peer('c'), { ok: false, why: 'slow' }, 'cd'.repeat(32))).toMatchObject({ seq: 5n, ok: false, rate: 0n, reason: 'slow' })
  })
})

describe('what an answer is worth', () => {
  const right = BigUint64Array.of(1n, 2n, 3n)

  test('right and in time: its rate', () => {
    expect(judgeValues(right.slice(), right, 500, 3n << 20n)).toEqual({ ok: true, rate: (3n << 20n) * 2n })
    expect(judgeValues(right.slice(), right, PROBE_DEADLINE_MS, 3n << 20n).ok).toBe(true)
  })

  test('one wrong value, too few, or too late: the reason', () => {
    expect(judgeValues(BigUint64Array.of(1n, 2n, 4n), right, 5, 1n)).toEqual({ ok: false, why: 'a wrong value for chunk 2 of 3' })
    expect(judgeValues(BigUint64Array.of(1n), right, 5, 1n)).toEqual({ ok: false, why: '1 values for 3 chunks' })
    expect(judgeValues(right, right, PROBE_DEADLINE_MS + 1, 1n)).toEqual({ ok: false, why: 'too slow: 5001 ms, 5000 are allowed' })
  })
})
