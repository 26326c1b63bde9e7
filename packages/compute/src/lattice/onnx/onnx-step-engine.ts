import { type LatticeMatrices, type LearnedRow, rowScales, withRows } from '@sgsd/lattice'
import type { InferenceSession, OnnxValue } from 'onnxruntime-node'
import { scalesOfRow } from '../row-source.ts'
import type { StepEngine, SwarmProfile, Trajectory } from '../step-engine.ts'
import { EllTable } from './ell-buckets.ts'
import { latticeGraph, UNROLLED_STEPS } from './lattice-graph.ts'
import { createSession, type Ort, type ProviderName } from '../../onnx/ort.ts'

/** A lattice as the graph's inputs. The tensors stand on the tables' arrays, so that a replaced row shows in the next run. */
interface Loaded {
  readonly matrices: LatticeMatrices
  readonly tau: EllTable
  readonly rho: EllTable
  readonly tauScales: Float32Array
  readonly rhoScales: Float32Array
  readonly feeds: Readonly<Record<string, OnnxValue>>
  readonly session: InferenceSession
  readonly shape: string
}

/** Steps in ONNX Runtime. A run blocks its thread: for workers only. */
export class OnnxStepEngine implements StepEngine {
  readonly name: string
  readonly #ort: Ort
  readonly #provider: ProviderName | 'cpu'
  readonly #profile: SwarmProfile
  readonly #replaced = new Map<number, LearnedRow>()
  #loaded: Loaded | undefined
  /** Replaced rows did not fit: build larger tables before the next run. */
  #outgrown = false

  constructor(ort: Ort, provider: ProviderName | 'cpu', profile: SwarmProfile) {
    this.name = `onnx:${provider}`
    this.#ort = ort
    this.#provider = provider
    this.#profile = profile
  }

  /** Compiles a graph only when the lattice has another shape than the one before. */
  async load(matrices: LatticeMatrices): Promise<void> {
    this.#replaced.clear()
    await this.#take(matrices)
  }

  setRow(row: number, edges: LearnedRow): void {
    const { tau, rho, tauScales, rhoScales } = this.#require()
    this.#replaced.set(row, edges)
    if (this.#outgrown) return
    const scale = scalesOfRow(edges, this.#profile.params)
    tauScales[row] = scale.tau
    rhoScales[row] = scale.rho
    this.#outgrown = !(tau.setRow(row, edges.tauCols, edges.tauVals) && rho.setRow(row, edges.rhoCols, edges.rhoVals))
  }

  async converge(start: Float32Array, teacher: Float32Array | undefined): Promise<Trajectory> {
    if (this.#outgrown) await this.#enlarge()
    const { tau, feeds, session } = this.#require()
    const { tolerance, maxSteps } = this.#profile
    const { Tensor } = this.#ort
    const dims = [tau.rows]
    const settled = tolerance * tolerance
    const t = new Tensor('float32', teacher ?? new Float32Array(tau.rows), dims)
    let state = start
    for (let done = 0; ; done += UNROLLED_STEPS) {
      const outputs = await session.run({ ...feeds, s: new Tensor('float32', state, dims), t })
      const output = (name: string): Float32Array => outputs[name]!.data as Float32Array
      for (let step = 1; step <= UNROLLED_STEPS; step++) {
        const steps = done + step
        const converged = output(`d${step}`)[0]! < settled
        if (converged || steps >= maxSteps) return { state: output(`s${step}`).slice(), steps, converged }
      }
      state = output(`s${UNROLLED_STEPS}`)
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
    const { matrices, tau, rho } = this.#require()
    const merged = withRows(matrices, this.#replaced)
    this.#replaced.clear()
    await this.#take(merged, Math.max(tau.nextLearned, rho.nextLearned))
  }

  async #take(matrices: LatticeMatrices, learned?: number): Promise<void> {
    const tau = new EllTable(matrices.tau, learned)
    const rho = new EllTable(matrices.rho, learned)
    const shape = `${tau.rows}: ${tau.shape}; ${rho.shape}`
    let session = this.#loaded?.shape === shape ? this.#loaded.session : undefined
    if (session === undefined) {
      await this.release()
      session = await createSession(this.#ort, latticeGraph(tau, rho, this.#profile.params), this.#provider)
    }
    const scales = rowScales(matrices, this.#profile.params)
    const tauScales = Float32Array.from(scales.tau)
    const rhoScales = Float32Array.from(scales.rho)
    const feeds = { ...this.#feeds('tau', tau, tauScales), ...this.#feeds('rho', rho, rhoScales) }
    this.#loaded = { matrices, tau, rho, tauScales, rhoScales, feeds, session, shape }
    this.#outgrown = false
  }

  #feeds(name: string, table: EllTable, scales: Float32Array): Record<string, OnnxValue> {
    const { Tensor } = this.#ort
    const feeds: Record<string, OnnxValue> = {
      [`${name}.places`]: new Tensor('int32', table.places, [table.rows]),
      [`${name}.scales`]: new Tensor('float32', scales, [table.rows]),
    }
    table.buckets.forEach(({ width, height, columns, weights }, b) => {
      feeds[`${name}.columns.${b}`] = new Tensor('int32', columns, [height, width])
      feeds[`${name}.weights.${b}`] = new Tensor('float32', weights, [height, width])
    })
    return feeds
  }
}
