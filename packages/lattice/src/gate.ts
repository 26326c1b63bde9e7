/** Which pairs of characters become edges. */
export interface Gate {
  /** Least coverage τ of an edge. */
  readonly tau: number
  /** Greatest exclusion ρ of an edge. */
  readonly rho: number
  /** Most edges of a row; the best are kept: τ falling, then ρ rising, then column rising. */
  readonly perRow: number
}

/**
 * `default` links characters that share most of a definition. `published` is the gate of the published system: with sets of three tokens, as its kernel of 55
 * characters has them, ρ is a multiple of 1/3, so ρ ≤ 0.15 asks for equal sets and leaves no edge at all.
 */
export const GATES: { readonly default: Gate; readonly published: Gate } = {
  default: { tau: 0.35, rho: 0.5, perRow: 64 },
  published: { tau: 0.35, rho: 0.15, perRow: 64 },
}
