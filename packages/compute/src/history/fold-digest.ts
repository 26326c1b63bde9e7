import { createHash } from 'node:crypto'
import { foldBytes, type Folded, type FoldId } from '@sgsd/consensus'

/** SHA-256 over the kernel's id, the fold's id and the folded bytes, 64 hex digits. docs/protocol.md §9.6 */
export function foldDigest(kernelId: string, foldId: FoldId, folded: Pick<Folded, 'matrices' | 'state'>): string {
  const hash = createHash('sha256').update(kernelId).update(foldId)
  for (const bytes of foldBytes(folded)) hash.update(bytes)
  return hash.digest('hex')
}
