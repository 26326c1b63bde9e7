import { countsOfBlocks, type EvidenceBlock, evidenceBlocks, fold, type Folded, type FoldMember, newestMembers } from '@sgsd/consensus'
import {
  adjacentLines,
  countLines,
  DEFAULT_RECALL_AT,
  derive,
  type Derived,
  type Entry,
  EVIDENCE_UNIT,
  EvidenceCounts,
  type EvidenceRows,
  type EvidenceSnapshot,
  lineRows,
  MAX_EVIDENCE_PAIRS,
  MAX_EVIDENCE_TOTAL,
  priorState,
  Readout,
  scoreGuesses,
  sumEvidence,
  wantedRows,
} from '@sgsd/lattice'
import { encodeEvidenceBlock, encodeStateBlock } from '@sgsd/wire'
import { ComputeError } from '../../compute-error.ts'
import { checkLayer, EVIDENCE_READER } from '../layer-check.ts'
import type { Adopted, CommitDraft, FarmOptions, FarmReport, GradedLine, LayerContent } from '../port.ts'
import type { StepEngine } from '../step-engine.ts'
import type { CheckedLayer, Learning, LearningGround, Settled } from './learning.ts'

/** Characters of the lattice's own prediction that a score without a revision confirms. */
const CONFIRMED = 32

/**
 * Evidence, folded by summing: this member counts which characters follow which, and the running lattice is what the counts of all members together
 * stand for. Of its own it takes those of the newest commit: deriving a lattice costs as much as farming thousands of lines, so lines
 * farmed since then show after the next commit. The lattice is derived when somebody looks at it, and not before.
 */
export class EvidenceLearning implements Learning<EvidenceBlock> {
  readonly foldId = 'evidence/1'
  readonly #ground: LearningGround
  #engine: StepEngine
  #engineLoaded = false
  #owned: ReadonlySet<number> = new Set()
  #counts: EvidenceCounts
  /** Own counts as of the newest commit, or as restored. */
  #committed: EvidenceSnapshot
  /** What the newest fold took from other members. */
  #others: readonly EvidenceRows[] = []
  #running: Derived | undefined
  #readout: Readout | undefined
  readonly #touched: Uint8Array
  #lines = 0
  /** Lines of `#lines` that have a score: not those whose next line repeats them. */
  #scored = 0
  #scoreSum = 0

  constructor(ground: LearningGround, engine: StepEngine) {
    this.#ground = ground
    this.#engine = engine
    this.#counts = new EvidenceCounts(ground.kernel.definedCount)
    this.#committed = this.#counts.snapshot()
    this.#touched = new Uint8Array(ground.kernel.definedCount)
  }

  get engine(): StepEngine {
    return this.#engine
  }

  async stepper(): Promise<StepEngine> {
    const running = this.#lattice()
    if (!this.#engineLoaded) await this.#engine.load(running.matrices)
    this.#engineLoaded = true
    return this.#engine
  }

  async use(engine: StepEngine): Promise<void> {
    await engine.load(this.#lattice().matrices)
    this.#engine = engine
    this.#engineLoaded = true
  }

  setOwned(radicals: readonly number[]): void {
    this.#owned = new Set(radicals)
  }

  farm(lines: readonly string[], { shared, context = [] }: FarmOptions): Promise<FarmReport> {
    const { kernel, stopped } = this.#ground
    const owns = (row: number): boolean => this.#owned.has(kernel.radicals[row]!)
    let graded = 0
    let skipped = 0
    let scored = 0
    let sum = 0
    for (const { line, next } of adjacentLines(kernel, lines)) {
      if (stopped()) return Promise.reject(new ComputeError('CLOSED', { call: 'farm' }))
      if (line.length === 0) skipped++
      if (line.length === 0 || next.length === 0) continue
      graded++
      for (const row of next) if (shared !== true || owns(row)) this.#touched[row] = 1
      const score = this.#score(line, next)
      if (score === undefined) continue
      scored++
      sum += score
    }
    // the first line was counted by the call before, as the successor of its last
    const from = context.length + 1
    countLines(this.#counts, kernel, [...context, ...lines], shared === true ? { from, owns } : { from })
    return Promise.resolve(this.#report(graded, skipped, scored, sum))
  }

  learn(items: readonly GradedLine[]): Promise<FarmReport> {
    const { kernel, stopped } = this.#ground
    let skipped = 0
    let sum = 0
    for (const { line, score, revision } of items) {
      if (stopped()) return Promise.reject(new ComputeError('CLOSED', { call: 'learn' }))
      const rows = lineRows(kernel, line)
      if (rows.length === 0) {
        skipped++
        continue
      }
      sum += score
      if (revision !== undefined) this.#add(lineRows(kernel, revision), rows, EVIDENCE_UNIT)
      else this.#confirm(rows, Math.round(EVIDENCE_UNIT * score))
    }
    const graded = items.length - skipped
    return Promise.resolve(this.#report(graded, skipped, graded, sum))
  }

  settle(rows: Uint32Array): Promise<Settled> {
    return Promise.resolve({ state: this.#reader().state(rows), steps: 1, converged: true, provider: 'readout' })
  }

  nearest(rows: Uint32Array, k: number): Promise<readonly Entry[]> {
    return Promise.resolve(this.#reader().nearest(rows, rows, k))
  }

  adopt({ blocks }: CheckedLayer<EvidenceBlock>): Adopted {
    const { cols, total } = this.#counts.snapshot()
    const pairs = blocks.reduce((sum, { counts }) => sum + counts.length, cols.length)
    const units = total + sumOf(blocks)
    if (pairs > MAX_EVIDENCE_PAIRS || units > MAX_EVIDENCE_TOTAL) {
      const detail = `with this member's own, these are ${pairs} pairs that sum to ${units}: more than one member may count`
      throw new ComputeError('LAYER_REFUSED', { layer: '', detail })
    }
    let rows = 0
    for (const { rowIds, ptr, cols, counts } of blocks) {
      for (const [i, row] of rowIds.entries()) {
        for (let e = ptr[i]!; e < ptr[i + 1]!; e++) this.#counts.add(row, cols[e]!, counts[e])
        this.#touched[row] = 1
        rows++
      }
    }
    return { rows, leftOut: 0 }
  }

  commit(): CommitDraft {
    const counts = this.#counts.snapshot()
    if (counts !== this.#committed) {
      this.#committed = counts
      this.#forget()
    }
    return {
      radicals: evidenceBlocks(counts, this.#ground.kernel.radicals).map((block) => ({
        radical: block.radical,
        rows: block.rowIds.length,
        nnz: block.cols.length,
        bytes: encodeEvidenceBlock(block),
      })),
      state: encodeStateBlock(priorState(counts)),
      lines: this.#lines,
      meanScore: this.#scored === 0 ? 0 : this.#scoreSum / this.#scored,
    }
  }

  restore(own: CheckedLayer<EvidenceBlock>, lines: number, meanScore: number): Promise<void> {
    const { definedCount } = this.#ground.kernel
    this.#committed = countsOfBlocks(definedCount, own.blocks)
    this.#counts = new EvidenceCounts(definedCount, this.#committed)
    this.#touched.fill(0)
    for (const { rowIds } of own.blocks) for (const row of rowIds) this.#touched[row] = 1
    this.#lines = lines
    this.#scored = lines
    this.#scoreSum = meanScore * lines
    this.#forget()
    return Promise.resolve()
  }

  check(content: LayerContent): CheckedLayer<EvidenceBlock> | { readonly refusal: string } {
    return checkLayer(this.#ground.kernel, content, EVIDENCE_READER)
  }

  foldOf(members: readonly FoldMember<EvidenceBlock>[]): Folded {
    const { base, kernel } = this.#ground
    return fold(this.foldId, base, new Float32Array(kernel.definedCount), members)
  }

  fold(members: readonly FoldMember<EvidenceBlock>[]): Promise<Folded> {
    const { self } = this.#ground
    const folded = this.foldOf(members)
    const newest = newestMembers(members)
    this.#others = newest.flatMap(({ peer, blocks }) => (peer === self ? [] : blocks))
    this.#forget()
    // counts only grow: an own head of the same sum holds the same counts, and the fold is the running lattice
    if (sumOf(newest.flatMap(({ peer, blocks }) => (peer === self ? blocks : []))) === this.#committed.total) this.#running = folded
    return Promise.resolve(folded)
  }

  #score(line: Uint32Array, next: Uint32Array): number | undefined {
    const wanted = wantedRows(next, new Set(line))
    if (wanted.size === 0) return undefined
    return scoreGuesses(this.#reader().nearest(line, line, Math.max(DEFAULT_RECALL_AT, wanted.size)), wanted)?.score
  }

  /** Without a better text, a good score says that what the lattice foretold was right. */
  #confirm(rows: Uint32Array, weight: number): void {
    if (weight < 1) return
    const foretold = this.#reader().nearest(rows, rows, CONFIRMED)
    this.#add(
      Uint32Array.from(foretold, ({ row }) => row),
      rows,
      weight,
    )
  }

  #add(rows: Uint32Array, columns: Uint32Array, weight: number): void {
    this.#counts.addPairs(rows, columns, weight)
    for (const row of rows) this.#touched[row] = 1
  }

  #report(graded: number, skipped: number, scored: number, sum: number): FarmReport {
    this.#lines += graded
    this.#scored += scored
    this.#scoreSum += sum
    const touchedRows = this.#touched.reduce((count, touched) => count + touched, 0)
    return { graded, skipped, meanScore: scored === 0 ? 0 : sum / scored, touchedRows }
  }

  /** The running lattice is to be derived anew. */
  #forget(): void {
    this.#running = undefined
    this.#readout = undefined
    this.#engineLoaded = false
  }

  #lattice(): Derived {
    if (this.#running === undefined) {
      const { kernel, base } = this.#ground
      this.#running = derive(sumEvidence(kernel.definedCount, [...this.#others, rowsOf(this.#committed)]), base)
    }
    return this.#running
  }

  #reader(): Readout {
    this.#readout ??= new Readout(this.#lattice())
    return this.#readout
  }
}

/** The rows that have counts; empty ones cost nothing in a sum, so all are named. */
function rowsOf({ rows, ptr, cols, counts }: EvidenceSnapshot): EvidenceRows {
  return { rowIds: Uint32Array.from({ length: rows }, (_, row) => row), ptr, cols, counts }
}

function sumOf(blocks: readonly EvidenceBlock[]): number {
  let sum = 0
  for (const { counts } of blocks) for (let e = 0; e < counts.length; e++) sum += counts[e]!
  return sum
}
