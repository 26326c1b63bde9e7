import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { foldBytes, type Folded, type FoldMember } from './fold.ts'
import { fold as foldBy } from './fold-rules.ts'
import { baseOf, blockOf, memberOf, type Row, rowOf, rowsArbitrary, weight } from './fold.fixture.ts'

const N = 9
const base = baseOf(N, new Map([[2, new Map([[0, 0.25]])]]), new Map([[3, new Map([[8, 0.75]])]]))
const baseState = new Float32Array(N).fill(0.125)

const member = (name: string): fc.Arbitrary<FoldMember> =>
  fc
    .record({
      tau: rowsArbitrary(N),
      rho: rowsArbitrary(N),
      weight: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5, noNaN: true })),
      state: fc.array(weight, { minLength: N, maxLength: N }),
      seq: fc.bigInt(1n, 3n),
    })
    .map(({ tau, rho, weight, state, seq }) => memberOf(name, [blockOf(1, tau, rho)], N, { weight, seq, state: Float32Array.from(state) }))

/** Up to five members, each perhaps in several versions. */
const members: fc.Arbitrary<readonly FoldMember[]> = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e').chain(member), { maxLength: 8 })

describe('fold mean/1 (docs/protocol.md §9.3)', () => {
  test('is equal, byte for byte, under any order, duplication and grouping of heads', () => {
    fc.assert(
      fc.property(distinct(members), fc.infiniteStream(fc.nat()), (list, keys) => {
        const shuffled = [...list, ...list].map((item) => ({ item, key: keys.next().value! })).sort((x, y) => x.key - y.key)
        expect(digest(fold(shuffled.map(({ item }) => item)))).toBe(digest(fold(list)))
      }),
    )
  })

  test('equals the definition, edge by edge', () => {
    fc.assert(
      fc.property(distinct(members), (list) => {
        const folded = fold(list)
        const newest = newestOf(list)
        for (let row = 0; row < N; row++) {
          expect(rowOf(folded.matrices.tau, row)).toEqual(expectedTau(newest, row))
          expect(rowOf(folded.matrices.rho, row)).toEqual(expectedRho(newest, row))
        }
        expect(folded.state).toEqual(expectedState(newest))
        expect(folded.rows).toBe(new Set(newest.flatMap(({ blocks }) => [...blocks[0]!.rowIds])).size)
        expect(folded.nnz).toBe(folded.matrices.tau.cols.length + folded.matrices.rho.cols.length)
      }),
    )
  })

  test('the order law can fail: these four, summed as they come, give two results; the fold gives one', () => {
    // Their mean lies on the border between two floats: added last, the small ones are lost and it rounds down; added first, they tip it over.
    const values = [1, 2 ** -24, 2 ** -53, 2 ** -53]
    const asTheyCome = (order: readonly number[]): number => Math.fround(order.reduce((sum, value) => sum + value, 0) / 4)
    expect(asTheyCome(values)).not.toBe(asTheyCome([...values].reverse()))
    const owners = values.map((value, i) => {
      const row = new Map([[0, new Map([[1, value]])]])
      return memberOf('abcd'.charAt(i), [blockOf(1, row, new Map())], N, { state: new Float32Array(N).fill(value) })
    })
    const digests = permutations(owners).map((order) => digest(fold(order)))
    expect(digests).toHaveLength(24)
    expect(new Set(digests).size).toBe(1)
    expect(fold(owners).state[0]).toBe(asTheyCome(values))
    expect(rowOf(fold(owners).matrices.tau, 0).get(1)).toBe(asTheyCome(values))
  })

  test('one owner: its row as it is, however light; disjoint shards are not divided by the number of members', () => {
    const row = new Map([
      [1, Math.fround(0.3)],
      [4, Math.fround(0.7)],
    ])
    const list = ['a', 'b', 'c'].map((name, i) => memberOf(name, [blockOf(i + 1, new Map([[i, row]]), new Map())], N, { weight: 0.1 + i / 3 }))
    const { tau } = fold(list).matrices
    for (let i = 0; i < 3; i++) expect(rowOf(tau, i)).toEqual(row)
  })

  test('an edge that a co-owner lacks counts as 0 in the mean, and as nothing in the maximum', () => {
    const one = memberOf('a', [blockOf(1, new Map([[0, new Map([[5, 1]])]]), new Map([[0, new Map([[5, 1]])]]))], N)
    const two = memberOf('b', [blockOf(1, new Map([[0, new Map([[6, 0.5]])]]), new Map([[0, new Map([[6, 0.5]])]]))], N, { weight: 3 })
    const { tau, rho } = fold([one, two]).matrices
    expect(rowOf(tau, 0)).toEqual(
      new Map([
        [5, 0.25],
        [6, 0.375],
      ]),
    )
    expect(rowOf(rho, 0)).toEqual(
      new Map([
        [5, 1],
        [6, 0.5],
      ]),
    )
  })

  test('weights that are 0, negative or no number count as 0; among such owners all are equal', () => {
    const owner = (name: string, weight: number, value: number): FoldMember =>
      memberOf(name, [blockOf(1, new Map([[0, new Map([[1, value]])]]), new Map())], N, { weight })
    const at = (...list: FoldMember[]): number | undefined => rowOf(fold(list).matrices.tau, 0).get(1)
    expect(at(owner('a', 0, 1), owner('b', 2, 0.5))).toBe(0.5)
    expect(at(owner('a', Number.NaN, 1), owner('b', -1, 0.5))).toBe(0.75)
    expect(at(owner('a', Infinity, 1), owner('b', 1, 0.5))).toBe(0.5)
    expect(at(owner('a', 1.7e308, 1), owner('b', 1.7e308, 0.5))).toBe(0.75)
  })

  test('of more than 64 edges the heaviest stay, of equal ones the lower columns', () => {
    const wide = 300
    const wideBase = baseOf(wide, new Map(), new Map())
    const row = (from: number, value: (i: number) => number): Row => new Map(Array.from({ length: 64 }, (_, i) => [from + i, Math.fround(value(i))]))
    const owner = (name: string, part: Row): FoldMember => memberOf(name, [blockOf(1, new Map([[0, part]]), new Map([[0, part]]))], wide)
    const folded = foldBy('mean/1', wideBase, new Float32Array(wide), [
      owner(
        'a',
        row(0, (i) => (i % 2 === 0 ? 0.5 : 0.25)),
      ),
      owner(
        'b',
        row(100, (i) => (i < 10 ? 1 : 0.25)),
      ),
    ])
    const expected = [...Array.from({ length: 64 }, (_, i) => i), ...Array.from({ length: 10 }, (_, i) => 100 + i)].filter(
      (c) => c >= 100 || c % 2 === 0 || c < 44,
    )
    expect([...rowOf(folded.matrices.tau, 0).keys()]).toEqual(expected)
    expect([...rowOf(folded.matrices.rho, 0).keys()]).toEqual(expected)
  })

  test('any row, capped, equals a stable sort by weight', () => {
    const wide = 200
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: wide, maxLength: wide }), (levels) => {
        const owner = (part: number): FoldMember => {
          const row: Row = new Map(levels.slice(part * 50, part * 50 + 50).map((level, i) => [part * 50 + i, Math.fround(level / 20)]))
          return memberOf(`m${part}`, [blockOf(1, new Map(), new Map()), blockOf(2, new Map([[0, new Map()]]), new Map([[0, row]]))], wide)
        }
        const folded = foldBy('mean/1', baseOf(wide, new Map(), new Map()), new Float32Array(wide), [0, 1, 2, 3].map(owner))
        const heaviest = levels
          .map((level, col) => ({ level, col }))
          .filter(({ level }) => level > 0)
          .sort((a, b) => b.level - a.level || a.col - b.col)
          .slice(0, 64)
        expect([...rowOf(folded.matrices.rho, 0).keys()]).toEqual(heaviest.map(({ col }) => col).sort((a, b) => a - b))
      }),
      { numRuns: 60 },
    )
  })

  test('without members: the base', () => {
    const folded = fold([])
    expect(folded).toEqual({ matrices: base, state: baseState, rows: 0, nnz: 2 })
    expect(folded.state).not.toBe(baseState)
  })

  test('the newest head of a member counts, of one seq the greater layer id', () => {
    const version = (seq: bigint, layer: string, value: number): FoldMember =>
      memberOf('a', [], N, { seq, layer: layer as never, state: new Float32Array(N).fill(value) })
    expect(fold([version(2n, 'aa', 0.25), version(1n, 'ff', 1)]).state[0]).toBe(0.25)
    expect(fold([version(1n, 'ff', 0.75), version(1n, 'aa', 1)]).state[0]).toBe(0.75)
  })

  test('what does not fit the lattice is a bug of the caller', () => {
    expect(() => fold([memberOf('a', [], N + 1)])).toThrow(RangeError)
    expect(() => fold([memberOf('a', [blockOf(1, new Map([[N, new Map()]]), new Map())], N)])).toThrow(RangeError)
  })
})

function fold(list: readonly FoldMember[]): Folded {
  return foldBy('mean/1', base, baseState, list)
}

function permutations<T>(list: readonly T[]): readonly (readonly T[])[] {
  if (list.length < 2) return [list]
  return list.flatMap((first, i) => permutations(list.toSpliced(i, 1)).map((rest) => [first, ...rest]))
}

function digest(folded: Folded): string {
  const hash = sha256.create()
  for (const part of foldBytes(folded)) hash.update(part)
  return bytesToHex(hash.digest())
}

/** No two heads of a member with one seq and layer but other content: hashes name content. */
function distinct(list: fc.Arbitrary<readonly FoldMember[]>): fc.Arbitrary<readonly FoldMember[]> {
  return list.map((heads) => heads.filter((head, i) => heads.findIndex((other) => other.peer === head.peer && other.seq === head.seq) === i))
}

function newestOf(list: readonly FoldMember[]): readonly FoldMember[] {
  const names = [...new Set(list.map(({ peer }) => peer))].sort()
  return names.map((name) => list.filter(({ peer }) => peer === name).sort((a, b) => Number(b.seq - a.seq))[0]!)
}

function ownRow(member: FoldMember, matrix: 'tau' | 'rho', row: number): Row | undefined {
  const block = member.blocks[0]!
  const i = block.rowIds.indexOf(row)
  if (i < 0) return undefined
  const [ptr, cols, vals] = matrix === 'tau' ? [block.tauPtr, block.tauCols, block.tauVals] : [block.rhoPtr, block.rhoCols, block.rhoVals]
  return rowOf({ rows: 1, ptr: ptr.subarray(i, i + 2), cols, vals }, 0)
}

function expectedTau(list: readonly FoldMember[], row: number): Row {
  const owners = list.flatMap((member) => ownRow(member, 'tau', row) ?? []).length
  if (owners === 0) return rowOf(base.tau, row)
  const greatest = Math.max(...list.map(({ weight }) => weight))
  const shares = list.flatMap((member) => {
    const edges = ownRow(member, 'tau', row)
    return edges === undefined ? [] : [{ edges, weight: greatest > 0 ? member.weight / greatest : 0 }]
  })
  const total = shares.reduce((sum, { weight }) => sum + weight, 0)
  return combined(
    shares.map(({ edges, weight }) => [edges, total > 0 ? weight : 1]),
    (values) => values.reduce((a, b) => a + b, 0) / (total > 0 ? total : shares.length),
  )
}

function expectedRho(list: readonly FoldMember[], row: number): Row {
  const owners = list.flatMap((member) => ownRow(member, 'rho', row) ?? [])
  return owners.length === 0
    ? rowOf(base.rho, row)
    : combined(
        owners.map((edges) => [edges, 1]),
        (values) => Math.max(...values),
      )
}

function combined(shares: readonly (readonly [Row, number])[], combine: (values: readonly number[]) => number): Row {
  const columns = [...new Set(shares.flatMap(([edges]) => [...edges.keys()]))].sort((a, b) => a - b)
  const entries = columns.map((col) => [col, Math.fround(combine(shares.map(([edges, share]) => share * (edges.get(col) ?? 0))))] as const)
  return new Map(entries.filter(([, value]) => value > 0))
}

function expectedState(list: readonly FoldMember[]): Float32Array {
  if (list.length === 0) return baseState
  const greatest = Math.max(...list.map(({ weight }) => weight))
  const weights = list.map(({ weight }) => (greatest > 0 ? weight / greatest : 1))
  const total = weights.reduce((a, b) => a + b, 0)
  return Float32Array.from(baseState, (_, i) => list.reduce((sum, { state }, m) => sum + weights[m]! * state[i]!, 0) / total)
}
