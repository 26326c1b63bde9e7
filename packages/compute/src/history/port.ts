import type { EdgeChange, EdgeMatrix, LayerId, PeerName, RadicalDiff } from '@sgsd/consensus'
import type { LatticeColumns, LatticeMatrices } from '@sgsd/lattice'
import type { CommitDraft, FoldReport, LayerContent } from '../lattice/port.ts'

/** One member's layer with its content, as a fold of the past takes it. */
export interface HistoryMember {
  readonly peer: PeerName
  readonly seq: bigint
  readonly weight: number
  readonly content: LayerContent
}

/** A lattice to answer from in the place of the consensus, with the digest that a fold of it has. Its arrays are in shared memory: handing it on copies nothing. */
export interface AnswerLattice extends Pick<FoldReport, 'digest' | 'rows' | 'nnz'> {
  readonly matrices: LatticeMatrices
  readonly state: Float32Array
  /** Of a mesh that sums counts. */
  readonly columns: LatticeColumns | undefined
}

/** What a lattice is worth on some lines. */
export interface LinesScore {
  /** Mean next-line score, in [0, 1]; 0 where no line could be scored. */
  readonly score: number
  /** Lines that were scored. */
  readonly items: number
}

/** Rows of a new layer, as `CommitDraft` without what only a learner knows. */
export type MergedRows = Pick<CommitDraft, 'radicals' | 'state'>

/** A character and its place in the lattice. */
export interface CharacterRow {
  readonly character: string
  readonly row: number
  readonly radical: number
}

export interface LayerDiff {
  readonly radicals: readonly RadicalDiff[]
  /** Greatest |after − before| first. */
  readonly top: readonly (EdgeChange & { readonly rowCharacter: string; readonly columnCharacter: string })[]
}

/** A radical's block of either layer; undefined where it holds no row of it. */
export interface BlockPair {
  readonly radical: number
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}

/**
 * Work on layers of the past, in a thread of its own: the running swarm answers and learns meanwhile. The thread is started by the first call and ends when it has
 * had nothing to do for a while. Calls reject with ComputeError LAYER_REFUSED for a layer whose content is not good, with REFUSED for one that cannot be.
 */
export interface HistoryCompute extends AsyncDisposable {
  /** Parses and checks a layer. @returns why it is refused, or undefined when it is good */
  check(content: LayerContent): Promise<string | undefined>
  /** Folds members by the mesh's rule: what `LatticeCompute.fold` of the same members reports, apart from the running lattice. */
  fold(members: readonly HistoryMember[]): Promise<FoldReport>
  /** The same fold as a lattice to answer from. */
  lattice(members: readonly HistoryMember[]): Promise<AnswerLattice>
  /** How well the fold of these members foretells each line's successor. */
  score(members: readonly HistoryMember[], lines: readonly string[]): Promise<LinesScore>
  /** Rows of the merge of these contributors: a pure function of the set. */
  merge(members: readonly HistoryMember[]): Promise<MergedRows>
  /** Rows of (a + b)/2, the published algebra. */
  pairwise(a: LayerContent, b: LayerContent): Promise<MergedRows>
  /** @param top - changes to name, at most */
  diff(blocks: readonly BlockPair[], top: number): Promise<LayerDiff>
  /** What a block says of one edge; no entry for what blocks of this mesh do not have. */
  edge(block: Uint8Array, row: number, column: number): Promise<Readonly<Partial<Record<EdgeMatrix, number>>>>
  /** Characters of a text that have a row, in its order. */
  rowsOf(text: string): Promise<readonly CharacterRow[]>
  /** Rows as characters; those outside the lattice are left out. */
  characters(rows: readonly number[]): Promise<readonly CharacterRow[]>
  close(): Promise<void>
}

export type { LayerId }
