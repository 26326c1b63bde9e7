import { DEFAULT_MAX_STEPS, DEFAULT_TOLERANCE, type LatticeMatrices, type LearnedRow, STABLE, type StableParams } from '@sgsd/lattice'

/** Where a swarm came to rest, or how far it got. */
export interface Trajectory {
  /** s, one float in [0, 1] per row; belongs to the caller. */
  readonly state: Float32Array
  readonly steps: number
  readonly converged: boolean
}

/** The step and when it has settled. */
export interface SwarmProfile {
  readonly params: StableParams
  /** Settled when ‖s' − s‖₂ falls below. */
  readonly tolerance: number
  readonly maxSteps: number
}

/** The stable profile with its published constants. */
export const STABLE_PROFILE: SwarmProfile = { params: STABLE, tolerance: DEFAULT_TOLERANCE, maxSteps: DEFAULT_MAX_STEPS }

/**
 * What steps the swarm. Every engine computes the stable profile of `@sgsd/lattice`: `native`, `wasm` and `reference` to the
 * bit, the GPU ones within binary32 rounding. One call at a time.
 */
export interface StepEngine {
  /** Provider name as in `ProviderReport`. */
  readonly name: string
  /** Takes a lattice over; the matrices are not changed while they are loaded. */
  load(matrices: LatticeMatrices): Promise<void>
  /** Puts one row in the place of the loaded one. */
  setRow(row: number, edges: LearnedRow): void
  /** Steps from `start`, with a target state held fixed on the way, until the state settles or the profile's steps are used up. */
  converge(start: Float32Array, teacher: Float32Array | undefined): Promise<Trajectory>
  /** Frees memory and sessions; the engine is not used afterwards. */
  release(): Promise<void>
}
