import type { PeerName } from '@sgsd/consensus'
import { GENESIS_PROTOCOL } from '@sgsd/wire'
import { parseAddress } from './address.ts'
import { dialFailure } from './dial-failure.ts'
import type { Identity } from './identity.ts'
import { isMeshError, MeshError, reasonOf } from './mesh-error.ts'
import { createDialler } from './node.ts'
import { guardedNoise } from './noise-guard.ts'
import { requestGenesis } from './session/genesis-session.ts'
import { withStream } from './streams.ts'

/** From the first dial to the last byte, milliseconds: a person waits for the answer. */
const FETCH_DEADLINE_MS = 10_000

export interface FetchGenesisOptions {
  readonly identity: Identity
  /** The mesh key of the invite; absent for an open mesh. */
  readonly meshKey?: Uint8Array | undefined
  readonly address: string
}

/**
 * Asks the peer at an address for its mesh's genesis document, from a node that exists for this call only and listens nowhere.
 * The bytes are as the peer sent them; who answered was proved by the handshake.
 * @throws MeshError ADDRESS_INVALID | DIAL_TIMEOUT | DIAL_REFUSED | UNREACHABLE | KEY_MISMATCH | KEY_REQUIRED | PEER_MISMATCH |
 *   NOT_A_MESH | STALLED | STREAM_CLOSED, within 10 s; the signal's reason
 */
export async function fetchGenesis(options: FetchGenesisOptions, signal: AbortSignal): Promise<{ genesis: Uint8Array; peer: PeerName }> {
  const { identity, meshKey, address } = options
  signal.throwIfAborted()
  const target = parseAddress(address)
  if (target.peer === identity.peer) throw new MeshError('DIALLED_SELF', { to: address })
  const startedAt = performance.now()
  const timeout = AbortSignal.timeout(FETCH_DEADLINE_MS)
  const deadline = AbortSignal.any([signal, timeout])
  const node = await createDialler(identity, guardedNoise(meshKey, { metSelf: () => undefined }))
  try {
    await node.start()
    let peer: PeerName
    try {
      const connection = await node.dial(target.multiaddr, { signal: deadline })
      peer = connection.remotePeer.toString() as PeerName
    } catch (error) {
      signal.throwIfAborted()
      throw dialFailure(error, { to: address, afterMs: performance.now() - startedAt, keyed: meshKey !== undefined })
    }
    try {
      return { genesis: await withStream(node, peer, GENESIS_PROTOCOL, deadline, requestGenesis), peer }
    } catch (error) {
      signal.throwIfAborted()
      if (timeout.aborted) throw new MeshError('STALLED', { peer, afterMs: FETCH_DEADLINE_MS }, { cause: error })
      const unsupported = isMeshError(error, 'STREAM_CLOSED') && error.cause instanceof Error && error.cause.name === 'UnsupportedProtocolError'
      if (unsupported) throw new MeshError('NOT_A_MESH', { to: address, detail: reasonOf(error.cause) }, { cause: error })
      throw error
    }
  } finally {
    await node.stop()
  }
}
