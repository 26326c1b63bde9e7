import type { LatticeMatrices, LearnedRow } from '@sgsd/lattice'
import { loadNativeAddon } from '../native-addon.ts'
import { SellLattice } from './sell-lattice.ts'
import type { StepEngine, SwarmProfile, Trajectory } from './step-engine.ts'

/** What packages/compute/native/lattice.c exports. */
interface LatticeAddon {
  /** Instruction sets that this processor has, the fastest first, as people read them. */
  readonly paths: readonly string[]
  /** Steps from `a`, by turns into `b` and `a`. @returns number of steps, negative when the state did not settle */
  readonly converge: (
    tiles: Uint32Array,
    count: number,
    lanes: Uint32Array,
    scales: Float64Array,
    stream: Uint8Array,
    constants: Float64Array,
    teacher: Float32Array,
    a: Float32Array,
    b: Float32Array,
    maxSteps: number,
    path: number,
  ) => number
}

export interface NativeStepOptions {
  /** Instruction set, as an index into `nativeStepPaths()`; default the fastest. */
  readonly path?: number
  /** Where the addon lies; default where set-up puts it. */
  readonly folder?: URL
}

/** A loaded lattice, and arrays with one place more than rows, which lanes without a row write to. */
interface Loaded {
  readonly lattice: SellLattice
  readonly teacher: Float32Array
  readonly states: readonly [Float32Array, Float32Array]
}

/** Steps in C, in the widest vectors of the processor; equal to the reference to the bit. */
export class NativeStepEngine implements StepEngine {
  readonly name = 'native'
  /** The instruction set, as people read it. */
  readonly about: string
  readonly #profile: SwarmProfile
  readonly #addon: LatticeAddon
  readonly #path: number
  readonly #constants: Float64Array
  #loaded: Loaded | undefined

  /** @throws Error that says why there is no addon here, or why it does not load */
  constructor(profile: SwarmProfile, { path = 0, folder }: NativeStepOptions = {}) {
    this.#addon = loadNativeAddon<LatticeAddon>('lattice', folder)
    const about = this.#addon.paths[path]
    if (about === undefined) throw new Error(`this processor has ${this.#addon.paths.length} of its paths, not ${path + 1}`)
    this.about = about
    this.#path = path
    this.#profile = profile
    const { params, tolerance } = profile
    this.#constants = Float64Array.of(1 - params.lambda, params.gamma, tolerance * tolerance)
  }

  load(matrices: LatticeMatrices): Promise<void> {
    const places = matrices.tau.rows + 1
    this.#loaded = {
      lattice: new SellLattice(matrices, this.#profile.params),
      teacher: new Float32Array(places),
      states: [new Float32Array(places), new Float32Array(places)],
    }
    return Promise.resolve()
  }

  setRow(row: number, edges: LearnedRow): void {
    this.#require().lattice.setRow(row, edges)
  }

  converge(start: Float32Array, teacher: Float32Array | undefined): Promise<Trajectory> {
    const { lattice, teacher: held, states } = this.#require()
    states[0].set(start)
    if (teacher === undefined) held.fill(0)
    else held.set(teacher)
    const { tiles, count, lanes, scales, stream } = lattice.layout
    const { maxSteps } = this.#profile
    const done = this.#addon.converge(tiles, count, lanes, scales, stream, this.#constants, held, ...states, maxSteps, this.#path)
    const steps = Math.abs(done)
    return Promise.resolve({ state: states[steps % 2]!.slice(0, lattice.rows), steps, converged: done > 0 })
  }

  release(): Promise<void> {
    this.#loaded = undefined
    return Promise.resolve()
  }

  #require(): Loaded {
    if (this.#loaded === undefined) throw new Error('the native engine has no lattice loaded')
    return this.#loaded
  }
}

/** Instruction sets that the addon can use here, the fastest first. @throws Error as the engine's constructor does */
export function nativeStepPaths(folder?: URL): readonly string[] {
  return loadNativeAddon<LatticeAddon>('lattice', folder).paths
}
