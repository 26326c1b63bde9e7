import { converge, type LatticeMatrices, type LearnedRow, type RowScales, rowScales, withRows } from '@sgsd/lattice'
import type { StepEngine, SwarmProfile, Trajectory } from './step-engine.ts'

/** `converge` of `@sgsd/lattice`: where wasm SIMD is missing, and what the other engines are judged by. */
export class ReferenceStepEngine implements StepEngine {
  readonly name = 'reference'
  readonly #profile: SwarmProfile
  readonly #replaced = new Map<number, LearnedRow>()
  #loaded: LatticeMatrices | undefined
  #scales: RowScales | undefined

  constructor(profile: SwarmProfile) {
    this.#profile = profile
  }

  load(matrices: LatticeMatrices): Promise<void> {
    this.#replaced.clear()
    this.#take(matrices)
    return Promise.resolve()
  }

  setRow(row: number, edges: LearnedRow): void {
    this.#replaced.set(row, edges)
  }

  converge(start: Float32Array, teacher: Float32Array | undefined): Promise<Trajectory> {
    if (this.#loaded === undefined) return Promise.reject(new Error('the reference engine has no lattice loaded'))
    if (this.#replaced.size > 0) {
      this.#take(withRows(this.#loaded, this.#replaced))
      this.#replaced.clear()
    }
    const { params, tolerance, maxSteps } = this.#profile
    const { s, steps, converged } = converge(this.#loaded, start, {
      rule: { profile: 'stable', params },
      tolerance,
      maxSteps,
      ...(this.#scales === undefined ? {} : { scales: this.#scales }),
      ...(teacher === undefined ? {} : { teacher }),
    })
    return Promise.resolve({ state: s, steps, converged })
  }

  release(): Promise<void> {
    this.#loaded = undefined
    this.#scales = undefined
    return Promise.resolve()
  }

  #take(matrices: LatticeMatrices): void {
    this.#loaded = matrices
    this.#scales = rowScales(matrices, this.#profile.params)
  }
}
