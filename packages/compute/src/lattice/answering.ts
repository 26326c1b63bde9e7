import { type LearningRule, ruleOf, type FoldId } from '@sgsd/consensus'
import { coverState, EVIDENCE, type HanziKernel, type LatticeColumns, type LatticeMatrices, Readout } from '@sgsd/lattice'
import { openCpuEngine } from './cpu-engines.ts'
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
  /** Of a lattice of counts: its matrices by columns. */
  readonly columns?: LatticeColumns | undefined
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

  /** What answers from a lattice; the one before is no longer asked. @param engineName - what steps the running one */
  async over(source: AnswerSource, engineName: string): Promise<Settler> {
    if (this.#rule === 'evidence') {
      const readout = new Readout(source, EVIDENCE, source.columns)
      return { settle: async (rows) => ({ state: readout.state(rows), steps: 1, converged: true, provider: 'readout' }) }
    }
    this.#engine ??= await openCpuEngine(engineName)
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
