import type { LayerId, LayerManifest } from '@sgsd/consensus'
import type { LineageSpan } from '@sgsd/wire'
import type { Core } from '../core.ts'
import type { ConsensusRecord } from './consensus-log.ts'
import type { ConsensusRow, LayerRow, LearnedSpan } from './documents.ts'
import type { LineSearch } from './line-search.ts'

/** How a member is called, or the end of its peer id where its record is not here. */
export function nameOf({ state }: Pick<Core, 'state'>, peer: LayerManifest['author']): string {
  return state.roster.get(peer)?.value.hostName ?? peer.slice(-6)
}

export interface RowFacts {
  readonly inConsensus: boolean
  readonly pinned: boolean
  readonly missing: number
}

/** A layer as a line of a list. */
export function layerRow(core: Pick<Core, 'state'>, layer: LayerId, manifest: LayerManifest, { inConsensus, pinned, missing }: RowFacts): LayerRow {
  const { state } = core
  const { author, seq, epoch, blocks, scores, parents } = manifest
  return {
    layer,
    author,
    name: nameOf(core, author),
    self: author === state.self,
    seq: String(seq),
    epoch: String(epoch),
    epochsAgo: Math.max(0, Number(state.epoch - epoch)),
    radicals: blocks.length,
    rows: blocks.reduce((sum, block) => sum + block.rows, 0),
    nnz: blocks.reduce((sum, block) => sum + block.nnz, 0),
    lines: String(scores.lines),
    meanScore: scores.mean,
    parents,
    merge: parents.length > 1,
    head: state.heads.get(author)?.value.layer === layer,
    inConsensus,
    pinned,
    missing,
  }
}

/** Lines of a lineage as people count them. */
export function spanOf({ text, segment, from, to }: LineageSpan, search: Pick<LineSearch, 'has'>): LearnedSpan {
  return { text, segment, from: from + 1, to, here: search.has(segment) }
}

export function consensusRow({ n, id, digest, epoch, at }: Omit<ConsensusRecord, 'heads'>, heads: number): ConsensusRow {
  return { n, id, digest, epoch: String(epoch), at: new Date(at).toISOString(), heads }
}
