import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SignedRival } from '../items.ts'
import { FIRST_EXCLUSION_EPOCHS, NEXT_EXCLUSION_EPOCHS } from '../limits.ts'
import {
  at,
  beat,
  checked,
  claim,
  counted,
  equivocation,
  forgedClaim,
  head,
  heard,
  kinds,
  op,
  peer,
  proof,
  received,
  record,
  run,
  seal,
  signed,
  stateOf,
  valuesOf,
} from '../mesh.fixture.ts'
import { consensusHeads } from '../digests.ts'
import { activeMembers, liveMembers } from '../membership.ts'
import { xorOf } from '../claims.ts'
import type { Input, MeshState } from '../state.ts'
import { step } from '../step.ts'
import { nextWork, ranges } from '../work.ts'
import { exclusionAt, isExcluded } from './exclusion.ts'
import { draftOp } from './operations.ts'
import { isProofWanted, proofFault } from './proof.ts'

const CHUNKS = 8
const whole = { start: 0, count: CHUNKS }
const left = { start: 0, count: 4 }
const right = { start: 4, count: 4 }
const exact = (epoch: bigint): bigint => xorOf(valuesOf(epoch, whole))

const members = run(
  stateOf(CHUNKS),
  ['self', 'a', 'b', 'c'].map((name) => received(record(name))),
).state
const forged = forgedClaim('c', 0n, 0, right, 6)
const countForged: Input = { type: 'leaves-ready', claim: forged.item, values: forged.values }
const accusation = proof('a', forged.item, forged.values, 6)

/** Epochs for which a member is out, by cause. */
function windows(state: MeshState, name: string): readonly unknown[] {
  return (state.exclusions.get(peer(name))?.windows ?? []).map(({ cause, from, until }) => [cause, from, until])
}

describe('a fraud proof (docs/protocol.md §7.9)', () => {
  test('is kept, and one chunk is to be recomputed; nobody is out before that', () => {
    const { state, effects } = run(members, [received(accusation)])
    expect(kinds(effects)).toEqual(['persist', 'check-proof'])
    expect(state.exclusions.size).toBe(0)
    expect(kinds(step(state, { type: 'ticked', now: at(60_000) }).effects)).toEqual(['check-proof'])
  })

  test('that recomputing upholds excludes the claimant for the epoch and eight more', () => {
    const { state, effects } = run(members, [received(accusation), checked(accusation)])
    expect(windows(state, 'c')).toEqual([['forged', 0n, BigInt(FIRST_EXCLUSION_EPOCHS)]])
    expect(windows(state, 'a')).toEqual([])
    expect(kinds(effects)).toEqual(['persist', 'check-proof', 'report excluded'])
    expect([0n, 8n].map((epoch) => isExcluded(state, peer('c'), epoch))).toEqual([true, true])
    expect(isExcluded(state, peer('c'), 9n)).toBe(false)
  })

  test('that recomputing refutes excludes the accuser instead', () => {
    const honest = claim('b', 3n, 0, left)
    const lie = proof('c', honest, valuesOf(3n, left), 2)
    const { state } = run(members, [received(lie), checked(lie)])
    expect(windows(state, 'c')).toEqual([['false-accusation', 3n, 11n]])
    expect(windows(state, 'b')).toEqual([])
  })

  test('whose path leads elsewhere, or whose chunk is not in the claim, is ignored without a trace', () => {
    const other = { ...accusation.value, value: accusation.value.value ^ 1n }
    for (const value of [other, { ...accusation.value, chunk: 3 }, { ...accusation.value, chunk: 5 }, { ...accusation.value, path: [] }]) {
      const bad = signed<'proof'>({ kind: 'proof', value })
      expect(proofFault(members, value)).toBeTypeOf('string')
      expect(step(members, received(bad)).effects).toEqual([])
    }
  })

  test('counts once: later verdicts, unknown proofs and repeated ones change nothing', () => {
    const { state } = run(members, [received(accusation), checked(accusation)])
    expect(step(state, checked(accusation)).state).toBe(state)
    expect(step(state, { type: 'proof-checked', proof: accusation, computed: accusation.value.value }).state).toBe(state)
    expect(step(state, received(accusation)).effects).toEqual([])
    expect(step(members, checked(accusation)).state).toBe(members)
  })

  test('cannot be withdrawn by a false one of the same accuser, and three accusers are enough', () => {
    const later = proof('a', forged.item, forged.values, 5)
    const { state } = run(
      members,
      [accusation, later].flatMap((item) => [received(item), checked(item)]),
    )
    expect(windows(state, 'c')).toEqual([['forged', 0n, 8n]])
    expect(windows(state, 'a')).toEqual([['false-accusation', 0n, 8n]])
    expect(isProofWanted(state, forged.item)).toBe(true)
    const more = ['b', 'd'].map((name) => proof(name, forged.item, forged.values, 6)).map((item) => received(item))
    expect(isProofWanted(run(state, more).state, forged.item)).toBe(false)
    expect(isProofWanted(run(state, [received(proof('self', forged.item, forged.values, 6))]).state, forged.item)).toBe(false)
  })
})

describe('windows (docs/protocol.md §7.10)', () => {
  const offend = (...epochs: readonly bigint[]): MeshState => {
    const inputs = epochs.flatMap((epoch) => {
      const { item, values } = forgedClaim('c', epoch, 0, left)
      const shown = proof('a', item, values)
      return [received(shown), checked(shown)]
    })
    return run(members, inputs).state
  }

  test('an offence inside an open window adds nothing, the next one costs 64 epochs', () => {
    expect(windows(offend(5n, 9n, 13n), 'c')).toEqual([['forged', 5n, 13n]])
    expect(windows(offend(14n, 5n), 'c')).toEqual([
      ['forged', 5n, 13n],
      ['forged', 14n, 14n + BigInt(NEXT_EXCLUSION_EPOCHS)],
    ])
  })

  test('any order of any offences gives the same windows, and every offence lies in one', () => {
    const epochs = fc.uniqueArray(fc.bigInt({ min: 0n, max: 200n }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(epochs, fc.infiniteStream(fc.nat()), (list, picks) => {
        const shuffled = [...list].map((epoch) => ({ epoch, place: picks.next().value as number })).sort((a, b) => a.place - b.place)
        const state = offend(...list)
        expect(windows(offend(...shuffled.map(({ epoch }) => epoch)), 'c')).toEqual(windows(state, 'c'))
        for (const epoch of list) expect(exclusionAt(state.exclusions, peer('c'), epoch)).toBeDefined()
      }),
      { numRuns: 60 },
    )
  })
})

describe('what an exclusion does', () => {
  const good = claim('a', 0n, 0, left)
  const base = run(members, [received(good), counted(good), received(forged.item)]).state

  test('claims of the open epoch are void: their chunks are open again, and never counted', () => {
    const before = run(base, [received(accusation), checked(accusation)])
    expect(kinds(run(before.state, [countForged]).effects)).toEqual([])
    expect(before.state.tallies.get(0n)?.covered).toEqual([left])
    const late = forgedClaim('c', 0n, 1, { start: 4, count: 2 })
    const open = run(base, [received(late.item), { type: 'leaves-ready', claim: late.item, values: late.values }]).state
    expect(open.tallies.get(0n)?.chunksCovered).toBe(6)
    expect(run(open, [received(accusation), checked(accusation)]).state.tallies.get(0n)).toEqual(open.tallies.get(0n) && { ...base.tallies.get(0n) })
  })

  test('a closed epoch is opened for repair, its gap is handed out first, and it closes again with the right XOR and a new seal', () => {
    const closed = run(base, [countForged, received(seal('self', 0n, 1n), 'self')])
    expect(closed.state.closed[0]?.xor).not.toBe(exact(0n))
    const opened = run(closed.state, [received(accusation), checked(accusation), heard(beat('a', 1n, { epoch: 1n }), 0)])
    expect(kinds(opened.effects)).toEqual(['persist', 'check-proof', 'report excluded', 'report epoch-reopened'])
    expect([...opened.state.repairing]).toEqual([0n])
    const mine = nextWork(opened.state, at(0), 8)!
    expect(mine.epoch).toBe(0n)
    expect(mine.start).toBeGreaterThanOrEqual(4)
    // Whoever has gone on too far to count a repair has no part in it.
    const alone = run(opened.state, [heard(beat('a', 2n, { epoch: 3n }), 0)]).state
    expect(nextWork(alone, at(0), 8)).toEqual({ epoch: 0n, ...right })
    // What the epoch before waits for, the next one waits for too.
    const next = claim('b', 1n, 0, whole)
    const waiting = run(opened.state, [received(next), counted(next)])
    expect(waiting.state.epoch).toBe(1n)
    const repair = claim('b', 0n, 0, right)
    const { state, effects } = run(waiting.state, [received(repair), counted(repair)])
    expect(kinds(effects)).toEqual(['persist', 'fetch-leaves', 'report epoch-repaired', 'epoch-closed', 'report epoch-xor-differs', 'epoch-closed'])
    expect(state.closed).toEqual([
      { epoch: 1n, xor: exact(1n), how: 'computed' },
      { epoch: 0n, xor: exact(0n), how: 'computed' },
    ])
    expect(state.repairing.size).toBe(0)
  })

  test('an honest claim that a forged one had made needless is asked for and counted', () => {
    const spare = claim('b', 0n, 0, right)
    const closed = run(base, [countForged, received(spare)]).state
    const { state, effects } = run(closed, [received(accusation), checked(accusation), counted(spare)])
    expect(kinds(effects)).toContain('fetch-leaves')
    expect(state.closed[0]?.xor).toBe(exact(0n))
    expect(effects.filter(({ type }) => type === 'epoch-closed')).toEqual([{ type: 'epoch-closed', closed: state.closed[0] }])
  })

  test('no range, no shard, no work and no layer while a window is open; all of it comes back', () => {
    const layer = head('c', 1n)
    const live = run(members, [heard(beat('c', 1n), 0), received(layer), { type: 'layer-ready', head: layer }]).state
    expect(consensusHeads(live)).toEqual([layer])
    const { state, effects } = run(live, [received(accusation), checked(accusation)])
    expect(kinds(effects).at(-1)).toBe('fold')
    expect(consensusHeads(state)).toEqual([])
    for (const who of [liveMembers(state, at(0)), activeMembers(state, at(0)), [...ranges(state, at(0)).keys()]]) expect(who).not.toContain('c')
    expect(nextWork({ ...state, self: peer('c') }, at(0), 4)).toBeUndefined()
    const newer = head('c', 2n)
    expect(kinds(step(state, received(newer)).effects)).toEqual(['persist', 'forget'])
    const later = run(state, [received(seal('self', 8n, 0n), 'disk')])
    expect(later.state.epoch).toBe(9n)
    expect(consensusHeads(later.state)).toEqual([layer])
    expect(kinds(later.effects)).toContain('fold')
  })

  test('its seals count for no adoption', () => {
    const seen = run(members, [heard(beat('c', 1n), 0), received(accusation), checked(accusation), received(seal('c', 7n, 5n))]).state
    expect(seen.epoch).toBe(0n)
  })
})

describe('equivocation and operations', () => {
  const rivals = [claim('c', 0n, 0, left), claim('c', 0n, 0, right)] as const
  const evidence = equivocation('self', ...rivals)

  test('two claims for one index become evidence, two of one seal do not', () => {
    const { effects } = run(
      members,
      rivals.map((item) => received(item)),
    )
    const authored = effects.filter((effect) => effect.type === 'author')
    expect(authored).toEqual([{ type: 'author', item: { kind: 'equivocation', value: evidence.value } }])
    expect(
      kinds(
        run(
          members,
          [seal('c', 0n, 1n), seal('c', 0n, 2n, { revision: 1 })].map((item) => received(item)),
        ).effects,
      ),
    ).not.toContain('author')
  })

  test('excludes from its epoch on, until a readmission forgives it; a later one is not forgiven', () => {
    const out = run(members, [received(evidence)]).state
    expect(windows(out, 'c')).toEqual([['equivocation', 0n, undefined]])
    const back = run({ ...out, self: peer('a') }, [
      received(signed<'op'>({ kind: 'op', value: draftOp({ ...out, self: peer('a') }, peer('c'), 'readmit', 'ok') })),
    ]).state
    expect(windows(back, 'c')).toEqual([])
    const again = equivocation('b', claim('c', 1n, 0, left), claim('c', 1n, 0, right))
    expect(windows(run(back, [received(again)]).state, 'c')).toEqual([['equivocation', 1n, undefined]])
  })

  test('two heads or records of one seq are evidence too', () => {
    const pairs: readonly (readonly [SignedRival, SignedRival])[] = [
      [head('c', 3n, 'x'), head('c', 3n, 'y')],
      [record('c', { cores: 3 }), record('c', { cores: 4 })],
    ]
    for (const pair of pairs) {
      const found = equivocation('a', ...pair)
      const out = run(members, [received(found)]).state
      expect(windows(out, 'c')).toEqual([['equivocation', 0n, undefined]])
      const forgiven = op('a', 'c', 'readmit', { headSeq: 3n, recordSeq: 1n })
      expect(windows(run(out, [received(forgiven)]).state, 'c')).toEqual([])
    }
  })

  test('500 stale heads and 100 equivocations: no layer of theirs in the fold, 100 pieces of evidence', () => {
    const names = Array.from({ length: 100 }, (_, i) => `m${i}`)
    const honest = run(
      members,
      names.flatMap((name) => [received(record(name)), received(head(name, 9n)), { type: 'layer-ready', head: head(name, 9n) } as const]),
    )
    const stale = run(
      honest.state,
      names.flatMap((name) => [1n, 2n, 3n, 4n, 5n].map((seq) => received(head(name, seq)))),
    )
    expect(stale).toEqual({ state: honest.state, effects: [] })
    const twice = run(
      honest.state,
      names.map((name) => received(head(name, 9n, `other ${name}`))),
    )
    const evidence = twice.effects.flatMap((effect) => (effect.type === 'author' ? [signed(effect.item as never)] : []))
    const { state } = run(
      twice.state,
      evidence.map((item) => received(item, 'self')),
    )
    expect(state.equivocations.size).toBe(100)
    expect(consensusHeads(state)).toEqual([])
  })

  test('items that do not conflict are no evidence', () => {
    for (const pair of [
      [rivals[0], rivals[0]] as const,
      [rivals[0], claim('c', 0n, 1, left)] as const,
      [rivals[0], claim('b', 0n, 0, left)] as const,
    ]) {
      expect(step(members, received(equivocation('a', ...pair))).effects).toEqual([])
    }
  })

  test('the newest operation over a member counts; its own, those of strangers and of offenders do not', () => {
    const revoke = op('a', 'c', 'revoke', { seq: 1n })
    const out = run(members, [received(revoke)]).state
    expect(windows(out, 'c')).toEqual([['revoked', 0n, undefined]])
    for (const [ops, isOut] of [
      [[op('b', 'c', 'readmit', { seq: 2n })], false],
      [[op('b', 'c', 'readmit', { seq: 0n })], true],
      [[op('c', 'c', 'readmit', { seq: 9n })], true],
      [[op('stranger', 'c', 'readmit', { seq: 9n })], true],
      [[op('b', 'c', 'readmit', { seq: 2n }), op('a', 'c', 'revoke', { seq: 3n })], true],
    ] as const) {
      expect(
        isExcluded(
          run(
            out,
            ops.map((item) => received(item)),
          ).state,
          peer('c'),
        ),
      ).toBe(isOut)
    }
    const offender = run(members, [received(accusation), checked(accusation), received(op('c', 'a', 'revoke'))]).state
    expect(isExcluded(offender, peer('a'))).toBe(false)
  })

  test('an operation that came before its author counts when the record comes', () => {
    const early = run(members, [received(op('z', 'c', 'revoke'))]).state
    expect(isExcluded(early, peer('c'))).toBe(false)
    expect(isExcluded(run(early, [received(record('z'))]).state, peer('c'))).toBe(true)
  })
})
