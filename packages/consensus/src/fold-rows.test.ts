import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { baseOf, blockOf, memberOf, type Rows, rowsArbitrary, weight } from './fold.fixture.ts'
import type { FoldKernel } from './fold-kernel.ts'
import { packRows } from './fold-pack.ts'
import { REFERENCE_FOLD_KERNEL } from './fold-reference.ts'
import { fold } from './fold-rules.ts'
import { RowFold } from './fold-rows.ts'
import type { FoldMember } from './fold.ts'
import type { LayerId } from './ids.ts'
import { digestOf } from './mesh.fixture.ts'

const N = 9
const base = baseOf(N, new Map([[2, new Map([[0, 0.25]])]]), new Map([[3, new Map([[8, 0.75]])]]))
const baseState = new Float32Array(N).fill(0.125)
const FOLDS = ['mean/1', 'trimmed/1', 'median/1'] as const

/** What becomes of one member: a new head, another income, or it leaves. */
type Change = readonly [
  name: string,
  what: { readonly tau: Rows; readonly rho: Rows; readonly state: readonly number[] } | { readonly weight: number } | 'leaves',
]

const change: fc.Arbitrary<Change> = fc.tuple(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ tau: rowsArbitrary(N, 3), rho: rowsArbitrary(N, 3), state: fc.array(weight, { minLength: N, maxLength: N }) }),
    },
    { weight: 1, arbitrary: fc.record({ weight: fc.constantFrom(0, 0.1, 1, 3, 7) }) },
    { weight: 1, arbitrary: fc.constant('leaves' as const) },
  ),
)

function changed(members: ReadonlyMap<string, FoldMember>, [name, what]: Change, at: number): Map<string, FoldMember> {
  const next = new Map(members)
  const before = members.get(name)
  if (what === 'leaves') next.delete(name)
  else if ('weight' in what) {
    if (before !== undefined) next.set(name, { ...before, ...what })
  } else {
    const layer = digestOf(`${name} ${at}`) as LayerId
    next.set(
      name,
      memberOf(name, [blockOf(1, what.tau, what.rho)], N, {
        layer,
        seq: BigInt(at),
        state: Float32Array.from(what.state),
        weight: before?.weight ?? 1,
      }),
    )
  }
  return next
}

describe.each(FOLDS)('RowFold %s', (foldId) => {
  test('whatever was folded before, the result is that of the members as they are', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const running = new RowFold(foldId, base, baseState)
        let members: ReadonlyMap<string, FoldMember> = new Map()
        for (const [at, one] of changes.entries()) {
          members = changed(members, one, at)
          expect(running.fold([...members.values()])).toEqual(fold(foldId, base, baseState, [...members.values()]))
        }
      }),
      { numRuns: 150 },
    )
  })

  test('folds the rows of a changed head that differ, and no others', () => {
    const folded: number[] = []
    const counting: FoldKernel = {
      ...REFERENCE_FOLD_KERNEL,
      rows(...call) {
        folded.push(call[2].ptr.length - 1)
        REFERENCE_FOLD_KERNEL.rows(...call)
      },
    }
    const running = new RowFold(foldId, base, baseState, counting)
    const rows = (from: number, to: number, value: number): Rows =>
      new Map(Array.from({ length: to - from }, (_, i) => [from + i, new Map([[0, value]])]))
    const head = (name: string, seq: bigint, tau: Rows): FoldMember =>
      memberOf(name, [blockOf(1, tau, new Map())], N, { seq, layer: digestOf(`${name} ${seq}`) as LayerId })
    const others = [head('b', 1n, rows(0, 6, 0.5)), head('c', 1n, rows(3, 9, 0.5))]
    const first = running.fold([head('a', 1n, rows(0, 9, 0.5)), ...others])
    running.fold([head('a', 2n, new Map([...rows(0, 9, 0.5), ...rows(4, 6, 1)])), ...others])
    const third = running.fold([head('a', 3n, rows(0, 4, 0.5)), ...others])
    expect(running.fold([head('a', 3n, rows(0, 4, 0.5)), ...others])).toBe(third)
    running.fold(others)
    expect(folded).toEqual([9, 9, 2, 2, 5, 5, 4, 4])
    expect(first.matrices.tau.vals).toEqual(new Float32Array(N).fill(0.5))
  })
})

test('a fold that throws leaves the one before as it was', () => {
  const running = new RowFold('mean/1', base, baseState)
  const good = memberOf('a', [blockOf(1, new Map([[1, new Map([[2, 1]])]]), new Map())], N)
  const before = running.fold([good])
  const foreign = memberOf('b', [blockOf(1, new Map([[N, new Map()]]), new Map())], N)
  expect(() => running.fold([good, foreign])).toThrow(RangeError)
  expect(running.fold([good])).toBe(before)
})

describe('packRows', () => {
  test('rows of any blocks stand side by side, ascending', () => {
    fc.assert(
      fc.property(rowsArbitrary(N), rowsArbitrary(N), fc.array(fc.nat(2), { minLength: N, maxLength: N }), (tau, rho, deal) => {
        const part = (rows: Rows, block: number): Rows => new Map([...rows].filter(([row]) => deal[row] === block))
        const blocks = [0, 1, 2].map((block) => blockOf(block + 1, part(tau, block), part(rho, block)))
        const { radical: _, ...whole } = blockOf(1, tau, rho)
        expect(packRows(N, blocks)).toEqual(whole)
      }),
    )
  })

  test('a row that two blocks have is a bug of the caller', () => {
    const block = blockOf(1, new Map([[1, new Map()]]), new Map())
    expect(() => packRows(N, [block, block])).toThrow('row 1 occurs twice')
  })
})
