import { type Folded, type FoldKernel, type FoldMember, packRows, RowFold, type RowFoldId, type RowBlock } from '@sgsd/consensus'
import {
  adjacentLines,
  type Baseline,
  coverState,
  type Entry,
  hebb,
  type LatticeMatrices,
  type LearnedRow,
  lineRows,
  nearest,
  nextLineScore,
  reward,
  withRows,
} from '@sgsd/lattice'
import { encodeRowBlock, encodeStateBlock } from '@sgsd/wire'
import { ComputeError } from '../../compute-error.ts'
import { checkLayer, ROW_READER } from '../layer-check.ts'
import type { Adopted, CommitDraft, FarmOptions, FarmReport, GradedLine, LayerContent } from '../port.ts'
import type { StepEngine, Trajectory } from '../step-engine.ts'
import { blocksOf, rowsOf } from './learned-blocks.ts'
import type { CheckedLayer, Learning, LearningGround, Settled } from './learning.ts'
import { MeanState } from './mean-state.ts'

/** In the place of a radical, where a block holds rows of all. */
const ALL_RADICALS = 0

/**
 * The Hebb rule, folded row by row: a score against its running baseline moves the edges of rows that this member owns. The running lattice
 * is the consensus with the learned rows in the place of its own.
 */
export class HebbLearning implements Learning<RowBlock> {
  readonly foldId: RowFoldId
  readonly #ground: LearningGround
  readonly #fold: RowFold
  #consensus: LatticeMatrices
  #engine: StepEngine
  #owned: ReadonlySet<number> = new Set()
  #learned = new Map<number, LearnedRow>()
  readonly #mean: MeanState
  #scoreSum = 0
  #baseline: Baseline

  constructor(ground: LearningGround, engine: StepEngine, foldId: RowFoldId, kernel: FoldKernel) {
    this.#ground = ground
    this.foldId = foldId
    this.#fold = new RowFold(foldId, ground.base, new Float32Array(ground.kernel.definedCount), kernel)
    this.#consensus = ground.base
    this.#engine = engine
    this.#mean = new MeanState(ground.kernel.definedCount)
  }

  get engine(): StepEngine {
    return this.#engine
  }

  stepper(): Promise<StepEngine> {
    return Promise.resolve(this.#engine)
  }

  async use(engine: StepEngine): Promise<void> {
    await engine.load(this.#running())
    this.#engine = engine
  }

  setOwned(radicals: readonly number[]): void {
    this.#owned = new Set(radicals)
  }

  async farm(lines: readonly string[], _options: FarmOptions): Promise<FarmReport> {
    const { kernel, stopped } = this.#ground
    let graded = 0
    let skipped = 0
    let sum = 0
    for (const { at, line } of adjacentLines(kernel, lines)) {
      if (stopped()) throw new ComputeError('CLOSED', { call: 'farm' })
      if (line.length === 0) {
        skipped++
        continue
      }
      const { state } = await this.#trajectory(line, line)
      const score = nextLineScore(state, kernel, lines[at + 1]!, undefined, line)?.score
      if (score === undefined) continue
      graded++
      sum += score
      this.#learn(state, score)
    }
    return this.#report(graded, skipped, sum)
  }

  async learn(items: readonly GradedLine[]): Promise<FarmReport> {
    const { kernel, stopped } = this.#ground
    let skipped = 0
    let sum = 0
    for (const { line, score, revision } of items) {
      if (stopped()) throw new ComputeError('CLOSED', { call: 'learn' })
      const rows = lineRows(kernel, line)
      if (rows.length === 0) {
        skipped++
        continue
      }
      const teacher = revision === undefined ? rows : Uint32Array.from(new Set([...rows, ...lineRows(kernel, revision)]))
      const { state } = await this.#trajectory(rows, teacher)
      sum += score
      this.#learn(state, score)
    }
    return this.#report(items.length - skipped, skipped, sum)
  }

  async settle(rows: Uint32Array): Promise<Settled> {
    return { ...(await this.#trajectory(rows, rows)), provider: this.#engine.name }
  }

  async nearest(rows: Uint32Array, k: number): Promise<readonly Entry[]> {
    const { state } = await this.#trajectory(rows, rows)
    return nearest(state, rows, k)
  }

  adopt({ blocks }: CheckedLayer<RowBlock>): Adopted {
    let leftOut = 0
    let rows = 0
    for (const [row, learned] of rowsOf(blocks)) {
      if (!this.#owned.has(this.#ground.kernel.radicals[row]!)) {
        leftOut++
        continue
      }
      rows++
      this.#learned.set(row, learned)
      this.#engine.setRow(row, learned)
    }
    return { rows, leftOut }
  }

  commit(): CommitDraft {
    const lines = this.#mean.count
    return {
      radicals: blocksOf(this.#learned, this.#ground.kernel.radicals).map((block) => ({
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

  async restore(own: CheckedLayer<RowBlock>, lines: number, meanScore: number): Promise<void> {
    this.#learned = rowsOf(own.blocks)
    this.#mean.restart(own.state, lines)
    this.#scoreSum = meanScore * lines
    this.#baseline = lines === 0 ? undefined : meanScore
    await this.#engine.load(this.#running())
  }

  check(content: LayerContent): CheckedLayer<RowBlock> | { readonly refusal: string } {
    const { kernel } = this.#ground
    const layer = checkLayer(kernel, content, ROW_READER)
    // side by side, rows are folded as fast as they are read
    return 'refusal' in layer ? layer : { ...layer, blocks: [{ radical: ALL_RADICALS, ...packRows(kernel.definedCount, layer.blocks) }] }
  }

  foldOf(members: readonly FoldMember[]): Folded {
    const { base, kernel } = this.#ground
    return new RowFold(this.foldId, base, new Float32Array(kernel.definedCount), this.#fold.kernel).fold(members)
  }

  async fold(members: readonly FoldMember[]): Promise<Folded> {
    const folded = this.#fold.fold(members)
    this.#consensus = folded.matrices
    await this.#engine.load(this.#running())
    return folded
  }

  /** From a cover to rest. The cover is held as the teacher: without one the stable step forgets it and decays to 0. */
  #trajectory(rows: Uint32Array, teacher: Uint32Array): Promise<Trajectory> {
    const { kernel } = this.#ground
    return this.#engine.converge(coverState(kernel, rows), coverState(kernel, teacher))
  }

  #learn(state: Float32Array, score: number): void {
    const next = reward(this.#baseline, score)
    this.#baseline = next.baseline
    this.#scoreSum += score
    this.#mean.add(state)
    const owns = (row: number): boolean => this.#owned.has(this.#ground.kernel.radicals[row]!)
    for (const row of hebb(this.#consensus, this.#learned, state, next.reward, owns)) this.#engine.setRow(row, this.#learned.get(row)!)
  }

  #report(graded: number, skipped: number, sum: number): FarmReport {
    return { graded, skipped, meanScore: graded === 0 ? 0 : sum / graded, touchedRows: this.#learned.size }
  }

  #running(): LatticeMatrices {
    return this.#learned.size === 0 ? this.#consensus : withRows(this.#consensus, this.#learned)
  }
}
