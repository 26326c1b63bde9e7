import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PeerName } from '../ids.ts'
import { PROBATION_EPOCHS, PROBATION_SAMPLES, TRUSTED_SAMPLES, VERIFIERS } from '../limits.ts'
import { at, beat, claim, counted, forgedClaim, heard, peer, received, record, run, seal, stateOf } from '../mesh.fixture.ts'
import type { Input, MeshState } from '../state.ts'
import { step } from '../step.ts'
import { commitTo, draftSeal, beaconOf, nonceOf } from './beacon.ts'
import { auditPlan, detection, isInProbation, samplesFor, verifiersOf } from './sampling.ts'

const SEED = new Uint8Array(32).fill(9)
const names = (count: number): readonly PeerName[] => Array.from({ length: count }, (_, i) => peer(`m${String(i).padStart(3, '0')}`))

/** A node's view of a mesh of live members. */
function view(self: string, others: readonly string[], chunks: number): MeshState {
  return run(stateOf(chunks, self), [...[self, ...others].map((name) => received(record(name))), ...others.map((name) => heard(beat(name, 1n), 0))])
    .state
}

/** The plan carried out: every chunk is found right. */
function audited(state: MeshState): { readonly state: MeshState; readonly chunks: number } {
  let chunks = 0
  const inputs = auditPlan(state, state.self, at(0), SEED).map((task): Input => {
    chunks += task.chunks.length
    return { type: 'claim-audited', ...task, ok: true }
  })
  return { state: run(state, inputs).state, chunks }
}

describe('verifiers (docs/protocol.md §7.8)', () => {
  test('are at most 16, never the claimant, the same for any order of members, and each member has equally many claimants', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(), (count, salt) => {
        const members = names(count)
        const beacon = nonceOf('00' as never, BigInt(salt), SEED)
        const duties = new Map<PeerName, number>()
        for (const claimant of members) {
          const verifiers = verifiersOf(beacon, 3n, claimant, members)
          expect(verifiersOf(beacon, 3n, claimant, members.toReversed())).toEqual(verifiers)
          expect(verifiers).not.toContain(claimant)
          expect(new Set(verifiers).size).toBe(Math.min(VERIFIERS, count - 1))
          for (const verifier of verifiers) duties.set(verifier, (duties.get(verifier) ?? 0) + 1)
        }
        for (const member of members) expect(duties.get(member) ?? 0).toBe(Math.min(VERIFIERS, count - 1))
      }),
      { numRuns: 30 },
    )
  })

  test('change with the epoch and with the beacon; one member more or less moves one place', () => {
    const members = names(60)
    const of = (beacon: string, epoch: bigint, list = members): readonly PeerName[] => verifiersOf(beacon, epoch, peer('m000'), list)
    expect(of('aa', 1n)).not.toEqual(of('aa', 2n))
    expect(of('aa', 1n)).not.toEqual(of('bb', 1n))
    const [gone, ...rest] = of('aa', 1n)
    expect(
      of(
        'aa',
        1n,
        members.filter((member) => member !== gone),
      ).slice(0, 15),
    ).toEqual(rest)
  })
})

describe('audit plan', () => {
  test('over all verifiers the samples of a claimant are those of its standing', () => {
    for (const others of [1, 3, 7, 20]) {
      const claimant = 'z'
      const claims = [claim(claimant, 0n, 0, { start: 0, count: 700 }), claim(claimant, 0n, 1, { start: 700, count: 300 })]
      const verifiers = names(others)
      let total = 0
      for (const self of verifiers) {
        const state = run(
          view(self, [claimant, ...verifiers.filter((name) => name !== self)], 1_000),
          claims.flatMap((item) => [received(item), counted(item)]),
        ).state
        expect(state.epoch).toBe(1n)
        total += audited(state).chunks
      }
      expect(total).toBeGreaterThanOrEqual(PROBATION_SAMPLES)
      expect(total).toBeLessThan(PROBATION_SAMPLES + VERIFIERS)
    }
  })

  test('chunks lie in their claims, each once, no more than there are; what was audited is not planned again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }), fc.boolean(), (sizes, isClosed) => {
        const total = sizes.reduce((sum, size) => sum + size, 0)
        const before = view('self', ['z'], isClosed ? total : total + 50)
        let start = 0
        const inputs = sizes.flatMap((count, index) => {
          const item = claim('z', 0n, index, { start, count })
          start += count
          return [received(item), counted(item)]
        })
        const { state } = run(before, inputs)
        for (const { claim: item, chunks } of auditPlan(state, state.self, at(0), SEED)) {
          expect(new Set(chunks).size).toBe(chunks.length)
          for (const chunk of chunks) expect(chunk >= item.value.run.start && chunk < item.value.run.start + item.value.run.count).toBe(true)
        }
        const once = audited(state)
        if (isClosed) expect(once.chunks).toBe(Math.min(total, PROBATION_SAMPLES))
        expect(once.chunks).toBeLessThanOrEqual(total)
        expect(audited(once.state).chunks).toBe(0)
      }),
      { numRuns: 40 },
    )
  })

  test('private samples differ with the seed, public ones do not and come only with the next beacon', () => {
    const state = view('self', ['z'], 4_000)
    const open = claim('z', 0n, 0, { start: 0, count: 3_000 })
    const early = run(state, [received(open), counted(open)]).state
    const plan = (of: MeshState, fill: number): readonly number[] =>
      auditPlan(of, of.self, at(0), new Uint8Array(32).fill(fill)).flatMap(({ chunks }) => chunks)
    const shared = (a: readonly number[], b: readonly number[]): number => a.filter((chunk) => b.includes(chunk)).length
    expect(plan(early, 1)).toHaveLength(PROBATION_SAMPLES / 2)
    expect(shared(plan(early, 1), plan(early, 2))).toBeLessThan(20)
    const rest = claim('z', 0n, 1, { start: 3_000, count: 1_000 })
    const closed = run(early, [received(rest), counted(rest)]).state
    expect(shared(plan(closed, 1), plan(closed, 2))).toBeGreaterThanOrEqual(PROBATION_SAMPLES / 2)
    expect(plan(closed, 1)).toHaveLength(PROBATION_SAMPLES)
  })

  test('own claims, those of excluded members and those whose leaves are not here are not audited', () => {
    const state = view('self', ['z'], 100)
    const own = claim('self', 0n, 0, { start: 0, count: 40 })
    const other = claim('z', 0n, 0, { start: 40, count: 20 })
    expect(audited(run(state, [received(own), counted(own), received(other)]).state).chunks).toBe(0)
    expect(auditPlan(stateOf(100), peer('self'), at(0), SEED)).toEqual([])
  })

  test('a chunk for which two claims name different values comes first', () => {
    const state = view('self', ['y', 'z'], 100)
    const honest = claim('y', 0n, 0, { start: 0, count: 50 })
    const lie = forgedClaim('z', 0n, 0, { start: 49, count: 51 })
    const both = run(state, [received(honest), counted(honest), received(lie.item), { type: 'leaves-ready', claim: lie.item, values: lie.values }])
    expect(both.effects).toContainEqual({ type: 'compare-leaves', claims: [lie.item, honest], overlap: { start: 49, count: 1 } })
    const marked = step(both.state, { type: 'leaves-differ', claims: [lie.item, honest], chunk: 49 }).state
    const plan = auditPlan(marked, marked.self, at(0), SEED)
    expect(plan.slice(0, 2).map(({ claim: item }) => item.value.author)).toEqual(['y', 'z'])
    for (const { chunks } of plan.slice(0, 2)) expect(chunks).toContain(49)
    expect(step(both.state, { type: 'leaves-differ', claims: [lie.item, honest], chunk: 3 }).state).toBe(both.state)
  })

  test('a member is trusted after ten closed epochs with claims, and in probation again after an offence', () => {
    let state = view('self', ['z'], 4)
    for (let epoch = 0n; epoch < BigInt(PROBATION_EPOCHS); epoch++) {
      expect(isInProbation(state, peer('z'))).toBe(true)
      const item = claim('z', epoch, 0, { start: 0, count: 4 })
      state = run(state, [received(item), counted(item)]).state
    }
    expect([samplesFor(state, peer('z')), samplesFor(state, peer('self'))]).toEqual([TRUSTED_SAMPLES, PROBATION_SAMPLES])
    expect(isInProbation(step(view('self', ['z'], 4), { type: 'trust-restored', goodEpochs: state.goodEpochs }).state, peer('z'))).toBe(false)
  })

  test('detection is 1 − (1 − f)^s', () => {
    expect(detection(TRUSTED_SAMPLES, 0.05)).toBeCloseTo(0.9625, 4)
    expect(detection(PROBATION_SAMPLES, 0.05)).toBeGreaterThan(0.9999)
    expect(detection(0, 1)).toBe(0)
  })
})

describe('beacon (docs/protocol.md §7.7)', () => {
  test('is made of nonces that open the commitment of the seal before, in any order of arrival', () => {
    const first = ['a', 'b'].map((name) => seal(name, 0n, 0n))
    const second = ['a', 'b'].map((name) => seal(name, 1n, 0n))
    const feed = (...items: readonly (readonly ReturnType<typeof seal>[])[]): MeshState =>
      run(
        stateOf(),
        items.flat().map((item) => received(item)),
      ).state
    const one = feed(first, second)
    expect(beaconOf(feed(first, second.toReversed()), 2n)).toBe(beaconOf(one, 2n))
    expect(beaconOf(one, 2n)).not.toBe(beaconOf(stateOf(), 2n))
    expect(beaconOf(one, 2n)).not.toBe(beaconOf(feed(first, second.slice(1)), 2n))
    // A nonce that nothing was committed to, or another one than that, counts for nothing.
    expect(beaconOf(feed(second), 2n)).toBe(beaconOf(stateOf(), 2n))
    expect(beaconOf(feed(first, [seal('a', 1n, 0n, { nonce: '12'.repeat(32) })]), 2n)).toBe(beaconOf(stateOf(), 2n))
  })

  test('a seal opens the one before it, is written once, and again only with another XOR', () => {
    const state = stateOf()
    const one = draftSeal(state, { epoch: 4n, xor: 1n, how: 'computed' }, SEED)!
    const next = draftSeal(state, { epoch: 5n, xor: 1n, how: 'computed' }, SEED)!
    expect(commitTo(next.nonce)).toBe(one.commit)
    const sealed = run(state, [received(seal('self', 4n, 1n, { nonce: one.nonce, commit: one.commit }), 'self')]).state
    expect(draftSeal(sealed, { epoch: 4n, xor: 1n, how: 'computed' }, SEED)).toBeUndefined()
    expect(draftSeal(sealed, { epoch: 3n, xor: 2n, how: 'computed' }, SEED)).toBeUndefined()
    expect(draftSeal(sealed, { epoch: 4n, xor: 2n, how: 'computed' }, SEED)).toEqual({ ...one, xor: 2n, revision: 1 })
  })
})
