import type { LatticeMatrices } from '@sgsd/lattice'

/**
 * Wτ and Wρ over one common pattern, so that a step gathers s once for both. Where only one of the two has an edge, the other's
 * weight is 0, which changes no sum: weights and s are never negative.
 */
export interface PairedEdges {
  readonly rows: number
  /** `rows + 1` edge numbers. */
  readonly ptr: Uint32Array
  readonly cols: Uint32Array
  /** Two per edge: τ, ρ. */
  readonly weights: Float32Array
}

/** @returns number of edges in the union of both patterns */
export function countPairs({ tau, rho }: LatticeMatrices): number {
  let count = 0
  for (let row = 0; row < tau.rows; row++) {
    eachPair({ tau, rho }, row, () => {
      count++
    })
  }
  return count
}

/** Writes the pairs of both matrices into arrays that the caller provides, for instance inside a wasm memory. */
export function writePairs(matrices: LatticeMatrices, into: PairedEdges): void {
  let edge = 0
  for (let row = 0; row < into.rows; row++) {
    into.ptr[row] = edge
    eachPair(matrices, row, (column, tau, rho) => {
      into.cols[edge] = column
      into.weights[2 * edge] = tau
      into.weights[2 * edge + 1] = rho
      edge++
    })
  }
  into.ptr[into.rows] = edge
}

/** Both matrices as newly allocated pairs. */
export function pairEdges(matrices: LatticeMatrices): PairedEdges {
  const { rows } = matrices.tau
  const count = countPairs(matrices)
  const pairs = { rows, ptr: new Uint32Array(rows + 1), cols: new Uint32Array(count), weights: new Float32Array(2 * count) }
  writePairs(matrices, pairs)
  return pairs
}

/** Visits the edges of one row in ascending column order; a weight that a matrix lacks is 0. */
export function eachPair({ tau, rho }: LatticeMatrices, row: number, visit: (column: number, tau: number, rho: number) => void): void {
  let t = tau.ptr[row]!
  let r = rho.ptr[row]!
  const tEnd = tau.ptr[row + 1]!
  const rEnd = rho.ptr[row + 1]!
  while (t < tEnd || r < rEnd) {
    const tColumn = t < tEnd ? tau.cols[t]! : Infinity
    const rColumn = r < rEnd ? rho.cols[r]! : Infinity
    if (tColumn === rColumn) visit(tColumn, tau.vals[t++]!, rho.vals[r++]!)
    else if (tColumn < rColumn) visit(tColumn, tau.vals[t++]!, 0)
    else visit(rColumn, 0, rho.vals[r++]!)
  }
}
