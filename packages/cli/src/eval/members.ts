import { createHash } from 'node:crypto'
import { type EvidenceBlock, evidenceBlocks, fold, foldBytes, type Folded, type FoldMember, type LayerId, type PeerName } from '@sgsd/consensus'
import { countLines, EvidenceCounts, linesOf, type TextDocument } from '@sgsd/lattice'
import { encodeEvidenceBlock, parseEvidenceBlock } from '@sgsd/wire'
import type { Materials } from './materials.ts'

/** A consensus of members with disjoint texts. */
export interface MembersConsensus {
  readonly folded: Folded
  /** SHA-256 over kernel id, fold id and the folded bytes: what a daemon's status calls its consensus digest. */
  readonly digest: string
}

/** Each member counts its own documents; its counts go through the bytes of its blocks, as between nodes, and all are folded by `evidence/1`. */
export function consensusOf({ kernel, base }: Pick<Materials, 'kernel' | 'base'>, hands: readonly (readonly TextDocument[])[]): MembersConsensus {
  const members = hands.map((documents, i): FoldMember<EvidenceBlock> => {
    const counts = new EvidenceCounts(kernel.definedCount)
    countLines(counts, kernel, linesOf(documents))
    const sent = evidenceBlocks(counts.snapshot(), kernel.radicals).map(encodeEvidenceBlock)
    const name = `member-${i}`
    return {
      peer: name as PeerName,
      seq: 1n,
      layer: name as LayerId,
      weight: 1,
      blocks: sent.map(received),
      state: new Float32Array(kernel.definedCount),
    }
  })
  const folded = fold('evidence/1', base, new Float32Array(kernel.definedCount), members)
  const hash = createHash('sha256').update(kernel.id).update('evidence/1')
  for (const bytes of foldBytes(folded)) hash.update(bytes)
  return { folded, digest: hash.digest('hex') }
}

function received(bytes: Uint8Array): EvidenceBlock {
  const verdict = parseEvidenceBlock(bytes)
  if (verdict.type !== 'accept') throw new Error(`a block of this very process is refused: ${verdict.reason}`)
  return verdict.value
}
