import type { PeerName } from '../ids.ts'
import type { MeshState } from '../state.ts'
import type { ExclusionWindow } from './exclusion.ts'

/**
 * Peers that a member's operation has revoked and none has readmitted: they are talked to no more, from the moment on that the operation is known here,
 * whatever epoch it names. Other exclusions close no connection: who serves its time needs to hear of the mesh.
 */
export function revokedPeers({ exclusions }: Pick<MeshState, 'exclusions'>): ReadonlyMap<PeerName, ExclusionWindow> {
  const revoked = new Map<PeerName, ExclusionWindow>()
  for (const [peer, { windows }] of exclusions) {
    const window = windows.find(({ cause }) => cause === 'revoked')
    if (window !== undefined) revoked.set(peer, window)
  }
  return revoked
}
