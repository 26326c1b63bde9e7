import { absoluteChunk, type Genesis, type Signed } from '@sgsd/consensus'
import { hex64 } from '../status.ts'
import type { ProofDocument } from './documents.ts'

/** @param computed - what recomputing the chunk gave, where that was done */
export function proofDocument(genesis: Genesis, { id, value }: Signed<'proof'>, computed: bigint | undefined): Omit<ProofDocument, 'verdict'> {
  const { epoch, author: accused } = value.claim.value
  return {
    id,
    accuser: value.author,
    accused,
    epoch: hex64(epoch),
    chunk: value.chunk,
    absoluteChunk: hex64(absoluteChunk(genesis, epoch, value.chunk)),
    claimed: hex64(value.value),
    computed: computed === undefined ? null : hex64(computed),
  }
}
