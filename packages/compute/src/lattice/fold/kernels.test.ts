import {
  fold,
  foldBytes,
  type Folded,
  type FoldKernel,
  type FoldMember,
  type LayerId,
  MAX_ROW_EDGES,
  type PeerName,
  REFERENCE_FOLD_KERNEL,
  type RowBlock,
  RowFold,
  type RowSide,
} from '@sgsd/consensus'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { foldCanaryFault, makeFoldCanary } from './canary.ts'
import { chooseFoldKernel } from './choose-fold-kernel.ts'
import { loadNativeFoldKernel, nativeFoldPaths } from './native-fold-kernel.ts'
import { loadWasmFoldKernel } from './wasm-fold-kernel.ts'

const FOLDS = ['mean/1', 'trimmed/1', 'median/1'] as const
const STATISTICS = ['mean', 'max', 'trimmed', 'median'] as const

/** Shuffled and partitioned runs of every kernel, a third of them by each fold. */
const RUNS = 10_000

const SEED = Number(process.env['SGSD_FOLD_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const kernels = [...nativePaths(), loadWasmFoldKernel()]

/** A processor without a C compiler has none. */
function nativePaths(): readonly FoldKernel[] {
  try {
    return nativeFoldPaths().map((_, path) => loadNativeFoldKernel({ path }))
  } catch {
    return []
  }
}

describe.each(kernels.map((kernel) => [`${kernel.name} (${kernel.about})`, kernel] as const))('%s', (_, kernel) => {
  test('answers the canary as the reference does', () => {
    expect(foldCanaryFault(kernel)).toBeUndefined()
  })

  test('rows of any lengths and owners fold to the bytes of the reference', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 2 ** 31 }),
        (columns, owners, seed) => {
          const { sides, task, weights } = madeUp(columns, owners, seed)
          for (const statistic of STATISTICS) {
            const [known, found] = [roomFor(task.ptr.length - 1), roomFor(task.ptr.length - 1)]
            REFERENCE_FOLD_KERNEL.rows(statistic, columns, task, sides, weights, known)
            kernel.rows(statistic, columns, task, sides, weights, found)
            expect(written(found), statistic).toEqual(written(known))
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('states of any number and length fold to the bytes of the reference', () => {
    const next = numbers(9)
    for (const [members, width] of [
      [1, 1],
      [2, 63],
      [3, 64],
      [7, 65],
      [34, 5_000],
      [130, 129],
    ] as const) {
      const states = Array.from({ length: members }, () => Float32Array.from({ length: width }, () => Math.fround(next())))
      for (const weights of [Float64Array.from(states, next), new Float64Array(members)]) {
        for (const statistic of ['mean', 'trimmed', 'median'] as const) {
          const [known, found] = [new Float32Array(width), new Float32Array(width)]
          REFERENCE_FOLD_KERNEL.states(statistic, states, weights, known)
          kernel.states(statistic, states, weights, found)
          expect(found, `${statistic} of ${members}`).toEqual(known)
        }
      }
    }
  })

  test('a fold that goes on from the last one equals the whole fold of the reference', () => {
    const next = numbers(5)
    for (const foldId of FOLDS) {
      const { base, baseState } = smallBase()
      const running = new RowFold(foldId, base, baseState, kernel)
      let members = Array.from({ length: 5 }, (_, m) => memberOf(m, 0, next))
      for (let turn = 1; turn < 40; turn++) {
        const m = Math.floor(next() * 5)
        members = next() < 0.1 ? members.filter((_, at) => at !== m) : [...members.filter(({ peer }) => peer !== nameOf(m)), memberOf(m, turn, next)]
        expect(digestOf(running.fold(members)), `${foldId} turn ${turn}`).toBe(digestOf(fold(foldId, base, baseState, members)))
      }
    }
  })

  test('a task that does not fit its sides is refused', () => {
    const { task, sides, weights } = makeFoldCanary()
    const into = roomFor(task.ptr.length - 1)
    const run = (change: { readonly task?: typeof task; readonly sides?: readonly RowSide[]; readonly columns?: number }) => () =>
      kernel.rows('mean', change.columns ?? 300, change.task ?? task, change.sides ?? sides, weights, into)
    expect(run({ task: { ...task, member: task.member.map(() => 99) } })).toThrow(TypeError)
    expect(run({ task: { ...task, at: task.at.map(() => 9_999) } })).toThrow(TypeError)
    expect(run({ sides: sides.map((side) => ({ ...side, ptr: side.ptr.map((end) => end * 9) })) })).toThrow(TypeError)
    expect(run({ columns: 10 })).toThrow(TypeError)
  })
})

test(`${RUNS} shuffled, duplicated and partitioned runs give one digest, by every kernel; seed ${SEED}`, () => {
  const { base, baseState } = smallBase()
  const next = numbers(SEED)
  const all = [REFERENCE_FOLD_KERNEL, ...kernels]
  const running = new Map(
    FOLDS.flatMap((foldId) => all.map((kernel) => [`${foldId} ${kernel.about}`, new RowFold(foldId, base, baseState, kernel)] as const)),
  )
  let members: readonly FoldMember[] = []
  let known = ''
  for (let run = 0; run < RUNS; run++) {
    const foldId = FOLDS[run % 3]!
    if (run % 60 === 0) members = Array.from({ length: 1 + Math.floor(next() * 6) }, (_, m) => memberOf(m, run, next))
    known = digestOf(fold(foldId, base, baseState, members))
    const kernel = all[Math.floor(next() * all.length)]!
    // parts of the members arrive one after the other, some twice
    const order = members.map((member) => ({ member, key: next() })).sort((a, b) => a.key - b.key)
    const arrived: FoldMember[] = []
    const fresh = next() < 0.5 ? new RowFold(foldId, base, baseState, kernel) : running.get(`${foldId} ${kernel.about}`)!
    for (const { member } of order) {
      arrived.push(member)
      if (next() < 0.3) arrived.push(members[Math.floor(next() * members.length)]!)
      if (next() < 0.2) fresh.fold(arrived)
    }
    const found = digestOf(fresh.fold(arrived))
    if (found !== known) expect.fail(`run ${run} of seed ${SEED}: ${foldId} by ${kernel.about} gave ${found}, not ${known}`)
  }
  expect(known).toMatch(/^[0-9a-f]{64}$/)
})

describe('chooseFoldKernel', () => {
  test('takes the fastest that is right, and names the others with their reasons', () => {
    const wrong: FoldKernel = {
      ...REFERENCE_FOLD_KERNEL,
      name: 'native',
      rows(statistic, columns, task, sides, weights, into) {
        REFERENCE_FOLD_KERNEL.rows(statistic, columns, task, sides, weights, into)
        if (statistic === 'median') into.vals[0]! += 2 ** -24
      },
    }
    const missing = (): FoldKernel => {
      throw new Error('no C compiler when sgsd was set up')
    }
    const chosen = chooseFoldKernel([
      ['native', () => wrong],
      ['older', missing],
      ['wasm', loadWasmFoldKernel],
      ['reference', () => REFERENCE_FOLD_KERNEL],
    ])
    expect(chosen.kernel.name).toBe('wasm')
    expect(chosen.reports).toEqual([
      { provider: 'native', state: 'wrong', why: 'its median of rows differs from the reference' },
      { provider: 'older', state: 'missing', why: 'no C compiler when sgsd was set up' },
      { provider: 'wasm', state: 'active', why: 'WebAssembly SIMD128, 4 lanes' },
      { provider: 'reference', state: 'standby', why: 'JavaScript' },
    ])
  })

  test('one that is wrong about states is found out too', () => {
    const wrong: FoldKernel = { ...REFERENCE_FOLD_KERNEL, states: (_statistic, _states, _weights, into) => void into.fill(0.5) }
    expect(foldCanaryFault(wrong)).toBe('its mean of states differs from the reference')
  })
})

/** Uniform in [0, 1), the same on every machine. */
function numbers(seed: number): () => number {
  let word = seed >>> 0
  return () => {
    word = (Math.imul(word ^ (word >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9) >>> 0
    return ((word ^ (word >>> 13)) >>> 0) / 2 ** 32
  }
}

function roomFor(rows: number): { ptr: Uint32Array; cols: Uint32Array; vals: Float32Array } {
  return { ptr: new Uint32Array(rows + 1), cols: new Uint32Array(rows * MAX_ROW_EDGES), vals: new Float32Array(rows * MAX_ROW_EDGES) }
}

function written({ ptr, cols, vals }: RowSide): readonly unknown[] {
  return [ptr, cols.subarray(0, ptr.at(-1)), vals.subarray(0, ptr.at(-1))]
}

/** Rows of up to so many owners; in every other row all hold the same columns. */
function madeUp(columns: number, owners: number, seed: number) {
  const next = numbers(seed)
  const rows = 6
  const columnsOf = (): number[] => {
    const wanted = Math.floor(next() * Math.min(columns, MAX_ROW_EDGES) + 1)
    return Array.from({ length: columns }, (_, col) => ({ col, key: next() }))
      .sort((a, b) => a.key - b.key)
      .slice(0, wanted)
      .map(({ col }) => col)
      .sort((a, b) => a - b)
  }
  const lists = Array.from({ length: rows }, (_, row) => {
    const shared = columnsOf()
    return Array.from({ length: 1 + Math.floor(next() * owners) }, () => (row % 2 === 0 ? shared : columnsOf()))
  })
  const ptr = new Uint32Array(rows + 1)
  for (const [row, of] of lists.entries()) ptr[row + 1] = ptr[row]! + of.length
  const member = Uint32Array.from(lists.flatMap((of) => of.map((_, m) => m)))
  const sides = Array.from({ length: owners }, (_, m) => {
    const own = lists.flatMap((of) => (m < of.length ? [of[m]!] : []))
    const ends = new Uint32Array(own.length + 1)
    for (const [i, cols] of own.entries()) ends[i + 1] = ends[i]! + cols.length
    return {
      ptr: ends,
      cols: Uint32Array.from(own.flat()),
      vals: Float32Array.from({ length: ends.at(-1) }, () => (next() < 0.2 ? Math.round(next()) : next())),
    }
  })
  const places = new Uint32Array(owners)
  return {
    task: { ptr, member, at: member.map((m) => places[m]!++) },
    sides,
    weights: Float64Array.from({ length: owners }, () => (next() < 0.3 ? 0 : next())),
  }
}

const ROWS = 12

function smallBase() {
  const csr = (row: number): RowSide & { rows: number } => ({
    rows: ROWS,
    ptr: Uint32Array.from({ length: ROWS + 1 }, (_, at) => (at > row ? 1 : 0)),
    cols: Uint32Array.of(3),
    vals: Float32Array.of(0.25),
  })
  return { base: { tau: csr(2), rho: csr(5) }, baseState: new Float32Array(ROWS).fill(0.125) }
}

function nameOf(member: number): PeerName {
  return `member${member}` as PeerName
}

/** A head with some rows; about half of its rows have the columns that everybody's have. */
function memberOf(member: number, turn: number, next: () => number): FoldMember {
  const side = () => {
    const rows = rowIds.map((row) =>
      next() < 0.5 ? [row % 3, 4 + (row % 4), 9] : Array.from({ length: ROWS }, (_, col) => col).filter(() => next() < 0.4),
    )
    const ptr = new Uint32Array(rows.length + 1)
    for (const [i, cols] of rows.entries()) ptr[i + 1] = ptr[i]! + cols.length
    return { ptr, cols: Uint32Array.from(rows.flat()), vals: Float32Array.from({ length: ptr.at(-1) }, next) }
  }
  const rowIds = Array.from({ length: ROWS }, (_, row) => row).filter(() => next() < 0.6)
  const [tau, rho] = [side(), side()]
  const block: RowBlock = {
    radical: 1,
    rowIds: Uint32Array.from(rowIds),
    tauPtr: tau.ptr,
    tauCols: tau.cols,
    tauVals: tau.vals,
    rhoPtr: rho.ptr,
    rhoCols: rho.cols,
    rhoVals: rho.vals,
  }
  return {
    peer: nameOf(member),
    seq: BigInt(turn),
    layer: `${member} ${turn}` as LayerId,
    weight: next() < 0.2 ? 0 : 3 * next(),
    blocks: [block],
    state: Float32Array.from({ length: ROWS }, next),
  }
}

function digestOf(folded: Folded): string {
  const hash = createHash('sha256')
  for (const part of foldBytes(folded)) hash.update(part)
  return hash.digest('hex')
}
