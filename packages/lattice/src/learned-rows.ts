import type { Csr, LatticeMatrices } from './csr.ts'

/** One row of both matrices; columns ascend strictly, weights in [0, 1]. Replaced whole, never changed in place. */
export interface LearnedRow {
  readonly tauCols: Uint32Array
  readonly tauVals: Float32Array
  readonly rhoCols: Uint32Array
  readonly rhoVals: Float32Array
}

/** Rows that stand in place of the matrices' own, by row number. */
export type LearnedRows = Map<number, LearnedRow>

/** A copy of one row of the matrices. */
export function rowAt(w: LatticeMatrices, row: number): LearnedRow {
  const tau = span(w.tau, row)
  const rho = span(w.rho, row)
  return {
    tauCols: w.tau.cols.slice(...tau),
    tauVals: w.tau.vals.slice(...tau),
    rhoCols: w.rho.cols.slice(...rho),
    rhoVals: w.rho.vals.slice(...rho),
  }
}

/** Matrices with some rows replaced; rows past the order are ignored. Shares no memory with either argument. */
export function withRows(w: LatticeMatrices, learned: ReadonlyMap<number, LearnedRow>): LatticeMatrices {
  return {
    tau: replaced(w.tau, learned, (row) => [row.tauCols, row.tauVals]),
    rho: replaced(w.rho, learned, (row) => [row.rhoCols, row.rhoVals]),
  }
}

function replaced(matrix: Csr, learned: ReadonlyMap<number, LearnedRow>, part: (row: LearnedRow) => readonly [Uint32Array, Float32Array]): Csr {
  const ptr = new Uint32Array(matrix.rows + 1)
  for (let row = 0; row < matrix.rows; row++) {
    const own = learned.get(row)
    ptr[row + 1] = ptr[row]! + (own === undefined ? matrix.ptr[row + 1]! - matrix.ptr[row]! : part(own)[0].length)
  }
  const edges = ptr[matrix.rows]!
  const cols = new Uint32Array(edges)
  const vals = new Float32Array(edges)
  // copies the stretches of kept rows at once
  let keptFrom = 0
  const changed = [...learned.keys()].filter((row) => row >= 0 && row < matrix.rows).sort((a, b) => a - b)
  for (const row of [...changed, matrix.rows]) {
    const [from, to] = [matrix.ptr[keptFrom]!, matrix.ptr[row]!]
    cols.set(matrix.cols.subarray(from, to), ptr[keptFrom])
    vals.set(matrix.vals.subarray(from, to), ptr[keptFrom])
    const own = learned.get(row)
    if (own !== undefined && row < matrix.rows) {
      const [ownCols, ownVals] = part(own)
      cols.set(ownCols, ptr[row])
      vals.set(ownVals, ptr[row])
    }
    keptFrom = row + 1
  }
  return { rows: matrix.rows, ptr, cols, vals }
}

function span(matrix: Csr, row: number): [number, number] {
  return [matrix.ptr[row]!, matrix.ptr[row + 1]!]
}
