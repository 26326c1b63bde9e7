import type { JoinKernel, LoadedJoin } from './kernel.ts'
import { classSpan, type JoinPlan, neededShares, planJoin } from './plan.ts'
import type { IdSets, PairGate, SetPairs } from './port.ts'
import { compareShares, type Share } from './share-order.ts'

/** How long a piece of a join is meant to take, ms: an abort is soon seen, and messages cost nothing. */
const PIECE_MS = 50

/** Rows of the first piece, and most of any. */
const FIRST_ROWS = 64
const MAX_ROWS = 65_536

/** Pairs of some rows, in the order in which the rows are done: by size. */
export interface JoinPiece {
  readonly rows: Uint32Array
  /** Pairs of each row; their cols and shares, best first, one row behind the other. */
  readonly counts: Uint32Array
  readonly cols: Uint32Array
  readonly shared: Uint32Array
}

/** A join piece by piece. The plan is made when it begins. */
export class JoinRun {
  readonly sizes: Uint32Array
  readonly #plan: JoinPlan
  readonly #gate: PairGate
  readonly #kernel: LoadedJoin
  /** Next position, and its class of size. */
  #position: number
  #class = 0
  #need: Uint32Array | undefined
  #pieceRows = FIRST_ROWS

  /** @param sets, gate - within the bounds of check-join.ts */
  constructor(kernel: JoinKernel, sets: IdSets, gate: PairGate) {
    this.#plan = planJoin(sets, gate)
    this.#gate = gate
    this.#kernel = kernel.load(this.#plan, gate.top)
    this.#position = this.#plan.starts[0]!
    this.sizes = new Uint32Array(this.#plan.rows)
    this.#plan.rowOf.forEach((row, position) => (this.sizes[row] = this.#plan.ptr[position + 1]! - this.#plan.ptr[position]!))
  }

  get rows(): number {
    return this.#plan.rows
  }

  /** Rows that are finished; empty sets have no pairs and are from the start. */
  get done(): number {
    return this.#position
  }

  /**
   * The next rows' pairs, of one size of set; undefined when all are done.
   * @param clock - milliseconds: pieces grow or shrink towards PIECE_MS
   */
  next(clock: () => number): JoinPiece | undefined {
    const { starts, rows } = this.#plan
    while (this.#position < rows) {
      if (this.#position === starts[this.#class + 1]) {
        this.#class++
        this.#need = undefined
      }
      this.#need ??= neededShares(this.#plan, this.#class, this.#gate)
      const end = starts[this.#class + 1]!
      if (classSpan(this.#need) === undefined) {
        this.#position = end
        continue
      }
      return this.#piece(this.#need, Math.min(end, this.#position + this.#pieceRows), clock)
    }
    return undefined
  }

  #piece(need: Uint32Array, to: number, clock: () => number): JoinPiece {
    const from = this.#position
    const began = clock()
    const found = this.#kernel.rows(from, to, need)
    const took = clock() - began
    const done = found.counts.length
    if (done === this.#pieceRows) this.#pieceRows = Math.min(MAX_ROWS, Math.max(1, Math.floor(done * Math.min(4, PIECE_MS / Math.max(took, 1)))))
    else if (took > PIECE_MS) this.#pieceRows = Math.max(1, Math.floor((done * PIECE_MS) / took))
    this.#position += done
    const rows = this.#plan.rowOf.slice(from, from + done)
    const counts = found.counts.slice()
    const cols = new Uint32Array(found.positions.length)
    const shared = new Uint32Array(found.positions.length)
    let written = 0
    for (let at = 0; at < done; at++) {
      const pairs = Array.from({ length: counts[at]! }, (_, k): Share => [found.positions[written + k]!, found.shared[written + k]!])
      for (const [position, both] of pairs.sort(compareShares(this.#plan, from + at))) {
        cols[written] = this.#plan.rowOf[position]!
        shared[written++] = both
      }
    }
    return { rows, counts, cols, shared }
  }
}

/** The pieces of a join, put in the order of the collection's rows. */
export function assemblePairs(sizes: Uint32Array, pieces: readonly JoinPiece[]): SetPairs {
  const ptr = new Uint32Array(sizes.length + 1)
  for (const { rows, counts } of pieces) rows.forEach((row, at) => (ptr[row + 1] = counts[at]!))
  for (let row = 0; row < sizes.length; row++) ptr[row + 1]! += ptr[row]!
  const cols = new Uint32Array(ptr[sizes.length]!)
  const shared = new Uint32Array(cols.length)
  for (const piece of pieces) {
    let from = 0
    for (const [at, row] of piece.rows.entries()) {
      const to = from + piece.counts[at]!
      cols.set(piece.cols.subarray(from, to), ptr[row])
      shared.set(piece.shared.subarray(from, to), ptr[row])
      from = to
    }
  }
  return { ptr, cols, shared, sizes }
}

/** A whole join on the calling thread. */
export function joinOn(kernel: JoinKernel, sets: IdSets, gate: PairGate): SetPairs {
  const run = new JoinRun(kernel, sets, gate)
  const pieces: JoinPiece[] = []
  for (let piece = run.next(noClock); piece !== undefined; piece = run.next(noClock)) pieces.push(piece)
  return assemblePairs(run.sizes, pieces)
}

/** Pieces of a join without a clock only grow: nobody waits for them. */
function noClock(): number {
  return 0
}
