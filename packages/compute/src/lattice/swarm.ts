import { type EvidenceBlock, type FoldId, type FoldKernel, type LayerId, type PeerName, REFERENCE_FOLD_KERNEL, type RowBlock } from '@sgsd/consensus'
import { cover, lineRows, nearest } from '@sgsd/lattice'
import { ComputeError } from '../compute-error.ts'
import { foldDigest } from '../history/fold-digest.ts'
import { Answering, type AnswerSource, type Settler } from './answering.ts'
import type { FoldMembers } from './lattice-calls.ts'
import { EvidenceLearning } from './learning/evidence-learning.ts'
import { HebbLearning } from './learning/hebb-learning.ts'
import type { CheckedLayer, Learning, LearningGround } from './learning/learning.ts'
import { consensusRow, NO_EDGES } from './consensus-row.ts'
import type { Adopted, Answer, CommitDraft, ConsensusRow, FarmOptions, FarmReport, FoldReport, GradedLine, LayerContent, Prediction } from './port.ts'
import type { ProgramLattice } from './programs/program-run.ts'
import type { StepEngine } from './step-engine.ts'

/** Layers loaded and not yet part of a fold, at most; beyond it the one loaded first goes, and must be loaded again to be folded. */
const MAX_WAITING_LAYERS = 256

/** The same for one member: its newest, and the one before, which a fold may have chosen already. */
const MAX_WAITING_OF_AUTHOR = 2

/** Characters of an unknown text that an error repeats. */
const MAX_ECHO = 64

/** Author of a layer that is looked at by itself: whose it is changes nothing in its fold. */
const NOBODY = '' as PeerName

/** The swarm of a mesh, by its fold. */
export type AnySwarm = Swarm<RowBlock> | Swarm<EvidenceBlock>

/** Opens the swarm that a mesh's fold asks for. The engine is loaded by `use`. @param kernel - what folds rows; all give the same */
export function openSwarm(foldId: FoldId, ground: LearningGround, engine: StepEngine, kernel: FoldKernel = REFERENCE_FOLD_KERNEL): AnySwarm {
  switch (foldId) {
    case 'mean/1':
    case 'trimmed/1':
    case 'median/1':
      return new Swarm(ground, new HebbLearning(ground, engine, foldId, kernel))
    case 'evidence/1':
      return new Swarm(ground, new EvidenceLearning(ground, engine))
  }
}

/**
 * The running lattice of one member behind the worker's calls: what is the same for every learning rule. Loads and keeps the layers of others, folds
 * them, and answers; how it learns is the rule's.
 */
export class Swarm<B> {
  readonly #ground: LearningGround
  readonly #learning: Learning<B>
  /** In the order of loading. */
  readonly #loaded = new Map<LayerId, CheckedLayer<B> & Pick<LayerContent, 'author'>>()
  /** What the newest fold named. */
  #folded: ReadonlySet<LayerId> = new Set()
  #consensus: ProgramLattice
  readonly #answering: Answering
  /** What is asked in the place of the running lattice. */
  #answers: Settler | undefined
  #source: AnswerSource | undefined

  constructor(ground: LearningGround, learning: Learning<B>) {
    this.#ground = ground
    this.#learning = learning
    this.#answering = new Answering(ground.kernel, learning.foldId)
    this.#consensus = { matrices: ground.base, state: new Float32Array(ground.kernel.definedCount) }
  }

  /** Loads the running lattice into an engine and steps with it from now on. The caller releases the one before. */
  use(engine: StepEngine): Promise<void> {
    return this.#learning.use(engine)
  }

  get engine(): StepEngine {
    return this.#learning.engine
  }

  /** The engine, with the running lattice as it is now. */
  stepper(): Promise<StepEngine> {
    return this.#learning.stepper()
  }

  setOwned(radicals: readonly number[]): void {
    this.#learning.setOwned(radicals)
  }

  farm(lines: readonly string[], options: FarmOptions = {}): Promise<FarmReport> {
    return this.#learning.farm(lines, options)
  }

  learn(items: readonly GradedLine[]): Promise<FarmReport> {
    return this.#learning.learn(items)
  }

  adopt(content: LayerContent): Adopted {
    const layer = this.#learning.check(content)
    if ('refusal' in layer) throw new ComputeError('LAYER_REFUSED', { layer: content.layer, detail: layer.refusal })
    return this.#learning.adopt(layer)
  }

  async predict(lines: readonly string[], k: number): Promise<readonly Prediction[]> {
    const { kernel, stopped } = this.#ground
    const predictions: Prediction[] = []
    for (const line of lines) {
      if (stopped()) throw new ComputeError('CLOSED', { call: 'predict' })
      const rows = lineRows(kernel, line)
      const best = rows.length === 0 ? [] : await this.#learning.nearest(rows, k)
      predictions.push({ nearest: best.map(({ row, value }) => ({ character: kernel.characterAt(row), value })) })
    }
    return predictions
  }

  commit(): CommitDraft {
    return this.#learning.commit()
  }

  async restore(own: LayerContent, lines: number, meanScore: number): Promise<void> {
    const layer = this.#learning.check(own)
    if ('refusal' in layer) throw new ComputeError('LAYER_REFUSED', { layer: own.layer, detail: layer.refusal })
    await this.#learning.restore(layer, lines, meanScore)
  }

  load(content: LayerContent): string | undefined {
    const layer = this.#learning.check(content)
    if ('refusal' in layer) return layer.refusal
    this.#loaded.delete(content.layer)
    this.#loaded.set(content.layer, content.author === undefined ? layer : { ...layer, author: content.author })
    this.#bound()
    return undefined
  }

  async fold(members: FoldMembers): Promise<FoldReport> {
    const began = performance.now()
    const named = members.map((member) => {
      const layer = this.#loaded.get(member.layer)
      if (layer === undefined) throw new ComputeError('LAYER_REFUSED', { layer: member.layer, detail: 'it is not loaded' })
      return { ...member, ...layer }
    })
    const folded = await this.#learning.fold(named)
    this.#consensus = folded
    const now = new Set(members.map(({ layer }) => layer))
    // a layer that no fold has named yet was loaded after the caller chose: the next fold will name it
    for (const layer of this.#folded) if (!now.has(layer)) this.#loaded.delete(layer)
    this.#folded = now
    return {
      digest: foldDigest(this.#ground.kernel.id, this.#learning.foldId, folded),
      rows: folded.rows,
      nnz: folded.nnz,
      ms: performance.now() - began,
    }
  }

  /** The consensus as folded, without what this member has learned since. Never changed in place: a fold replaces it. */
  get consensus(): ProgramLattice {
    return this.#consensus
  }

  /** What answers: the consensus as folded, or what stands in its place. */
  get answers(): ProgramLattice {
    return this.#source ?? this.#consensus
  }

  /** What the consensus would be with this one layer, or why the layer is refused. Changes nothing. */
  consensusOf(content: LayerContent): ProgramLattice | { readonly refusal: string } {
    const layer = this.#learning.check(content)
    if ('refusal' in layer) return layer
    return this.#learning.foldOf([{ peer: NOBODY, seq: 0n, layer: content.layer, weight: 1, ...layer }])
  }

  /** Forgets layers that no fold has named, the oldest first, where there are too many. */
  #bound(): void {
    const ofAuthor = new Map<string, number>()
    let waiting = 0
    for (const [id, { author }] of [...this.#loaded].reverse()) {
      if (this.#folded.has(id)) continue
      waiting++
      const before = author === undefined ? 0 : (ofAuthor.get(author) ?? 0)
      if (waiting > MAX_WAITING_LAYERS || before >= MAX_WAITING_OF_AUTHOR) this.#loaded.delete(id)
      else if (author !== undefined) ofAuthor.set(author, before + 1)
    }
  }

  /** Answers from this lattice, or (undefined) from the running one, from the next question on. Learning, predictions and folds go on as they were. */
  async answerFrom(source: AnswerSource | undefined): Promise<void> {
    this.#answers = source === undefined ? undefined : await this.#answering.over(source, this.engine.name)
    this.#source = source
    if (source === undefined) await this.#answering.release()
  }

  /** One row of the consensus as folded: columns and weights of both matrices. */
  consensusRow(row: number): ConsensusRow {
    return row < this.#ground.kernel.definedCount ? consensusRow(this.#consensus.matrices, row) : NO_EDGES
  }

  async ask(text: string, k: number): Promise<Answer> {
    const { kernel } = this.#ground
    const { rows, known, unknown } = cover(kernel, text)
    if (rows.length === 0) throw new ComputeError('TEXT_UNKNOWN', { text: [...text].slice(0, MAX_ECHO).join('') })
    const { state, steps, converged, provider } = await (this.#answers ?? this.#learning).settle(rows)
    return {
      nearest: nearest(state, rows, k).map(({ row, value }) => ({
        character: kernel.characterAt(row),
        value,
        definition: kernel.definitionOf(row),
      })),
      known,
      unknown,
      steps,
      converged,
      provider,
    }
  }
}
