import { bytesToHex } from '@noble/hashes/utils.js'
import { stateDigest } from '../digests.ts'
import type { MeshState } from '../state.ts'
import { exclusionsKey } from '../trust/exclusion.ts'

/** Equal where two members know the same and conclude the same: items, members, epoch, results of kept epochs, who is out, the consensus. */
export function viewDigest(state: MeshState): string {
  const results = state.closed.filter(({ epoch }) => epoch + 2n >= state.epoch).map(({ epoch, xor }) => `${epoch} ${xor}`)
  const repairing = [...state.repairing].sort((a, b) => (a < b ? -1 : 1))
  const admitted = [...(state.admitted ?? [])].sort()
  return [bytesToHex(stateDigest(state)), state.epoch, results, repairing, admitted, state.consensus, exclusionsKey(state.exclusions)].join('\n')
}
