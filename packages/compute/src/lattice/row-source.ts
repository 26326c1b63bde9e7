import { type LatticeMatrices, type LearnedRow, MIN_ROW_SUM, type StableParams } from '@sgsd/lattice'

/** One row of both matrices in place, without copying. */
export function rowView({ tau, rho }: LatticeMatrices, row: number): LearnedRow {
  const [t, tEnd, r, rEnd] = [tau.ptr[row]!, tau.ptr[row + 1]!, rho.ptr[row]!, rho.ptr[row + 1]!]
  return {
    tauCols: tau.cols.subarray(t, tEnd),
    tauVals: tau.vals.subarray(t, tEnd),
    rhoCols: rho.cols.subarray(r, rEnd),
    rhoVals: rho.vals.subarray(r, rEnd),
  }
}

/** What the sums of one row are multiplied by: `rowScales` of `@sgsd/lattice` for a row that stands alone. */
export function scalesOfRow(row: LearnedRow, params: StableParams): { readonly tau: number; readonly rho: number } {
  return { tau: scale(row.tauVals, params.alpha), rho: scale(row.rhoVals, params.beta) }
}

/**
 * Visits the union of a row's edges in both matrices, columns ascending; a weight that a matrix lacks is 0,
 * which changes no bit of a row sum.
 * @returns number of edges visited
 */
export function eachEdge(row: LearnedRow, visit: (at: number, column: number, tau: number, rho: number) => void): number {
  const { tauCols, tauVals, rhoCols, rhoVals } = row
  let t = 0
  let r = 0
  let at = 0
  while (t < tauCols.length || r < rhoCols.length) {
    const tauColumn = t < tauCols.length ? tauCols[t]! : Infinity
    const rhoColumn = r < rhoCols.length ? rhoCols[r]! : Infinity
    if (tauColumn === rhoColumn) visit(at++, tauColumn, tauVals[t++]!, rhoVals[r++]!)
    else if (tauColumn < rhoColumn) visit(at++, tauColumn, tauVals[t++]!, 0)
    else visit(at++, rhoColumn, 0, rhoVals[r++]!)
  }
  return at
}

function scale(weights: Float32Array, factor: number): number {
  let sum = 0
  for (const weight of weights) sum += weight
  return sum < MIN_ROW_SUM ? 0 : factor / sum
}
