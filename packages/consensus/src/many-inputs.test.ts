import { describe, expect, test } from 'vitest'
import type { PeerName } from './ids.ts'
import { claim, heard, beat, peer, received, record, run, stateOf, valuesOf, at, counted } from './mesh.fixture.ts'
import type { Input, MeshState, Signed } from './state.ts'
import { step } from './step.ts'

const CLAIMS = 10_000

/** Single-chunk claims of 100 members, in an order that no run of chunks survives. */
function manyClaims(): readonly Signed<'claim'>[] {
  return Array.from({ length: CLAIMS }, (_, i) => {
    const start = (i * 7_919) % CLAIMS
    return claim(`m${i % 100}`, 0n, Math.floor(i / 100), { start, count: 1 })
  })
}

function members(chunks: number): MeshState {
  return run(
    stateOf(chunks),
    Array.from({ length: 100 }, (_, i) => received(record(`m${i}`))),
  ).state
}

describe('steps over many inputs', () => {
  const claims = manyClaims()
  const items: Input = { type: 'items-received', items: claims, now: at(0), source: 'peer' }
  const leaves: Input = { type: 'batched', inputs: claims.map((item) => counted(item)) }

  test('10,000 claims in one epoch are taken and counted in well below 200 ms', () => {
    const state = members(CLAIMS + 1)
    // The fastest of three: others share the machine.
    const times = Array.from({ length: 3 }, () => {
      const started = performance.now()
      const taken = step(state, items)
      const after = step(taken.state, leaves)
      expect(taken.effects).toHaveLength(2 * CLAIMS)
      expect(after.state.tallies.get(0n)?.chunksCovered).toBe(CLAIMS)
      return performance.now() - started
    })
    expect(Math.min(...times)).toBeLessThan(200)
  })

  test('a batch comes to what its inputs come to one by one', () => {
    const few = claims.slice(0, 60)
    const chunks = 60
    const start = members(chunks)
    const inputs: Input[] = few.flatMap((item, i) => {
      const placed = claim(item.value.author, 0n, item.value.index, { start: i, count: 1 })
      return [
        received(placed),
        { type: 'leaves-ready', claim: placed, values: valuesOf(0n, placed.value.run) } as const,
        heard(beat('m1', BigInt(i + 1)), i),
      ]
    })
    const single = run(start, inputs)
    const batch = step(start, { type: 'batched', inputs })
    expect(batch.state).toEqual(single.state)
    expect(batch.effects).toEqual(single.effects)
    expect(batch.state.epoch).toBe(1n)
  })

  test('the state that a step begins with stays as it was', () => {
    const before = run(members(40), [
      received(claim('m1', 0n, 0, { start: 0, count: 20 })),
      counted(claim('m1', 0n, 0, { start: 0, count: 20 })),
    ]).state
    const copy = structuredClone({ ...before })
    const more = claim('m2', 0n, 0, { start: 10, count: 30 })
    const { state } = step(before, { type: 'batched', inputs: [received(more), counted(more), heard(beat('m2', 1n), 5)] })
    expect(state.epoch).toBe(1n)
    expect({ ...before }).toEqual(copy)
  })
})

describe('a step is total', () => {
  test('for inputs about what it has never heard of, in any state', () => {
    const strange = claim('nobody', 99n, 3, { start: 0, count: 5 })
    const inputs: readonly Input[] = [
      { type: 'leaves-ready', claim: strange, values: new BigUint64Array(0) },
      { type: 'leaves-refused', claim: strange, reason: '' },
      { type: 'claim-audited', claim: strange, chunks: [-1, 0.5, Number.NaN, 7], ok: false },
      { type: 'leaves-differ', claims: [strange, strange], chunk: Number.NaN },
      { type: 'trust-restored', goodEpochs: new Map<PeerName, number>([[peer('x'), Number.NaN]]) },
      { type: 'batched', inputs: [] },
      { type: 'items-received', items: [], now: at(0), source: 'disk' },
      { type: 'ticked', now: at(Number.NaN) },
    ]
    for (const state of [stateOf(), members(4), run(stateOf(), [received(record('self'))]).state]) {
      for (const input of inputs) {
        const { effects } = step(state, input)
        expect(effects).toEqual([])
      }
    }
  })
})
