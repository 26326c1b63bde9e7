import type { LatticeMatrices } from '@sgsd/lattice'

/** Where a swarm came to rest, or how far it got. */
export interface Trajectory {
  /** s, one float in [0, 1] per row; belongs to the caller. */
  readonly state: Float32Array
  readonly steps: number
  readonly converged: boolean
}

/**
 * What steps the swarm. Every engine computes the stable profile of `@sgsd/lattice`; `wasm` and `reference` to the bit,
 * the GPU ones within float32 rounding. Not re-entrant: one call at a time.
 */
export interface StepEngine {
  /** Provider name as in `ProviderReport`. */
  readonly name: string
  /** Takes a lattice over; it keeps copies where it needs them. */
  load(matrices: LatticeMatrices): Promise<void>
  /** Says that learning changed weights of these rows in place; their pattern is the loaded one. */
  reload(matrices: LatticeMatrices, rows: Iterable<number>): void
  /** Steps from `cover` until ‖s' − s‖₂ falls below the profile's tolerance or its steps are used up. */
  converge(cover: Float32Array, teacher: Float32Array | undefined): Promise<Trajectory>
  /** Frees memory and sessions; the engine is not used afterwards. */
  release(): Promise<void>
}
