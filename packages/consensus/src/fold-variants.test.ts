import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { baseOf, blockOf, memberOf, type Row, rowOf, rowsArbitrary, weight } from './fold.fixture.ts'
import { fold } from './fold-rules.ts'
import type { RowFoldId } from './fold-rows.ts'
import { foldBytes, type Folded, type FoldMember } from './fold.ts'

const N = 9
const base = baseOf(N, new Map([[2, new Map([[0, 0.25]])]]), new Map([[3, new Map([[8, 0.75]])]]))
const baseState = new Float32Array(N).fill(0.125)
const ROBUST = ['trimmed/1', 'median/1'] as const

const member = (name: string): fc.Arbitrary<FoldMember> =>
  fc
    .record({ tau: rowsArbitrary(N), rho: rowsArbitrary(N), state: fc.array(weight, { minLength: N, maxLength: N }) })
    .map(({ tau, rho, state }) => memberOf(name, [blockOf(1, tau, rho)], N, { state: Float32Array.from(state) }))

const members: fc.Arbitrary<readonly FoldMember[]> = fc.subarray('abcdefg'.split('')).chain((names) => fc.tuple(...names.map(member)))

/** What a fold gives one edge by what its owners give it. */
function edgeOf(foldId: RowFoldId, ...values: readonly number[]): number | undefined {
  const owners = values.map((value, i) =>
    memberOf('abcdefg'.charAt(i), [blockOf(1, new Map([[0, new Map([[1, Math.fround(value)]])]]), new Map())], N),
  )
  return rowOf(fold(foldId, base, baseState, owners).matrices.tau, 0).get(1)
}

describe.each(ROBUST)('fold %s (docs/protocol.md §9.3)', (foldId) => {
  test('equals the definition, edge by edge, for both matrices and the state', () => {
    fc.assert(
      fc.property(members, (list) => {
        const folded = fold(foldId, base, baseState, list)
        for (const matrix of ['tau', 'rho'] as const) {
          for (let row = 0; row < N; row++) {
            const owners = list.flatMap((of) => ownRow(of, matrix, row) ?? [])
            const columns = [...new Set(owners.flatMap((edges) => [...edges.keys()]))].sort((a, b) => a - b)
            const expected = columns.map(
              (col) =>
                [
                  col,
                  plain(
                    foldId,
                    owners.map((edges) => edges.get(col) ?? 0),
                  ),
                ] as const,
            )
            expect(rowOf(folded.matrices[matrix], row)).toEqual(
              owners.length === 0 ? rowOf(base[matrix], row) : new Map(expected.filter(([, value]) => value > 0)),
            )
          }
        }
        const states = baseState.map((value, i) =>
          list.length === 0
            ? value
            : plain(
                foldId,
                list.map(({ state }) => state[i]!),
              ),
        )
        expect(folded.state).toEqual(states)
      }),
    )
  })

  test('is equal, byte for byte, under any order and duplication of heads, and whatever they earn', () => {
    fc.assert(
      fc.property(members, fc.infiniteStream(fc.nat()), (list, keys) => {
        const twice = [...list, ...list.map((of) => ({ ...of, weight: 0.5 * of.blocks.length }))]
        const shuffled = twice.map((item) => ({ item, key: keys.next().value! })).sort((x, y) => x.key - y.key)
        expect(
          bytesOf(
            fold(
              foldId,
              base,
              baseState,
              shuffled.map(({ item }) => item),
            ),
          ),
        ).toEqual(bytesOf(fold(foldId, base, baseState, list)))
      }),
    )
  })

  test('one of three writers may say what it wants: the fold stays within twice the spread of the honest two', () => {
    const row = fc.uniqueArray(fc.tuple(fc.nat(WIDE - 1), weight), { selector: ([col]) => col, maxLength: 64 }).map((edges): Row => new Map(edges))
    // honest writers have most edges in common
    const honest = fc.tuple(row, row, fc.array(fc.nat(3), { minLength: WIDE, maxLength: WIDE })).map(([a, b, pick]): [Row, Row] => {
      const near = (own: Row): Row => new Map([...own, ...[...a].filter(([col]) => pick[col]! > 0 && !own.has(col))].slice(0, 64))
      return [a, near(b)]
    })
    fc.assert(
      fc.property(honest, row, fc.constantFrom('a', 'b', 'c'), ([one, two], liar, place) => {
        expect(furthest(foldId, one, two, liar, place)).toBeLessThanOrEqual(2 * spreadOf(one, two))
      }),
      { numRuns: 300 },
    )
  })

  test('the same where the liar crowds out edges that the honest share', () => {
    const row = (value: number, ...columns: readonly number[]): readonly (readonly [number, number])[] =>
      columns.map((col) => [col, Math.fround(value)])
    const run = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
    const one: Row = new Map([...row(0.5, ...run(0, 40)), ...row(0.1, ...run(40, 64))])
    const two: Row = new Map([...row(0.1, ...run(40, 64)), ...row(0.5, ...run(64, 104))])
    const liar: Row = new Map(row(1, ...run(8, 40), ...run(64, 96)))
    const { tau } = fold(foldId, baseOf(WIDE, new Map(), new Map()), new Float32Array(WIDE), writers(one, two, liar, 'b')).matrices
    expect(tau.ptr[1]).toBe(64)
    expect([...rowOf(tau, 0).keys()].filter((col) => col >= 40 && col < 64)).toEqual([])
    expect(furthest(foldId, one, two, liar, 'b')).toBeLessThanOrEqual(2 * spreadOf(one, two))
  })

  test('one owner: its row as it is; of two the mean', () => {
    expect(edgeOf(foldId, 0.3)).toBe(Math.fround(0.3))
    expect(edgeOf(foldId, 0.25, 0.75)).toBe(0.5)
    expect(edgeOf(foldId, 0, 0.75)).toBe(0.375)
  })
})

describe('order statistics', () => {
  test('trimmed: the lowest and the highest third, rounded down, do not count', () => {
    expect(edgeOf('trimmed/1', 1, 0, 0.5)).toBe(0.5)
    expect(edgeOf('trimmed/1', 1, 0.25, 0.75, 0)).toBe(0.5)
    expect(edgeOf('trimmed/1', 1, 0.25, 0.5, 0, 0.75)).toBe(0.5)
    expect(edgeOf('trimmed/1', 1, 1, 0.25, 0.75, 0, 0)).toBe(0.5)
    expect(edgeOf('trimmed/1', 0, 0, 1)).toBeUndefined()
  })

  test('median: the middle one, or the mean of the two in the middle', () => {
    expect(edgeOf('median/1', 1, 0, 0.5)).toBe(0.5)
    expect(edgeOf('median/1', 1, 0.25, 0.75, 0)).toBe(0.5)
    expect(edgeOf('median/1', 1, 0.25, 0.75, 0, 0.3)).toBe(Math.fround(0.3))
    expect(edgeOf('median/1', 0, 0, 1)).toBeUndefined()
    expect(edgeOf('median/1', 0, 0, 1, 1)).toBe(0.5)
  })

  test('the mean and the maximum do not withstand one of three: what these folds are for', () => {
    expect(edgeOf('mean/1', 1, 0, 0)).toBeGreaterThan(0.3)
    const liar = memberOf('a', [blockOf(1, new Map(), new Map()), blockOf(2, new Map([[0, new Map()]]), new Map([[0, new Map([[1, 1]])]]))], N)
    const honest = ['b', 'c'].map((name) => memberOf(name, [blockOf(2, new Map([[0, new Map()]]), new Map())], N))
    const rho = (foldId: RowFoldId): number | undefined => rowOf(fold(foldId, base, baseState, [liar, ...honest]).matrices.rho, 0).get(1)
    expect(['mean/1' as const, ...ROBUST].map(rho)).toEqual([1, undefined, undefined])
  })

  test('−0 is 0', () => {
    for (const foldId of ['mean/1' as const, ...ROBUST]) {
      for (const count of [1, 2, 3, 4]) {
        const list = Array.from({ length: count }, (_, i) => memberOf('abcd'.charAt(i), [], N, { state: new Float32Array(N).fill(-0) }))
        expect(Object.is(fold(foldId, base, baseState, list).state[0], 0)).toBe(true)
      }
    }
  })
})

/** Columns of the lattice in which one of three lies. */
const WIDE = 200

/** Two honest writers of row 0 and one at `place` who is not. */
function writers(one: Row, two: Row, liar: Row, place: string): FoldMember[] {
  const honest = [one, two]
  return ['a', 'b', 'c'].map((name) => {
    const own = name === place ? liar : honest.pop()!
    const state = Float32Array.from({ length: WIDE }, (_, i) => own.get(i) ?? 0)
    return memberOf(name, [blockOf(1, new Map([[0, own]]), new Map([[0, own]]))], WIDE, { state })
  })
}

/** How far the honest are apart at most. */
function spreadOf(one: Row, two: Row): number {
  return Math.max(...Array.from({ length: WIDE }, (_, i) => Math.abs((one.get(i) ?? 0) - (two.get(i) ?? 0))))
}

/** How far the fold is from an honest writer at most, in either matrix and the state. */
function furthest(foldId: RowFoldId, one: Row, two: Row, liar: Row, place: string): number {
  const { matrices, state } = fold(foldId, baseOf(WIDE, new Map(), new Map()), new Float32Array(WIDE), writers(one, two, liar, place))
  const folded = [rowOf(matrices.tau, 0), rowOf(matrices.rho, 0), new Map(state.entries())]
  return Math.max(...folded.flatMap((of) => [one, two].flatMap((own) => Array.from(state, (_, i) => Math.abs((of.get(i) ?? 0) - (own.get(i) ?? 0))))))
}

function bytesOf(folded: Folded): readonly number[] {
  return [...foldBytes(folded)].flatMap((part) => [...part])
}

function ownRow({ blocks }: FoldMember, matrix: 'tau' | 'rho', row: number): Row | undefined {
  const block = blocks[0]!
  const i = block.rowIds.indexOf(row)
  if (i < 0) return undefined
  const [ptr, cols, vals] = matrix === 'tau' ? [block.tauPtr, block.tauCols, block.tauVals] : [block.rhoPtr, block.rhoCols, block.rhoVals]
  return rowOf({ rows: 1, ptr: ptr.subarray(i, i + 2), cols, vals }, 0)
}

/** The definition, without any cleverness. */
function plain(foldId: (typeof ROBUST)[number], values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const k = sorted.length
  const kept = foldId === 'trimmed/1' ? sorted.slice(Math.floor(k / 3), k - Math.floor(k / 3)) : sorted.slice((k - 1) >> 1, (k >> 1) + 1)
  return Math.fround(kept.reduce((sum, value) => sum + value, 0) / kept.length)
}
