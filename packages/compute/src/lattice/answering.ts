import { type LearningRule, ruleOf, type FoldId } from '@sgsd/consensus'
import { coverState, type HanziKernel, type LatticeMatrices, Readout } from '@sgsd/lattice'
import { chooseCpuEngine } from './cpu-engines.ts'
import type { Settled } from './learning/learning.ts'
import type { StepEngine } from './step-engine.ts'

/** What questions are put to. */
export interface Settler {
  /** s(t+1). @param rows - distinct, not empty */
  settle(rows: Uint32Array): Promise<Settled>
}

/** A lattice to answer from, apart from the running one. */
export interface AnswerSource {
  readonly matrices: LatticeMatrices
  readonly state: Float32Array
}

/** Answers from lattices of the past, while the running one learns on: they have an engine of their own. */
export class Answering {
  readonly #kernel: HanziKernel
  readonly #rule: LearningRule
  #engine: StepEngine | undefined

  constructor(kernel: HanziKernel, foldId: FoldId) {
    this.#kernel = kernel
    this.#rule = ruleOf(foldId)
  }

  /** What answers from a lattice; the one before is no longer asked. */
  async over(source: AnswerSource): Promise<Settler> {
    if (this.#rule === 'evidence') {
      const readout = new Readout(source)
      return { settle: async (rows) => ({ state: readout.state(rows), steps: 1, converged: true, provider: 'readout' }) }
    }
    this.#engine ??= (await chooseCpuEngine(undefined)).engine
    const engine = this.#engine
    await engine.load(source.matrices)
    return {
      settle: async (rows) => {
        const cover = coverState(this.#kernel, rows)
        return { ...(await engine.converge(cover, cover)), provider: engine.name }
      },
    }
  }

  /** Frees the engine. */
  async release(): Promise<void> {
    await this.#engine?.release()
    this.#engine = undefined
  }
}
