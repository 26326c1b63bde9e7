// The folds of weighted rows by every kernel against the memory's own speed: 3 and 34 members that hold every row of 64 edges, with the same columns and with random ones.
import { createHash } from 'node:crypto'
import { chooseFoldKernel } from '../packages/compute/src/lattice/fold/choose-fold-kernel.ts'
import { loadNativeFoldKernel } from '../packages/compute/src/lattice/fold/native-fold-kernel.ts'
import { loadWasmFoldKernel } from '../packages/compute/src/lattice/fold/wasm-fold-kernel.ts'
import {
  foldBytes,
  type FoldKernel,
  type FoldMember,
  type FoldTask,
  type LayerId,
  MAX_ROW_EDGES,
  type PeerName,
  REFERENCE_FOLD_KERNEL,
  RowFold,
  type RowFoldId,
  type RowSide,
} from '../packages/consensus/src/index.ts'
import { type BenchRow, median } from './bench.ts'
import { openMemorySpeed } from './memory-speed.ts'

/** Defined characters. */
const ROWS = 22_903
const MEMBERS = [3, 34] as const
const STATISTICS = ['mean', 'max', 'trimmed', 'median'] as const

/** Counted rounds in which all take turns; the first is thrown away. */
const ROUNDS = 5

/** Bytes of an edge: a column and a weight. */
const EDGE_BYTES = 8

/** Rows of a changed head: what a hundred lines touch. */
const CHANGED_ROWS = 1_000

/** Ratios are to the memory's speed: every edge read once, the result written once, at 8 bytes each. */
export function kernelRows(): BenchRow[] {
  const memory = openMemorySpeed()
  return [...(['same', 'random'] as const).flatMap((columns) => MEMBERS.flatMap((members) => caseRows(memory, columns, members))), ...wholeRows()]
}

function caseRows(memory: ((bytes: number) => number) | string, columns: 'same' | 'random', members: number): BenchRow[] {
  const sides = Array.from({ length: members }, (_, m) => sideOf(columns, m + 1))
  const weights = Float64Array.from(sides, (_, m) => 1 / (m + 1))
  const task = wholeTask(members)
  const into = { ptr: new Uint32Array(ROWS + 1), cols: new Uint32Array(ROWS * MAX_ROW_EDGES), vals: new Float32Array(ROWS * MAX_ROW_EDGES) }
  const measurements = new Map<string, () => number>()
  if (typeof memory !== 'string') measurements.set('memory', () => memory((members + 1) * ROWS * MAX_ROW_EDGES * EDGE_BYTES))
  for (const kernel of kernels()) {
    for (const statistic of STATISTICS) {
      // the reference is there for scale, and slow
      if (kernel === REFERENCE_FOLD_KERNEL && (members > 3 || columns === 'random')) continue
      measurements.set(`${statistic}, ${kernel.name}`, () => processorMs(() => kernel.rows(statistic, ROWS, task, sides, weights, into)))
    }
  }
  const taken = new Map<string, number[]>([...measurements.keys()].map((name) => [name, []]))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, measure] of measurements) {
      const ms = measure()
      if (round > 0) taken.get(name)!.push(ms)
    }
  }
  const limit = median(taken.get('memory') ?? [])
  return [...taken].map(([name, values]) => {
    const row = { bench: 'fold', case: `${members} members, ${columns} columns: ${name}`, value: median(values), unit: 'ms' }
    if (name === 'memory') return { ...row, note: 'reading the edges of all members and writing one member’s, one matrix' }
    return Number.isNaN(limit) ? row : { ...row, ratio: limit / median(values), note: 'ratio: of the memory’s speed; aim 0.5' }
  })
}

function kernels(): FoldKernel[] {
  const found: FoldKernel[] = []
  for (const load of [loadNativeFoldKernel, loadWasmFoldKernel, () => REFERENCE_FOLD_KERNEL]) {
    try {
      found.push(load())
    } catch {
      // where one is missing there is no figure of it
    }
  }
  return found
}

/** Whole folds of both matrices and the states into new arrays, as a daemon makes them, and what one changed head costs. */
function wholeRows(): BenchRow[] {
  const { kernel } = chooseFoldKernel()
  const empty = { rows: ROWS, ptr: new Uint32Array(ROWS + 1), cols: new Uint32Array(0), vals: new Float32Array(0) }
  const base = { tau: empty, rho: empty }
  const baseState = new Float32Array(ROWS)
  const rows: BenchRow[] = []
  for (const count of MEMBERS) {
    const members = Array.from({ length: count }, (_, m) => memberOf(m))
    for (const foldId of ['mean/1', 'trimmed/1', 'median/1'] as const satisfies readonly RowFoldId[]) {
      const times: Record<'first' | 'again' | 'changed' | 'digest', number[]> = { first: [], again: [], changed: [], digest: [] }
      for (let round = 0; round < 3; round++) {
        const running = new RowFold(foldId, base, baseState, kernel)
        let folded = running.fold([])
        times.first.push(processorMs(() => (folded = running.fold(members))))
        const [first, ...others] = members
        // the greatest weight changes, and with it the part that everybody has
        const richer = [{ ...first!, weight: 7 + round }, ...others]
        times.again.push(processorMs(() => (folded = running.fold(richer))))
        times.changed.push(processorMs(() => (folded = running.fold([changedHead(richer[0]!), ...others]))))
        times.digest.push(
          processorMs(() => {
            const hash = createHash('sha256')
            for (const bytes of foldBytes(folded)) hash.update(bytes)
            hash.digest()
          }),
        )
      }
      const row = (name: string, value: number, note: string): BenchRow => ({
        bench: 'fold',
        case: `${foldId}, ${count} heads: ${name}`,
        value,
        unit: 'ms',
        note,
      })
      rows.push(row('first fold', median(times.first), `${kernel.name}; new layers taken in, both matrices and the states into new arrays`))
      if (foldId === 'mean/1') rows.push(row('whole fold again', median(times.again), 'incomes changed: every row is folded'))
      rows.push(row('one changed head', median(times.changed), `${CHANGED_ROWS} rows differ`))
      if (foldId === 'mean/1') rows.push(row('digest', median(times.digest), 'SHA-256 of the folded bytes'))
    }
  }
  return rows
}

function memberOf(member: number): FoldMember {
  const { ptr, cols, vals } = sideOf('same', member + 1)
  const rho = sideOf('same', member + 101)
  return {
    peer: `member${String(member).padStart(3, '0')}` as PeerName,
    seq: 1n,
    layer: `layer${member}` as LayerId,
    weight: 1 + (member % 3),
    blocks: [
      {
        radical: 0,
        rowIds: Uint32Array.from({ length: ROWS }, (_, row) => row),
        tauPtr: ptr,
        tauCols: cols,
        tauVals: vals,
        rhoPtr: rho.ptr,
        rhoCols: rho.cols,
        rhoVals: rho.vals,
      },
    ],
    state: Float32Array.from({ length: ROWS }, (_, row) => ((row * (member + 1)) % 97) / 97),
  }
}

/** The next head of a member: every 23rd row has another weight. */
function changedHead(member: FoldMember): FoldMember {
  const [block] = member.blocks
  const tauVals = block!.tauVals.slice()
  const stride = Math.floor(ROWS / CHANGED_ROWS)
  for (let changed = 0; changed < CHANGED_ROWS; changed++) tauVals[changed * stride * MAX_ROW_EDGES] = 0.5
  return { ...member, seq: 2n, layer: `${member.layer} again` as LayerId, blocks: [{ ...block!, tauVals }] }
}

/** 64 edges in every row: columns drawn from as many strides, the same for all members or not. */
function sideOf(columns: 'same' | 'random', seed: number): RowSide {
  let word = columns === 'same' ? 1 : seed
  const next = (below: number): number => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((word / 2 ** 32) * below)
  }
  const stride = Math.floor(ROWS / MAX_ROW_EDGES)
  const cols = Uint32Array.from({ length: ROWS * MAX_ROW_EDGES }, (_, edge) => (edge % MAX_ROW_EDGES) * stride + next(stride))
  word = seed
  const side = {
    ptr: Uint32Array.from({ length: ROWS + 1 }, (_, row) => row * MAX_ROW_EDGES),
    cols,
    vals: Float32Array.from(cols, () => next(1_000_000) / 1_000_000),
  }
  return columns === 'same' ? { ...side, shapes: Float64Array.from({ length: ROWS }, (_, row) => row + 1) } : side
}

/** All members hold all rows. */
function wholeTask(members: number): FoldTask {
  return {
    ptr: Uint32Array.from({ length: ROWS + 1 }, (_, row) => row * members),
    member: Uint32Array.from({ length: ROWS * members }, (_, owner) => owner % members),
    at: Uint32Array.from({ length: ROWS * members }, (_, owner) => Math.floor(owner / members)),
  }
}

/** Processor time, ms, so that other processes' slices do not count. */
function processorMs(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e3
}
