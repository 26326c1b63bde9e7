/** A sparse square matrix of edge weights, compressed by rows. Columns ascend strictly within a row; weights are finite and in [0, 1]. */
export interface Csr {
  /** Rows (= columns) of the matrix. */
  readonly rows: number
  /** `rows + 1` offsets into `cols` and `vals`. */
  readonly ptr: Uint32Array
  readonly cols: Uint32Array
  readonly vals: Float32Array
}

/** The two matrices of a lattice: Wτ (coverage) and Wρ (exclusion), over the same rows. */
export interface LatticeMatrices {
  readonly tau: Csr
  readonly rho: Csr
}
