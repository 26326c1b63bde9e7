import {
  type AnyBlock,
  type EvidenceBlock,
  fold,
  type FoldBlocks,
  type Folded,
  type FoldId,
  type FoldMember,
  mergedEvidence,
  type MergedEvidence,
  type PeerName,
  pairwiseEvidence,
  type RowBlock,
  rowBlocksOf,
  rowsHeld,
} from '@sgsd/consensus'
import { type HanziKernel, type LatticeMatrices, priorState } from '@sgsd/lattice'
import { encodeEvidenceBlock, encodeRowBlock, encodeStateBlock, parseEvidenceBlock, parseRowBlock, type Verdict } from '@sgsd/wire'
import { ComputeError } from '../compute-error.ts'
import { type BlockReader, checkLayer, EVIDENCE_READER, ROW_READER } from '../lattice/layer-check.ts'
import type { CheckedLayer } from '../lattice/learning/learning.ts'
import type { LayerContent } from '../lattice/port.ts'
import type { HistoryMember, MergedRows } from './port.ts'

/** How layers of one fold are read, folded and merged, apart from any running lattice. */
export interface LayerBook {
  check(content: LayerContent): string | undefined
  parse(bytes: Uint8Array): Verdict<AnyBlock>
  fold(members: readonly HistoryMember[]): Folded
  merge(members: readonly HistoryMember[]): MergedRows
  pairwise(a: LayerContent, b: LayerContent): MergedRows
}

/** What all books of a lattice stand on. */
export interface BookGround {
  readonly kernel: HanziKernel
  readonly base: LatticeMatrices
}

export function openBook(foldId: FoldId, ground: BookGround): LayerBook {
  return foldId === 'evidence/1' ? evidenceBook(ground) : rowBook(foldId, ground)
}

function evidenceBook({ kernel, base }: BookGround): LayerBook {
  const rows = kernel.definedCount
  const read = (content: LayerContent): CheckedLayer<EvidenceBlock> => good(kernel, content, EVIDENCE_READER)
  return {
    check: (content) => refusalOf(kernel, content, EVIDENCE_READER),
    parse: parseEvidenceBlock,
    fold: (members) => foldOf('evidence/1', { kernel, base }, members, read),
    merge: (members) =>
      evidenceRows(
        mergedEvidence(
          rows,
          kernel.radicals,
          members.map(({ content }) => read(content).blocks),
        ),
      ),
    pairwise: (a, b) => evidenceRows(pairwiseEvidence(rows, kernel.radicals, read(a).blocks, read(b).blocks)),
  }
}

function evidenceRows(merged: MergedEvidence): MergedRows {
  if ('refusal' in merged) throw new ComputeError('LAYER_REFUSED', { layer: 'the merge', detail: merged.refusal })
  return {
    radicals: merged.blocks.map((block) => ({
      radical: block.radical,
      rows: block.rowIds.length,
      nnz: block.cols.length,
      bytes: encodeEvidenceBlock(block),
    })),
    state: encodeStateBlock(priorState(merged.counts)),
  }
}

function rowBook(foldId: Exclude<FoldId, 'evidence/1'>, ground: BookGround): LayerBook {
  const { kernel, base } = ground
  const rows = kernel.definedCount
  const read = (content: LayerContent): CheckedLayer<RowBlock> => good(kernel, content, ROW_READER)
  const rowsOf = ({ matrices, state }: Folded, held: Uint32Array): MergedRows => ({
    radicals: rowBlocksOf(matrices, held, kernel.radicals).map((block) => ({
      radical: block.radical,
      rows: block.rowIds.length,
      nnz: block.tauCols.length + block.rhoCols.length,
      bytes: encodeRowBlock(block),
    })),
    state: encodeStateBlock(state),
  })
  return {
    check: (content) => refusalOf(kernel, content, ROW_READER),
    parse: parseRowBlock,
    fold: (members) => foldOf(foldId, ground, members, read),
    merge(members) {
      const layers = members.map((member) => ({ ...member, layer: member.content.layer, ...read(member.content) }))
      const held = rowsHeld(
        rows,
        layers.flatMap(({ blocks }) => blocks),
      )
      return rowsOf(fold(foldId, base, new Float32Array(rows), layers), held)
    },
    pairwise(a, b) {
      const pair = [read(a), read(b)]
      const held = rowsHeld(
        rows,
        pair.flatMap(({ blocks }) => blocks),
      )
      // whole matrices are averaged: a row that a layer does not hold is the kernel's in it
      const whole = pair.map(({ blocks, state }, i) => {
        const own = new Set(rowsHeld(rows, blocks))
        const rest = rowBlocksOf(
          base,
          held.filter((row) => !own.has(row)),
          kernel.radicals,
        )
        return { peer: String(i) as PeerName, seq: 0n, layer: [a, b][i]!.layer, weight: 1, blocks: [...blocks, ...rest], state }
      })
      return rowsOf(fold('mean/1', base, new Float32Array(rows), whole), held)
    },
  }
}

function foldOf<F extends FoldId>(
  foldId: F,
  { kernel, base }: BookGround,
  members: readonly HistoryMember[],
  read: (content: LayerContent) => CheckedLayer<FoldBlocks[F]>,
): Folded {
  const layers = members.map(({ peer, seq, weight, content }): FoldMember<FoldBlocks[F]> => ({
    peer,
    seq,
    weight,
    layer: content.layer,
    ...read(content),
  }))
  return fold(foldId, base, new Float32Array(kernel.definedCount), layers)
}

function refusalOf<B extends { readonly radical: number }>(kernel: HanziKernel, content: LayerContent, reader: BlockReader<B>): string | undefined {
  const layer = checkLayer(kernel, content, reader)
  return 'refusal' in layer ? layer.refusal : undefined
}

function good<B extends { readonly radical: number }>(kernel: HanziKernel, content: LayerContent, reader: BlockReader<B>): CheckedLayer<B> {
  const layer = checkLayer(kernel, content, reader)
  if ('refusal' in layer) throw new ComputeError('LAYER_REFUSED', { layer: content.layer, detail: layer.refusal })
  return layer
}
