import { createHash } from 'node:crypto'
import { foldBytes, foldLattice, type FoldId, type LayerId } from '@sgsd/consensus'
import {
  type Baseline,
  cover,
  coverState,
  type HanziKernel,
  hebb,
  type LatticeMatrices,
  type LearnedRow,
  nearest,
  nextLineScore,
  reward,
  withRows,
} from '@sgsd/lattice'
import { encodeRowBlock, encodeStateBlock } from '@sgsd/wire'
import { ComputeError } from '../compute-error.ts'
import type { FoldMembers } from './lattice-calls.ts'
import { type CheckedLayer, checkLayer } from './layer-check.ts'
import { blocksOf, rowsOf } from './learned-blocks.ts'
import { MeanState } from './mean-state.ts'
import type { Answer, CommitDraft, FarmReport, FoldReport, LayerContent } from './port.ts'
import type { StepEngine, Trajectory } from './step-engine.ts'

/** Layers loaded and not yet part of a fold, at most; beyond it the one loaded first goes, and must be loaded again to be folded. */
const MAX_WAITING_LAYERS = 256

/** Characters of an unknown text that an error repeats. */
const MAX_ECHO = 64

/** The rule of `foldLattice`. */
const FOLD_ID: FoldId = 'mean/1'

/**
 * The running lattice of one member: the consensus (at first the kernel's own lattice) with the rows that this member learned in the
 * place of the consensus' rows, and the engine that steps it. Learned rows survive a fold; they are part of it through the member's head.
 */
export class Swarm {
  readonly #kernel: HanziKernel
  readonly #base: LatticeMatrices
  readonly #stopped: () => boolean
  #consensus: LatticeMatrices
  #engine: StepEngine
  #owned: ReadonlySet<number> = new Set()
  #learned = new Map<number, LearnedRow>()
  readonly #loaded = new Map<LayerId, CheckedLayer>()
  /** What the newest fold named. */
  #folded: ReadonlySet<LayerId> = new Set()
  readonly #mean: MeanState
  #scoreSum = 0
  #baseline: Baseline

  /** @param stopped - looked at between two lines: a long call then ends with CLOSED */
  constructor(kernel: HanziKernel, base: LatticeMatrices, engine: StepEngine, stopped: () => boolean) {
    this.#kernel = kernel
    this.#base = base
    this.#consensus = base
    this.#engine = engine
    this.#stopped = stopped
    this.#mean = new MeanState(kernel.definedCount)
  }

  /** Loads the running lattice into an engine and steps with it from now on. The caller releases the one before. */
  async use(engine: StepEngine): Promise<void> {
    await engine.load(this.#running())
    this.#engine = engine
  }

  get engine(): StepEngine {
    return this.#engine
  }

  setOwned(radicals: readonly number[]): void {
    this.#owned = new Set(radicals)
  }

  async farm(lines: readonly string[]): Promise<FarmReport> {
    let graded = 0
    let skipped = 0
    let sum = 0
    for (let i = 0; i + 1 < lines.length; i++) {
      if (this.#stopped()) throw new ComputeError('CLOSED', { call: 'farm' })
      const { rows } = cover(this.#kernel, lines[i]!)
      if (rows.length === 0) {
        skipped++
        continue
      }
      const { state } = await this.#trajectory(rows)
      const score = nextLineScore(state, this.#kernel, lines[i + 1]!, undefined, rows)?.score
      if (score === undefined) continue
      graded++
      sum += score
      this.#learn(state, score)
    }
    return { graded, skipped, meanScore: graded === 0 ? 0 : sum / graded, touchedRows: this.#learned.size }
  }

  commit(): CommitDraft {
    const lines = this.#mean.count
    return {
      radicals: blocksOf(this.#learned, this.#kernel.radicals).map((block) => ({
        radical: block.radical,
        rows: block.rowIds.length,
        nnz: block.tauCols.length + block.rhoCols.length,
        bytes: encodeRowBlock(block),
      })),
      state: encodeStateBlock(this.#mean.mean()),
      lines,
      meanScore: lines === 0 ? 0 : this.#scoreSum / lines,
    }
  }

  async restore(own: LayerContent, lines: number, meanScore: number): Promise<void> {
    const layer = checkLayer(this.#kernel, own)
    if ('refusal' in layer) throw new ComputeError('LAYER_REFUSED', { layer: own.layer, detail: layer.refusal })
    this.#learned = rowsOf(layer.blocks)
    this.#mean.restart(layer.state, lines)
    this.#scoreSum = meanScore * lines
    this.#baseline = lines === 0 ? undefined : meanScore
    await this.#engine.load(this.#running())
  }

  load(content: LayerContent): string | undefined {
    const layer = checkLayer(this.#kernel, content)
    if ('refusal' in layer) return layer.refusal
    this.#loaded.delete(content.layer)
    this.#loaded.set(content.layer, layer)
    const waiting = [...this.#loaded.keys()].filter((loaded) => !this.#folded.has(loaded))
    for (const oldest of waiting.slice(0, -MAX_WAITING_LAYERS)) this.#loaded.delete(oldest)
    return undefined
  }

  async fold(members: FoldMembers): Promise<FoldReport> {
    const began = performance.now()
    const named = members.map((member) => {
      const layer = this.#loaded.get(member.layer)
      if (layer === undefined) throw new ComputeError('LAYER_REFUSED', { layer: member.layer, detail: 'it is not loaded' })
      return { ...member, ...layer }
    })
    const folded = foldLattice(this.#base, new Float32Array(this.#kernel.definedCount), named)
    const hash = createHash('sha256').update(this.#kernel.id).update(FOLD_ID)
    for (const bytes of foldBytes(folded)) hash.update(bytes)
    this.#consensus = folded.matrices
    await this.#engine.load(this.#running())
    const now = new Set(members.map(({ layer }) => layer))
    // a layer that no fold has named yet was loaded after the caller chose: the next fold will name it
    for (const layer of this.#folded) if (!now.has(layer)) this.#loaded.delete(layer)
    this.#folded = now
    return { digest: hash.digest('hex'), rows: folded.rows, nnz: folded.nnz, ms: performance.now() - began }
  }

  async ask(text: string, k: number): Promise<Answer> {
    const { rows, known, unknown } = cover(this.#kernel, text)
    if (rows.length === 0) throw new ComputeError('TEXT_UNKNOWN', { text: [...text].slice(0, MAX_ECHO).join('') })
    const { state, steps, converged } = await this.#trajectory(rows)
    return {
      nearest: nearest(state, rows, k).map(({ row, value }) => ({
        character: this.#kernel.characterAt(row),
        value,
        definition: this.#kernel.definitionOf(row),
      })),
      known,
      unknown,
      steps,
      converged,
      provider: this.#engine.name,
    }
  }

  /** From a cover to rest. The cover is held as the teacher: without one the stable step forgets it and decays to 0. */
  #trajectory(rows: Uint32Array): Promise<Trajectory> {
    const covered = coverState(this.#kernel, rows)
    return this.#engine.converge(covered, covered)
  }

  #learn(state: Float32Array, score: number): void {
    const next = reward(this.#baseline, score)
    this.#baseline = next.baseline
    this.#scoreSum += score
    this.#mean.add(state)
    const owns = (row: number): boolean => this.#owned.has(this.#kernel.radicals[row]!)
    for (const row of hebb(this.#consensus, this.#learned, state, next.reward, owns)) this.#engine.setRow(row, this.#learned.get(row)!)
  }

  #running(): LatticeMatrices {
    return this.#learned.size === 0 ? this.#consensus : withRows(this.#consensus, this.#learned)
  }
}
