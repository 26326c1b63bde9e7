/** What the control API answers about layers and past consensuses. Ids are 64 hex digits; 64-bit numbers are decimal strings; schemas are only ever added to. */
import type { EdgeMatrix, RadicalDiff } from '@sgsd/consensus'

/** A layer in a list. */
export interface LayerRow {
  readonly layer: string
  readonly author: string
  /** Display name of the author, or the end of its peer id. */
  readonly name: string
  readonly self: boolean
  readonly seq: string
  /** Colour epoch of the commit, and how many epochs ago that was. */
  readonly epoch: string
  readonly epochsAgo: number
  readonly radicals: number
  readonly rows: number
  readonly nnz: number
  /** Lines graded since the start, and the mean of their scores. */
  readonly lines: string
  readonly meanScore: number
  readonly parents: readonly string[]
  readonly merge: boolean
  /** Someone's newest layer; part of the consensus; kept by a pin. */
  readonly head: boolean
  readonly inConsensus: boolean
  readonly pinned: boolean
  /** Blocks that are not here: 0 where the layer can be used at once. */
  readonly missing: number
}

/** GET /v1/layers?all=1 */
export interface LayersDocument {
  readonly schema: 'sgsd.layers/1'
  /** Heads, own first, then pinned layers and merges; with `all` every layer that is known. */
  readonly layers: readonly LayerRow[]
  /** How many there are to list, and whether there are more than are listed. */
  readonly known: number
  readonly more: boolean
  /** What answers: '' the consensus, else a layer or an earlier consensus. */
  readonly answersFrom: string
}

/** GET /v1/layers/log?from=…&most=… */
export interface LayerLogDocument {
  readonly schema: 'sgsd.layer-log/1'
  /** Every layer before its parents. */
  readonly layers: readonly LayerRow[]
  /** Parents that are named and not known here. They are not fetched unasked. */
  readonly unknown: readonly string[]
  readonly more: boolean
}

/** GET /v1/layers/show?id=… */
export interface LayerDocument {
  readonly schema: 'sgsd.layer/1'
  readonly row: LayerRow
  readonly kernel: string
  readonly params: { readonly profile: string; readonly rule: string; readonly eta: number; readonly decay: number }
  readonly state: string
  readonly lineage: string
  readonly blocks: readonly {
    readonly radical: number
    readonly rows: number
    readonly nnz: number
    readonly block: string
    readonly here: boolean
  }[]
  /** Whose layers a merge stands for; null where a parent is not known. */
  readonly contributors: readonly { readonly author: string; readonly seq: string; readonly layer: string }[] | null
  /** Lines learned since the parents; null where the lineage block is not here. */
  readonly learned: readonly LearnedSpan[] | null
}

/** Lines of one text, counted from 1 as editors do. */
export interface LearnedSpan {
  readonly text: string
  readonly segment: string
  readonly from: number
  readonly to: number
  /** The text is kept on this node. */
  readonly here: boolean
}

export interface DiffChange {
  readonly matrix: EdgeMatrix
  /** Character and row. */
  readonly row: number
  readonly rowCharacter: string
  readonly column: number
  readonly columnCharacter: string
  readonly before: number
  readonly after: number
}

/** POST /v1/layers/diff {a, b, top} */
export interface LayerDiffDocument {
  readonly schema: 'sgsd.layer-diff/1'
  readonly a: LayerRow
  readonly b: LayerRow
  /** Layers that both come from, newest in its line. */
  readonly commonAncestors: readonly string[]
  readonly rule: string
  readonly same: number
  /** Radicals that differ. */
  readonly radicals: readonly RadicalDiff[]
  readonly rows: RadicalDiff['rows']
  readonly edges: RadicalDiff['edges']
  /** Greatest |after − before| first; counts in units of 1/256 observation. */
  readonly top: readonly DiffChange[]
}

/** POST /v1/layers/verify {id} */
export interface LayerVerifyDocument {
  readonly schema: 'sgsd.layer-verify/1'
  readonly layer: string
  readonly ok: boolean
  readonly blocks: number
  readonly checks: readonly Check[]
}

export interface Check {
  readonly name: string
  /** `unknown`: it cannot be told here. */
  readonly state: 'ok' | 'failed' | 'unknown'
  readonly why: string
}

/** POST /v1/layers/pin {id, pinned, note} */
export interface LayerPinDocument {
  readonly schema: 'sgsd.layer-pin/1'
  readonly layer: string
  readonly pinned: boolean
  readonly changed: boolean
}

/** POST /v1/layers/clone {from, layer?}: one JSON object a line. */
export type CloneLine =
  | { readonly event: 'started'; readonly layer: string; readonly peer: string }
  | { readonly event: 'progress'; readonly done: number; readonly total: number }
  | { readonly event: 'end'; readonly document: LayerCloneDocument }
  | FailedLine

export interface FailedLine {
  readonly event: 'failed'
  readonly code: string
  readonly message: string
  readonly hint: string
}

export interface LayerCloneDocument {
  readonly schema: 'sgsd.layer-clone/1'
  readonly layer: string
  readonly peer: string
  readonly row: LayerRow
  /** Blocks of the layer, and how many of them were here before. */
  readonly blocks: number
  readonly had: number
}

/** POST /v1/layers/fork {id} */
export interface LayerForkDocument {
  readonly schema: 'sgsd.layer-fork/1'
  /** The new own head, and the layer that it goes on from. */
  readonly layer: string
  readonly from: string
  readonly seq: string
  /** The own head before. */
  readonly before: string
}

/** POST /v1/layers/merge {a, b, pairwise} */
export interface LayerMergeDocument {
  readonly schema: 'sgsd.layer-merge/1'
  readonly layer: string
  /** `merged`: a new layer; `contained`: one of the two holds the other already, and is the answer; `pairwise`: (a + b)/2. */
  readonly how: 'merged' | 'contained' | 'pairwise'
  readonly contributors: readonly { readonly author: string; readonly seq: string; readonly layer: string }[]
  readonly radicals: number
  readonly rows: number
  readonly nnz: number
}

/** POST /v1/layers/swap {to} */
export interface LayerSwapDocument {
  readonly schema: 'sgsd.layer-swap/1'
  readonly answersFrom: AnswersFrom
  readonly before: AnswersFrom
  /** Making the lattice beside the running one, and changing over between two questions, ms. */
  readonly prepareMs: number
  readonly swapMs: number
}

/** What answers questions. */
export interface AnswersFrom {
  readonly kind: 'consensus' | 'layer' | 'past consensus'
  /** '' of the running consensus. */
  readonly id: string
  readonly digest: string
}

/** One layer that changed a member's part of an edge. */
export interface BlamedLayer {
  readonly layer: string
  readonly seq: string
  /** What its parent said and what it says. */
  readonly before: number | null
  readonly after: number | null
  /** `blocks`: seen in the rows of both. `lineage`: those rows are no longer kept; the layer learned lines that have the pair, or may have. */
  readonly how: 'blocks' | 'lineage'
  readonly spans: readonly LearnedSpan[]
  /** Lines of texts that are kept here in which the pair stands. */
  readonly lines: readonly BlamedLine[]
}

export interface BlamedLine {
  readonly text: string
  readonly line: number
  readonly content: string
  /** The line that the column's character stands in, where it is another one. */
  readonly before: { readonly line: number; readonly content: string } | null
}

/** POST /v1/layers/blame {row, column} */
export interface BlameDocument {
  readonly schema: 'sgsd.blame/1'
  readonly row: { readonly character: string; readonly row: number; readonly radical: number }
  readonly column: { readonly character: string; readonly row: number } | null
  readonly consensus: string
  readonly rule: string
  /** Weight in the consensus; without a column the strongest edges of the row. */
  readonly edges: readonly { readonly character: string; readonly column: number; readonly tau: number; readonly rho: number }[]
  /** With a column: members that say anything of the edge, the most first. */
  readonly members: readonly {
    readonly peer: string
    readonly name: string
    readonly self: boolean
    readonly layer: string
    /** Counts in units of 1/256 observation (`forward`: column then row, `backward`: row then column), or the member's weights. */
    readonly count: number
    readonly backward: number
    readonly tau: number
    readonly rho: number
    readonly layers: readonly BlamedLayer[]
    /** Why older layers were not looked at, or ''. */
    readonly ends: string
  }[]
}

/** One fold of this node. */
export interface ConsensusRow {
  readonly n: number
  readonly id: string
  readonly digest: string
  readonly epoch: string
  /** RFC 3339. */
  readonly at: string
  readonly heads: number
}

/** GET /v1/consensus/log?most=… */
export interface ConsensusLogDocument {
  readonly schema: 'sgsd.consensus-log/1'
  /** Newest first. */
  readonly folds: readonly ConsensusRow[]
  readonly kept: number
}

/** GET /v1/consensus/show?id=…&at=… */
export interface ConsensusDocument {
  readonly schema: 'sgsd.consensus/1'
  readonly fold: ConsensusRow
  readonly foldId: string
  readonly current: boolean
  readonly heads: readonly {
    readonly author: string
    readonly name: string
    readonly seq: string
    readonly layer: string
    readonly weight: number
    /** Blocks that are not here; −1 where the manifest is not, so that nobody can count them. */
    readonly missing: number
  }[]
}

/** POST /v1/consensus/verify {id}: one JSON object a line. */
export type VerifyLine =
  | { readonly event: 'started'; readonly id: string; readonly heads: number }
  | { readonly event: 'progress'; readonly doing: 'reading' | 'folding'; readonly done: number; readonly total: number }
  | { readonly event: 'end'; readonly document: ConsensusVerifyDocument }
  | FailedLine

export interface ConsensusVerifyDocument {
  readonly schema: 'sgsd.consensus-verify/1'
  readonly fold: ConsensusRow
  /** Both the id and the bytes came out as they were recorded. */
  readonly agrees: boolean
  readonly id: string
  readonly digest: string
  readonly rows: number
  readonly nnz: number
  /** Blocks that had to be fetched from peers. */
  readonly fetched: number
  readonly foldMs: number
}
