import { type LatticeMatrices, type LearnedRow, rowScales, squaredDistance, withRows } from '@sgsd/lattice'
import type { InferenceSession, OnnxValue } from 'onnxruntime-node'
import { createSession, type Ort, type ProviderName } from '../../onnx/ort.ts'
import { scalesOfRow } from '../row-source.ts'
import type { StepEngine, SwarmProfile, Trajectory } from '../step-engine.ts'
import { latticeGraph, UNROLLED_STEPS } from './lattice-graph.ts'
import { type LearnedPlaces, StackedEll } from './stacked-ell.ts'

/** Room for learned rows once there are any, and at most: 64 edges of 8 bytes each that go to the device with every run. */
const LEARNED_ROOM = { first: 512, most: 8_192 } as const

/**
 * Parts by which a provider's own sum of squares may be off: n roundings of binary32 in a row, of 23,000 rows. Nearer to the tolerance
 * the host sums up itself, so that the provider does not decide the number of steps.
 */
const SUM_DOUBT = 1e-2

/** A lattice on the device, and what goes there with each run: tensors over arrays that `setRow` writes to. */
interface Loaded {
  readonly matrices: LatticeMatrices
  readonly rows: number
  readonly learned: LearnedPlaces
  /** Wτ's rows, then Wρ's, those negative. */
  readonly scales: Float32Array
  readonly feeds: Readonly<Record<string, OnnxValue>>
  readonly session: InferenceSession
}

/** Steps in ONNX Runtime. A run blocks its thread: for workers only. */
export class OnnxStepEngine implements StepEngine {
  readonly name: string
  readonly #ort: Ort
  readonly #provider: ProviderName | 'cpu'
  readonly #profile: SwarmProfile
  readonly #replaced = new Map<number, LearnedRow>()
  #loaded: Loaded | undefined
  /** Room for learned rows of the next layout. Stays 0 where rows are never replaced. */
  #room = 0
  /** Replaced rows did not fit: lay the lattice out anew before the next run. */
  #outgrown = false

  constructor(ort: Ort, provider: ProviderName | 'cpu', profile: SwarmProfile) {
    this.name = `onnx:${provider}`
    this.#ort = ort
    this.#provider = provider
    this.#profile = profile
  }

  /** Puts the lattice on the device and compiles its graph, unless it is there already. */
  async load(matrices: LatticeMatrices): Promise<void> {
    const unchanged = this.#loaded?.matrices === matrices && this.#replaced.size === 0
    this.#replaced.clear()
    if (!unchanged) await this.#take(matrices)
  }

  setRow(row: number, edges: LearnedRow): void {
    const { learned, scales, rows } = this.#require()
    this.#replaced.set(row, edges)
    if (this.#outgrown) return
    const scale = scalesOfRow(edges, this.#profile.params)
    scales[row] = scale.tau
    scales[rows + row] = -scale.rho
    this.#outgrown = !learned.setRow(row, edges)
  }

  async converge(start: Float32Array, teacher: Float32Array | undefined): Promise<Trajectory> {
    if (this.#outgrown) await this.#enlarge()
    const { rows, feeds, session } = this.#require()
    const { tolerance, maxSteps } = this.#profile
    const { Tensor } = this.#ort
    const t = new Tensor('float32', teacher ?? new Float32Array(rows), [rows])
    let state = start
    for (let done = 0; ; done += UNROLLED_STEPS) {
      const outputs = await session.run({ ...feeds, s: new Tensor('float32', state, [rows]), t })
      const output = (name: string): Float32Array => outputs[name]!.data as Float32Array
      for (let step = 1; step <= UNROLLED_STEPS; step++) {
        const steps = done + step
        const next = output(`s${step}`)
        const converged = isSettled(output(`d${step}`)[0]!, tolerance * tolerance, state, next)
        if (converged || steps >= maxSteps) return { state: next.slice(), steps, converged }
        state = next
      }
    }
  }

  async release(): Promise<void> {
    const session = this.#loaded?.session
    this.#loaded = undefined
    await session?.release()
  }

  #require(): Loaded {
    if (this.#loaded === undefined) throw new Error(`${this.name} has no lattice loaded`)
    return this.#loaded
  }

  async #enlarge(): Promise<void> {
    const merged = withRows(this.#require().matrices, this.#replaced)
    this.#replaced.clear()
    this.#room = Math.min(LEARNED_ROOM.most, Math.max(LEARNED_ROOM.first, 2 * this.#room))
    await this.#take(merged)
  }

  async #take(matrices: LatticeMatrices): Promise<void> {
    // one lattice on the device at a time
    await this.release()
    const { params } = this.#profile
    const { rows, learned, places, session } = await this.#compile(matrices)
    const byRow = rowScales(matrices, params)
    const scales = new Float32Array(2 * rows)
    scales.set(byRow.tau)
    scales.set(
      byRow.rho.map((scale) => -scale),
      rows,
    )
    const { Tensor } = this.#ort
    const room = [learned.width, learned.height]
    const feeds = {
      places: new Tensor('int32', places, [2 * rows]),
      scales: new Tensor('float32', scales, [2 * rows]),
      ...(learned.height === 0 ? {} : { columns: new Tensor('int32', learned.columns, room), weights: new Tensor('float32', learned.weights, room) }),
    }
    this.#loaded = { matrices, rows, learned, scales, feeds, session }
    this.#outgrown = false
  }

  /** Of the layout only what changes is kept: the rest is in the session. */
  async #compile(matrices: LatticeMatrices): Promise<Pick<StackedEll, 'rows' | 'learned' | 'places'> & { readonly session: InferenceSession }> {
    const table = new StackedEll(matrices, this.#room)
    const { rows, learned, places } = table
    return { rows, learned, places, session: await createSession(this.#ort, latticeGraph(table, this.#profile.params), this.#provider) }
  }
}

/** Whether ‖to − from‖² < limit, as the host's own sum would decide. */
function isSettled(squared: number, limit: number, from: Float32Array, to: Float32Array): boolean {
  if (squared < limit * (1 - SUM_DOUBT)) return true
  if (squared > limit * (1 + SUM_DOUBT)) return false
  return squaredDistance(from, to) < limit
}
