import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkLeaves, draftClaim, xorOf } from './claims.ts'
import { checkMerklePath, type ClaimContext, claimRoot, merklePath } from './merkle.ts'
import { claim, MESH_ID, ownClaim, peer, received, run, stateOf, valuesOf } from './mesh.fixture.ts'

const context = (count: number): ClaimContext => ({
  meshId: MESH_ID,
  epoch: 3n,
  rosterHash: 'ef'.repeat(32) as never,
  author: peer('a'),
  run: { start: 7, count },
})
const leaves = fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { minLength: 1, maxLength: 40 }).map((values) => BigUint64Array.from(values))

describe('Merkle root (docs/protocol.md §7.2)', () => {
  test('every leaf has a path to the root, and the path of no other place or value leads there', () => {
    fc.assert(
      fc.property(leaves, fc.nat(), fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }), (values, pick, flip) => {
        const ctx = context(values.length)
        const root = claimRoot(ctx, values)
        const index = pick % values.length
        const path = merklePath(ctx, values, index)
        const value = values[index]!
        expect(checkMerklePath(ctx, index, value, path, root)).toBe(true)
        expect(checkMerklePath(ctx, index, value ^ flip, path, root)).toBe(false)
        expect(checkMerklePath(ctx, index + 1, value, path, root)).toBe(false)
        expect(checkMerklePath(ctx, index, value, [...path, new Uint8Array(32)], root)).toBe(false)
        if (path.length > 0) expect(checkMerklePath(ctx, index, value, path.slice(1), root)).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  test('the root is bound to mesh, epoch, roster, author, place and every value', () => {
    const values = valuesOf(0n, { start: 0, count: 5 })
    const base = context(5)
    const others: ClaimContext[] = [
      { ...base, meshId: 'cd'.repeat(32) as never },
      { ...base, epoch: 4n },
      { ...base, rosterHash: '00'.repeat(32) as never },
      { ...base, author: peer('b') },
      { ...base, run: { start: 8, count: 5 } },
    ]
    const changed = values.slice()
    changed[2]! ^= 1n
    const roots = [claimRoot(base, values), claimRoot(base, changed), ...others.map((other) => claimRoot(other, values))]
    expect(new Set(roots).size).toBe(roots.length)
  })

  test('an inner node cannot pose as a leaf: the root of two is no leaf of one', () => {
    const values = valuesOf(0n, { start: 0, count: 2 })
    const root = claimRoot(context(2), values)
    expect(checkMerklePath(context(1), 0, values[0]!, [], root)).toBe(false)
    expect(checkMerklePath(context(1), 0, values[0]!, merklePath(context(2), values, 0), root)).toBe(false)
  })

  test('the root of a known claim is fixed', () => {
    expect(
      claimRoot(
        { meshId: '00'.repeat(32) as never, epoch: 0n, rosterHash: '11'.repeat(32) as never, author: peer('12D3KooW'), run: { start: 0, count: 3 } },
        BigUint64Array.of(1n, 2n, 3n),
      ),
    ).toBe('1c77d06bc4cbfab8b7949a5c197a6143b69db036b0114f197960f357e06ce872')
  })

  test('a path for a leaf that the run does not have is a bug', () => {
    expect(() => merklePath(context(2), BigUint64Array.of(1n, 2n), 2)).toThrow(RangeError)
    expect(() => claimRoot(context(2), BigUint64Array.of(1n))).toThrow(RangeError)
    expect(checkMerklePath(context(2), -1, 0n, [], '')).toBe(false)
    expect(checkMerklePath(context(2), 0.5, 0n, [], '')).toBe(false)
  })
})

describe('claims (docs/protocol.md §7)', () => {
  test('xorOf is the XOR of the values, and of any part of them', () => {
    fc.assert(
      fc.property(leaves, fc.nat(), fc.nat(), (values, a, b) => {
        const from = a % values.length
        const count = b % (values.length - from + 1)
        expect(xorOf(values, from, count)).toBe(values.slice(from, from + count).reduce((x, y) => x ^ y, 0n))
        expect(xorOf(values)).toBe(values.reduce((x, y) => x ^ y, 0n))
      }),
    )
    expect(xorOf(new BigUint64Array(0))).toBe(0n)
  })

  test('a draft passes its own check, takes the next free index and names the roster it saw', () => {
    const state = stateOf()
    const first = ownClaim(state, { start: 2, count: 5 })
    expect(checkLeaves(state, first.value, valuesOf(0n, { start: 2, count: 5 }))).toBeUndefined()
    expect(first.value.index).toBe(0)
    const others = [first, claim('a', 0n, 6, { start: 0, count: 1 }), claim('self', 1n, 9, { start: 0, count: 1 })]
    expect(
      ownClaim(
        run(
          state,
          others.map((item) => received(item)),
        ).state,
        { start: 8, count: 1 },
      ).value.index,
    ).toBe(1)
    expect(() => draftClaim(state, { start: 0, count: 2 }, new BigUint64Array(1), 'x' as never)).toThrow(RangeError)
  })

  test('each kind of wrong leaves is named', () => {
    const state = stateOf()
    const { value } = ownClaim(state, { start: 0, count: 4 })
    const good = valuesOf(0n, value.run)
    const swapped = good.slice()
    swapped[0] = good[1]!
    swapped[1] = good[0]!
    const changed = good.slice()
    changed[3]! ^= 1n
    expect(checkLeaves(state, value, good.slice(1))).toBe('the claim covers 4 chunks, its leaves hold 3 values')
    expect(checkLeaves(state, value, changed)).toBe('the XOR of the leaves is not the one claimed')
    expect(checkLeaves(state, value, swapped)).toBe('the Merkle root of the leaves is not the one claimed')
  })
})
