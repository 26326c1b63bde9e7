import { type LatticeMatrices, type LearnedRow, squaredDistance } from '@sgsd/lattice'
import { LATTICE_STEP_WASM } from './lattice-step-wasm.generated.ts'
import type { LayoutArrays, LayoutSizes } from './sell-layout.ts'
import { SellLattice } from './sell-lattice.ts'
import type { StepEngine, SwarmProfile, Trajectory } from './step-engine.ts'

/** Exports of packages/compute/assembly/lattice-step.ts, which describes the arguments. */
interface StepModule {
  readonly memory: WebAssembly.Memory
  latticeStep(
    tiles: number,
    count: number,
    lanes: number,
    scales: number,
    stream: number,
    teacher: number,
    state: number,
    out: number,
    scratch: number,
    keep: number,
    gamma: number,
  ): number
}

/** Arrays in the module's memory with one place more than rows, which lanes without a row write to. */
interface Vectors {
  readonly teacher: Float32Array
  /** s and s', by turns. */
  readonly states: readonly [Float32Array, Float32Array]
}

/** First byte of what the module sums a tile up in, and how much that is: two f64 and a u32 for each of 192 lanes. */
const SCRATCH = 1_024
const SCRATCH_BYTES = 192 * 20

const PAGE_BYTES = 65_536

/** Alignment of the arrays, bytes: a cache line. */
const ALIGNMENT = 64

/** Longest that ordered and unordered sums of squares differ, in parts: 2⁻⁵³ for each of up to four million rows. */
const SUM_DOUBT = 1e-9

/** Steps in WebAssembly SIMD, equal to the reference to the bit. */
export class WasmStepEngine implements StepEngine {
  readonly name = 'wasm'
  readonly #profile: SwarmProfile
  readonly #module: StepModule
  #lattice: SellLattice | undefined
  #vectors: Vectors | undefined

  private constructor(module: StepModule, profile: SwarmProfile) {
    this.#module = module
    this.#profile = profile
  }

  /** @throws WebAssembly.CompileError on a V8 without SIMD128, ReferenceError on one without WebAssembly */
  static open(profile: SwarmProfile): WasmStepEngine {
    const module = new WebAssembly.Module(Buffer.from(LATTICE_STEP_WASM, 'base64'))
    return new WasmStepEngine(new WebAssembly.Instance(module).exports as unknown as StepModule, profile)
  }

  load(matrices: LatticeMatrices): Promise<void> {
    this.#lattice = new SellLattice(matrices, this.#profile.params, (sizes) => this.#place(matrices.tau.rows, sizes))
    return Promise.resolve()
  }

  setRow(row: number, edges: LearnedRow): void {
    this.#require().lattice.setRow(row, edges)
  }

  converge(start: Float32Array, teacher: Float32Array | undefined): Promise<Trajectory> {
    const { params, tolerance, maxSteps } = this.#profile
    const { lattice, teacher: held, states } = this.#require()
    states[0].set(start)
    if (teacher === undefined) held.fill(0)
    else held.set(teacher)
    const { tiles, count, lanes, scales, stream } = lattice.layout
    const fixed = [tiles.byteOffset, count, lanes.byteOffset, scales.byteOffset, stream.byteOffset, held.byteOffset] as const
    for (let steps = 1; ; steps++) {
      const from = states[(steps - 1) % 2]!
      const to = states[steps % 2]!
      const moved = this.#module.latticeStep(...fixed, from.byteOffset, to.byteOffset, SCRATCH, 1 - params.lambda, params.gamma)
      const converged = isSettled(moved, tolerance * tolerance, from, to)
      if (converged || steps >= maxSteps) return Promise.resolve({ state: to.slice(0, lattice.rows), steps, converged })
    }
  }

  release(): Promise<void> {
    this.#lattice = undefined
    this.#vectors = undefined
    return Promise.resolve()
  }

  #require(): Vectors & { readonly lattice: SellLattice } {
    if (this.#lattice === undefined || this.#vectors === undefined) throw new Error('the wasm engine has no lattice loaded')
    return { lattice: this.#lattice, ...this.#vectors }
  }

  /** Lays all arrays out in the module's memory, in the place of those before. */
  #place(rows: number, sizes: LayoutSizes): LayoutArrays {
    let end = SCRATCH + SCRATCH_BYTES
    const take = (bytes: number): number => {
      const at = Math.ceil(end / ALIGNMENT) * ALIGNMENT
      end = at + bytes
      return at
    }
    const places = rows + 1
    const at = {
      teacher: take(4 * places),
      states: [take(4 * places), take(4 * places)] as const,
      tiles: take(4 * sizes.tiles),
      lanes: take(4 * sizes.lanes),
      scales: take(8 * sizes.scales),
      stream: take(sizes.stream),
    }
    const { memory } = this.#module
    const missing = end - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
    const { buffer } = memory
    new Uint8Array(buffer, SCRATCH, end - SCRATCH).fill(0)
    const vector = (from: number): Float32Array => new Float32Array(buffer, from, places)
    this.#vectors = { teacher: vector(at.teacher), states: [vector(at.states[0]), vector(at.states[1])] }
    return {
      tiles: new Uint32Array(buffer, at.tiles, sizes.tiles),
      lanes: new Uint32Array(buffer, at.lanes, sizes.lanes),
      scales: new Float64Array(buffer, at.scales, sizes.scales),
      stream: new Uint8Array(buffer, at.stream, sizes.stream),
    }
  }
}

/** Whether ‖to − from‖² < limit, as the sum in the order of the rows would decide. */
function isSettled(unordered: number, limit: number, from: Float32Array, to: Float32Array): boolean {
  if (unordered < limit * (1 - SUM_DOUBT)) return true
  if (unordered > limit * (1 + SUM_DOUBT)) return false
  return squaredDistance(from, to) < limit
}
