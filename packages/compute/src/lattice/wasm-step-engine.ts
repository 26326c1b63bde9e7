import type { LatticeMatrices, LearnedRow } from '@sgsd/lattice'
import { LATTICE_STEP_WASM } from './lattice-step-wasm.generated.ts'
import { eachEdge, rowView, scalesOfRow } from './row-source.ts'
import type { StepEngine, SwarmProfile, Trajectory } from './step-engine.ts'

/** Exports of packages/compute/assembly/lattice-step.ts, which describes the arguments. */
interface StepModule {
  readonly memory: WebAssembly.Memory
  latticeStep(
    rows: number,
    table: number,
    cols: number,
    weights: number,
    scales: number,
    state: number,
    bias: number,
    out: number,
    keep: number,
  ): number
}

/** Arrays in the module's memory; made anew when it grows. */
interface Layout {
  /** Rows of the lattice, and rounded up to what the kernel takes. */
  readonly rows: number
  readonly paddedRows: number
  /** Edges that fit. */
  readonly capacity: number
  readonly table: Uint32Array
  readonly cols: Uint32Array
  readonly weights: Float32Array
  readonly scales: Float64Array
  readonly bias: Float64Array
  /** s and s', by turns. */
  readonly states: readonly [Float32Array, Float32Array]
}

/** First byte of the arrays: below it nothing is written, so that a zero pointer is no array. */
const FIRST_BYTE = 1_024

const PAGE_BYTES = 65_536

/** Edges kept free behind the loaded ones for rows that grow while learning: 256 rows of the greatest length. */
const SPARE_EDGES = 256 * 64

/** Steps in WebAssembly SIMD, equal to the reference to the bit. */
export class WasmStepEngine implements StepEngine {
  readonly name = 'wasm'
  readonly #profile: SwarmProfile
  readonly #module: StepModule
  #layout: Layout | undefined
  /** Edge behind the last used one. */
  #used = 0
  /** Edges that each row has room for where it stands. */
  #room: Uint32Array = new Uint32Array(0)

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
    const { rows } = matrices.tau
    let edges = 0
    for (let row = 0; row < rows; row++) edges += eachEdge(rowView(matrices, row), () => {})
    this.#layout = this.#place(rows, edges + SPARE_EDGES)
    this.#used = 0
    this.#room = new Uint32Array(rows)
    for (const array of [this.#layout.table, this.#layout.scales]) array.fill(0)
    for (let row = 0; row < rows; row++) this.#append(row, rowView(matrices, row))
    return Promise.resolve()
  }

  setRow(row: number, edges: LearnedRow): void {
    const { table, capacity } = this.#require()
    const count = eachEdge(edges, () => {})
    if (count <= this.#room[row]!) {
      this.#write(row, table[2 * row]!, edges)
      return
    }
    if (this.#used + count > capacity) this.#enlarge(count)
    this.#append(row, edges)
  }

  converge(start: Float32Array, teacher: Float32Array | undefined): Promise<Trajectory> {
    const { params, tolerance, maxSteps } = this.#profile
    const { rows, paddedRows, table, cols, weights, scales, bias, states } = this.#require()
    for (const state of states) state.fill(0)
    states[0].set(start)
    if (teacher === undefined) bias.fill(0)
    else for (let row = 0; row < rows; row++) bias[row] = params.gamma * teacher[row]!
    const settled = tolerance * tolerance
    const keep = 1 - params.lambda
    const fixed = [paddedRows, table.byteOffset, cols.byteOffset, weights.byteOffset, scales.byteOffset] as const
    for (let steps = 1; ; steps++) {
      const from = states[(steps - 1) % 2]!
      const to = states[steps % 2]!
      const moved = this.#module.latticeStep(...fixed, from.byteOffset, bias.byteOffset, to.byteOffset, keep)
      const converged = moved < settled
      if (converged || steps >= maxSteps) return Promise.resolve({ state: to.slice(0, rows), steps, converged })
    }
  }

  release(): Promise<void> {
    this.#layout = undefined
    return Promise.resolve()
  }

  #require(): Layout {
    if (this.#layout === undefined) throw new Error('the wasm engine has no lattice loaded')
    return this.#layout
  }

  /** Puts a row behind the used edges. */
  #append(row: number, edges: LearnedRow): void {
    const count = this.#write(row, this.#used, edges)
    this.#room[row] = count
    this.#used += count
  }

  #write(row: number, first: number, edges: LearnedRow): number {
    const { table, cols, weights, scales } = this.#require()
    const count = eachEdge(edges, (at, column, tau, rho) => {
      cols[first + at] = column
      weights[2 * (first + at)] = tau
      weights[2 * (first + at) + 1] = rho
    })
    table[2 * row] = first
    table[2 * row + 1] = first + count
    const scale = scalesOfRow(edges, this.#profile.params)
    scales[2 * row] = scale.tau
    scales[2 * row + 1] = scale.rho
    return count
  }

  /** Makes room for more edges: closes the gaps that moved rows left, then lays everything out anew. */
  #enlarge(count: number): void {
    const old = this.#require()
    const table = old.table.slice()
    const cols = old.cols.slice(0, this.#used)
    const weights = old.weights.slice(0, 2 * this.#used)
    const scales = old.scales.slice()
    let live = 0
    for (let row = 0; row < old.rows; row++) live += table[2 * row + 1]! - table[2 * row]!
    const layout = this.#place(old.rows, live + count + SPARE_EDGES)
    layout.scales.set(scales)
    layout.table.fill(0)
    this.#layout = layout
    this.#used = 0
    for (let row = 0; row < old.rows; row++) {
      const [from, to] = [table[2 * row]!, table[2 * row + 1]!]
      layout.cols.set(cols.subarray(from, to), this.#used)
      layout.weights.set(weights.subarray(2 * from, 2 * to), 2 * this.#used)
      layout.table[2 * row] = this.#used
      this.#used += to - from
      layout.table[2 * row + 1] = this.#used
      this.#room[row] = to - from
    }
  }

  #place(rows: number, capacity: number): Layout {
    const paddedRows = rows + (rows % 2)
    let end = FIRST_BYTE
    const take = (bytes: number): number => {
      const at = end
      end = (end + bytes + 15) & ~15
      return at
    }
    const at = {
      table: take(8 * paddedRows),
      scales: take(16 * paddedRows),
      bias: take(8 * paddedRows),
      states: [take(4 * paddedRows), take(4 * paddedRows)] as const,
      cols: take(4 * capacity),
      weights: take(8 * capacity),
    }
    const { memory } = this.#module
    const missing = end - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
    const { buffer } = memory
    return {
      rows,
      paddedRows,
      capacity,
      table: new Uint32Array(buffer, at.table, 2 * paddedRows),
      scales: new Float64Array(buffer, at.scales, 2 * paddedRows),
      bias: new Float64Array(buffer, at.bias, paddedRows),
      states: [new Float32Array(buffer, at.states[0], paddedRows), new Float32Array(buffer, at.states[1], paddedRows)],
      cols: new Uint32Array(buffer, at.cols, capacity),
      weights: new Float32Array(buffer, at.weights, 2 * capacity),
    }
  }
}
