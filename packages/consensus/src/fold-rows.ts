import type { Csr, LatticeMatrices } from '@sgsd/lattice'
import type { FoldKernel, FoldStatistic, FoldTask, RowSide, StateStatistic } from './fold-kernel.ts'
import { type PackedRows, packRows } from './fold-pack.ts'
import { REFERENCE_FOLD_KERNEL } from './fold-reference.ts'
import { ColumnShapes } from './fold-shapes.ts'
import { SOURCE_BASE, SOURCE_FOLDED, SOURCE_KEPT, spliceRows } from './fold-splice.ts'
import { type Folded, type FoldMember, newestMembers, scaledWeights } from './fold.ts'
import type { FoldId } from './genesis.ts'
import type { LayerId, PeerName } from './ids.ts'
import { MAX_ROW_EDGES } from './limits.ts'

/** The folds of weighted rows. */
export type RowFoldId = Exclude<FoldId, 'evidence/1'>

/** What each fold does with either matrix and with the states. docs/protocol.md §9.3 */
const STATISTICS: { readonly [F in RowFoldId]: { readonly tau: FoldStatistic; readonly rho: FoldStatistic; readonly state: StateStatistic } } = {
  'mean/1': { tau: 'mean', rho: 'max', state: 'mean' },
  'trimmed/1': { tau: 'trimmed', rho: 'trimmed', state: 'trimmed' },
  'median/1': { tau: 'median', rho: 'median', state: 'median' },
}

/** What the last fold took from a member. */
interface Held {
  readonly peer: PeerName
  readonly layer: LayerId
  /** Part of the greatest income; 1 where income plays no part. */
  readonly weight: number
  readonly rows: PackedRows
  readonly tau: RowSide
  readonly rho: RowSide
}

/**
 * The folds `mean/1`, `trimmed/1` and `median/1`: a pure function of the *set* of members, whatever was folded before. docs/protocol.md §9.3
 *
 * Let O(r) be the members that hold row r. If it is empty, the row is the base row. Otherwise every edge becomes a statistic of what the members of O(r)
 * give it, 0 where one lacks it: `mean/1` takes the mean of Wτ weighted by income and the maximum of Wρ, `trimmed/1` and `median/1` take the
 * trimmed mean and the median of both, which one member of three cannot move out of what the other two say. s is the same over all members.
 *
 * It remembers the last fold: rows whose owners, weights and contents have not changed since are copied and not folded again.
 */
export class RowFold {
  readonly kernel: FoldKernel
  readonly #foldId: RowFoldId
  readonly #base: LatticeMatrices
  readonly #baseState: Float32Array
  readonly #shapes: { readonly tau: ColumnShapes; readonly rho: ColumnShapes }
  #held: ReadonlyMap<PeerName, Held> = new Map()
  #last: Folded | undefined

  /** @param base, baseState - the hanzi kernel's own lattice and cover: what stands where nobody holds anything */
  constructor(foldId: RowFoldId, base: LatticeMatrices, baseState: Float32Array, kernel: FoldKernel = REFERENCE_FOLD_KERNEL) {
    if (baseState.length !== base.tau.rows) throw unfit(baseState, base)
    this.#foldId = foldId
    this.#base = base
    this.#baseState = baseState
    this.#shapes = { tau: new ColumnShapes(base.tau.rows), rho: new ColumnShapes(base.tau.rows) }
    this.kernel = kernel
  }

  /**
   * @param members - any order; of two entries for one peer the higher (seq, layer) counts. A layer id names content: it is not looked at twice
   * @throws RangeError if a state or a row does not fit the lattice (a bug: such a layer is refused when it is loaded)
   */
  fold(members: readonly FoldMember[]): Folded {
    const order = newestMembers(members)
    for (const { state } of order) if (state.length !== this.#base.tau.rows) throw unfit(state, this.#base)
    const weights = this.#foldId === 'mean/1' ? scaledWeights(order) : new Float64Array(order.length).fill(1)
    const now = order.map((member, m) => this.#hold(member, weights[m]!))
    const changes = this.#changes(now)
    if (this.#last !== undefined && changes === undefined) return this.#last
    const matrices = this.#matrices(now, weights, changes ?? new Uint8Array(this.#base.tau.rows))
    const folded: Folded = {
      matrices,
      state: this.#state(order, weights),
      rows: heldRows(this.#base.tau.rows, now),
      nnz: matrices.tau.cols.length + matrices.rho.cols.length,
    }
    this.#held = new Map(now.map((held) => [held.peer, held]))
    this.#last = folded
    return folded
  }

  #hold({ peer, layer, blocks }: FoldMember, weight: number): Held {
    const before = this.#held.get(peer)
    if (before?.layer === layer) return { ...before, weight }
    const rows = packRows(this.#base.tau.rows, blocks)
    const { rowIds, tauPtr, tauCols, tauVals, rhoPtr, rhoCols, rhoVals } = rows
    const tau = { ptr: tauPtr, cols: tauCols, vals: tauVals }
    const rho = { ptr: rhoPtr, cols: rhoCols, vals: rhoVals }
    return {
      peer,
      layer,
      weight,
      rows,
      tau: { ...tau, shapes: this.#shapes.tau.numbersOf(rowIds, tau) },
      rho: { ...rho, shapes: this.#shapes.rho.numbersOf(rowIds, rho) },
    }
  }

  /** A mark for each row that may come out otherwise than last time; undefined when no member has changed. */
  #changes(now: readonly Held[]): Uint8Array | undefined {
    const marks = new Uint8Array(this.#base.tau.rows)
    const gone = new Map(this.#held)
    let changed = false
    for (const held of now) {
      const before = gone.get(held.peer)
      gone.delete(held.peer)
      if (before?.layer === held.layer && before.weight === held.weight) continue
      changed = true
      if (before !== undefined && before.weight === held.weight) markDifferences(marks, before, held)
      else for (const { rows } of before === undefined ? [held] : [before, held]) markAll(marks, rows)
    }
    for (const { rows } of gone.values()) markAll(marks, rows)
    return changed || gone.size > 0 ? marks : undefined
  }

  #matrices(now: readonly Held[], weights: Float64Array, marks: Uint8Array): LatticeMatrices {
    const { tau, rho } = this.#last?.matrices ?? this.#base
    const task = taskOf(marks, now)
    const sources = marks.map((mark) => (mark === 0 ? SOURCE_KEPT : SOURCE_BASE))
    for (const row of task.rows) sources[row] = SOURCE_FOLDED
    const { tau: ofTau, rho: ofRho } = STATISTICS[this.#foldId]
    const fold = (statistic: FoldStatistic, sides: readonly RowSide[]): RowSide => {
      const room = task.rows.length * MAX_ROW_EDGES
      const into = { ptr: new Uint32Array(task.rows.length + 1), cols: new Uint32Array(room), vals: new Float32Array(room) }
      if (room > 0) this.kernel.rows(statistic, this.#base.tau.rows, task, sides, weights, into)
      return into
    }
    return {
      tau: spliceRows(
        sources,
        tau,
        this.#base.tau,
        fold(
          ofTau,
          now.map(({ tau }) => tau),
        ),
      ),
      rho: spliceRows(
        sources,
        rho,
        this.#base.rho,
        fold(
          ofRho,
          now.map(({ rho }) => rho),
        ),
      ),
    }
  }

  #state(order: readonly FoldMember[], weights: Float64Array): Float32Array {
    if (order.length === 0) return this.#baseState.slice()
    const into = new Float32Array(this.#baseState.length)
    this.kernel.states(
      STATISTICS[this.#foldId].state,
      order.map(({ state }) => state),
      weights,
      into,
    )
    return into
  }
}

/** The marked rows that somebody holds, ascending, and who holds them. */
function taskOf(marks: Uint8Array, members: readonly Held[]): FoldTask & { readonly rows: Uint32Array } {
  const owners = new Uint32Array(marks.length)
  for (const { rows } of members) for (let i = 0; i < rows.rowIds.length; i++) owners[rows.rowIds[i]!]! += marks[rows.rowIds[i]!]!
  const rows = new Uint32Array(owners.reduce((count, of) => count + (of > 0 ? 1 : 0), 0))
  const ptr = new Uint32Array(rows.length + 1)
  /** Where the next owner of a row goes. */
  const next = new Uint32Array(marks.length)
  for (let row = 0, i = 0; row < owners.length; row++) {
    if (owners[row] === 0) continue
    rows[i] = row
    next[row] = ptr[i]!
    ptr[i + 1] = ptr[i]! + owners[row]!
    i++
  }
  const member = new Uint32Array(ptr[rows.length]!)
  const at = new Uint32Array(ptr[rows.length]!)
  for (const [m, held] of members.entries()) {
    const { rowIds } = held.rows
    for (let i = 0; i < rowIds.length; i++) {
      if (marks[rowIds[i]!] === 0) continue
      const slot = next[rowIds[i]!]!++
      member[slot] = m
      at[slot] = i
    }
  }
  return { rows, ptr, member, at }
}

function markAll(marks: Uint8Array, { rowIds }: PackedRows): void {
  for (let i = 0; i < rowIds.length; i++) marks[rowIds[i]!] = 1
}

/** Marks the rows that only one of the two has, and those that differ. */
function markDifferences(marks: Uint8Array, before: Held, now: Held): void {
  const [a, b] = [before.rows.rowIds, now.rows.rowIds]
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const mine = i < a.length ? a[i]! : Infinity
    const other = j < b.length ? b[j]! : Infinity
    if (mine !== other || !sameRow(before.tau, i, now.tau, j) || !sameRow(before.rho, i, now.rho, j)) marks[Math.min(mine, other)] = 1
    if (mine <= other) i++
    if (other <= mine) j++
  }
}

function sameRow(a: RowSide, i: number, b: RowSide, j: number): boolean {
  const from = a.ptr[i]!
  const edges = a.ptr[i + 1]! - from
  const other = b.ptr[j]!
  if (b.ptr[j + 1]! - other !== edges) return false
  for (let e = 0; e < edges; e++) if (a.cols[from + e] !== b.cols[other + e] || a.vals[from + e] !== b.vals[other + e]) return false
  return true
}

function heldRows(rows: number, members: readonly Held[]): number {
  const marks = new Uint8Array(rows)
  for (const held of members) markAll(marks, held.rows)
  return marks.reduce((sum, mark) => sum + mark, 0)
}

function unfit(state: Float32Array, { tau }: { readonly tau: Csr }): RangeError {
  return new RangeError(`a state of ${state.length} entries does not fit a lattice of ${tau.rows} rows`)
}
