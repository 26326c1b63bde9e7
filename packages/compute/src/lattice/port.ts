import type { BlockId, LayerId, PeerName } from '@sgsd/consensus'
import type { EmbeddingCompute } from './embedding/port.ts'
import type { AnswerSource } from './answering.ts'
import type { ProgramCompute } from './programs/port.ts'

/** An execution provider and what became of it at start. */
export interface ProviderReport {
  /** `native`, `wasm`, `reference`, `onnx:cuda`, `onnx:coreml`, `onnx:webgpu`, `onnx:dml`. */
  readonly provider: string
  readonly state: 'active' | 'standby' | 'missing' | 'wrong' | 'off'
  /** One sentence: what it runs on, or what is missing. */
  readonly why: string
  /** The card or the system that it runs on, as far as that has a name. */
  readonly device?: string
  /** What to type or to install so that it works. */
  readonly mend?: string
}

export interface LatticeInfo {
  readonly kernelId: string
  readonly rows: number
  readonly tauEdges: number
  readonly rhoEdges: number
  readonly buildMs: number
  /** Rows stepped per second, measured at start. */
  readonly rowRate: number
  readonly providers: readonly ProviderReport[]
  /** What folds rows: `native`, `wasm`, `reference`; none where counts are summed. */
  readonly folds: readonly ProviderReport[]
  /** Rows of each radical: index 1 … 214 (0 unused). */
  readonly radicalRows: readonly number[]
}

/** A layer's content as bytes: hash-checked canonical blocks. */
export interface LayerContent {
  readonly layer: LayerId
  /** Whose it is, where that is known: of one member at most two layers wait for a fold. */
  readonly author?: PeerName
  readonly radicals: readonly { readonly radical: number; readonly bytes: Uint8Array }[]
  readonly state: Uint8Array
}

export interface FarmReport {
  /** Lines of this call that had a known character and a successor to be scored by. */
  readonly graded: number
  /** Lines without any known character. */
  readonly skipped: number
  /** Mean score of this call, in [0, 1]; 0 when none was graded. */
  readonly meanScore: number
  /** Rows that this member has learned something about. */
  readonly touchedRows: number
}

export interface FarmOptions {
  /**
   * The text is farmed by every member: evidence counts only the rows of this member's own radicals then, so that each is counted once.
   * The Hebb rule writes those rows alone in any case.
   */
  readonly shared?: boolean
  /**
   * The lines just before the first one in the same text, at most three of them matter. They were farmed before; evidence counts what later lines have
   * to do with them, so that a text may be cut anywhere.
   */
  readonly context?: readonly string[]
}

/** What a host made of a line. */
export interface GradedLine {
  readonly line: string
  /** In [0, 1]. */
  readonly score: number
  /** The host's better text: the teacher. */
  readonly revision: string | undefined
}

/** What the lattice takes to come next. */
export interface Prediction {
  /** Highest entries of s(t+1) without the line's own characters; empty for a line without known characters. */
  readonly nearest: readonly { readonly character: string; readonly value: number }[]
}

/** What came of rows from outside. */
export interface Adopted {
  /** Rows taken, and rows left out because their radicals are other members'. */
  readonly rows: number
  readonly leftOut: number
}

/** Learned content ready to be stored and announced. */
export interface CommitDraft {
  readonly radicals: readonly { readonly radical: number; readonly rows: number; readonly nnz: number; readonly bytes: Uint8Array }[]
  readonly state: Uint8Array
  readonly lines: number
  readonly meanScore: number
}

export interface FoldReport {
  /** SHA-256 over the folded rows and s, 64 hex digits: equal on every node with equal heads. */
  readonly digest: string
  readonly rows: number
  readonly nnz: number
  readonly ms: number
}

export interface Answer {
  /** Highest entries of s(t+1) − the text's own characters first excluded. */
  readonly nearest: readonly { readonly character: string; readonly value: number; readonly definition: string }[]
  /** Characters of the text that the lattice knows, and those it does not. */
  readonly known: readonly string[]
  readonly unknown: readonly string[]
  readonly steps: number
  readonly converged: boolean
  readonly provider: string
}

/** Edges of one row of the consensus, columns ascending. */
export interface ConsensusRow {
  readonly tau: readonly { readonly column: number; readonly weight: number }[]
  readonly rho: readonly { readonly column: number; readonly weight: number }[]
}

/** Lattice work in its own worker thread; every call is answered in order. */
export interface LatticeCompute extends AsyncDisposable, ProgramCompute, EmbeddingCompute {
  info(): LatticeInfo
  /** Radicals whose rows this member may write from now on. */
  setOwned(radicals: readonly number[]): Promise<void>
  /**
   * Learns from a text by the built-in host `next-line`: `lines[i + 1]` grades `lines[i]`, the last line only grades, and '' ends a document.
   * Hebb: cover, converge, score, reward on owned rows. Evidence: predict, score, count the pairs of line and next line.
   */
  farm(lines: readonly string[], options?: FarmOptions): Promise<FarmReport>
  /** s(t+1) of each line, for a host to grade; changes nothing. */
  predict(lines: readonly string[], k: number): Promise<readonly Prediction[]>
  /**
   * Learns from a host's grades. Hebb: reward is the score over its running baseline, a revision joins the line as the teacher. Evidence: counts line
   * against revision, and without one the line against the lattice's own 32 best, weighted by the score.
   */
  learn(items: readonly GradedLine[]): Promise<FarmReport>
  /**
   * Makes rows from outside part of what this member has learned. Weights replace those of the rows that this member owns; counts are added to its own.
   * @param content - as from another member; its state is not looked at
   * @throws ComputeError LAYER_REFUSED with the reason, and nothing learned
   */
  adopt(content: LayerContent): Promise<Adopted>
  /** What this member has learned so far; nothing is reset. */
  commit(): Promise<CommitDraft>
  /** Continue from the member's own head after a restart. */
  restore(own: LayerContent, lines: number, meanScore: number): Promise<void>
  /** Parses and checks a foreign layer against the kernel. @returns reason of refusal, or undefined when it is good; a good layer stays loaded */
  load(content: LayerContent): Promise<string | undefined>
  /**
   * Folds loaded layers; the result replaces the running lattice between two steps. A layer that the fold before named and this one does
   * not is dropped; one that no fold has named yet stays.
   * @throws ComputeError LAYER_REFUSED for a layer that is not loaded
   */
  fold(members: readonly { readonly peer: PeerName; readonly seq: bigint; readonly layer: LayerId; readonly weight: number }[]): Promise<FoldReport>
  /** @throws ComputeError TEXT_UNKNOWN when no character of the text is known */
  ask(text: string, k: number): Promise<Answer>
  /**
   * From the next question on `ask` answers from this lattice, and with undefined from the running one again. Learning, predictions for hosts and folds go on
   * meanwhile as they were.
   */
  answerFrom(source: AnswerSource | undefined): Promise<void>
  /** One row of the consensus as folded, without what this member has learned since. No edges for a row outside the lattice. */
  consensusRow(row: number): Promise<ConsensusRow>
  close(): Promise<void>
}

export type { BlockId }
