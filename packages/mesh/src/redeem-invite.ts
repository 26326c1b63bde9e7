import type { PeerName } from '@sgsd/consensus'
import { parseAddress } from './address.ts'
import { dialFailure } from './dial-failure.ts'
import type { Identity } from './identity.ts'
import { CALL_BUSY, CALL_UNKNOWN, type CallOutcome, inviteCaller } from './invite-door.ts'
import { MeshError, reasonOf } from './mesh-error.ts'
import { createDialler } from './node.ts'

/** From the first dial to the answer, milliseconds: a person waits for it. */
const REDEEM_DEADLINE_MS = 10_000

export interface RedeemOptions {
  readonly identity: Identity
  /** With `/p2p/<peer>`: only the node that made an invite can answer it. */
  readonly address: string
  /** 32 bytes of a one-time invite. */
  readonly secret: Uint8Array
}

/** What an invite was worth. */
export interface Redeemed {
  readonly genesis: Uint8Array
  /** Undefined in an open mesh. */
  readonly meshKey: Uint8Array | undefined
  readonly peer: PeerName
}

/**
 * Exchanges a one-time invite for the founding document and the mesh key, from a node that exists for this call only and listens nowhere.
 * @throws MeshError INVITE_REFUSED | ADDRESS_INVALID | DIAL_TIMEOUT | DIAL_REFUSED | UNREACHABLE | PEER_MISMATCH | PEER_BUSY | KEY_MISMATCH |
 *   NOT_A_MESH, within 10 s; the signal's reason
 */
export async function redeemInvite({ identity, address, secret }: RedeemOptions, signal: AbortSignal): Promise<Redeemed> {
  signal.throwIfAborted()
  const target = parseAddress(address)
  if (target.peer === undefined) throw new MeshError('ADDRESS_INVALID', { address, detail: 'it names no peer' })
  if (target.peer === identity.peer) throw new MeshError('DIALLED_SELF', { to: address })
  const startedAt = performance.now()
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(REDEEM_DEADLINE_MS)])
  const outcome: CallOutcome = { answer: undefined }
  const node = await createDialler(identity, inviteCaller(secret, outcome))
  let failure: unknown
  try {
    await node.start()
    await node.dial(target.multiaddr, { signal: deadline })
  } catch (error) {
    failure = error
  } finally {
    await node.stop()
  }
  const { answer } = outcome
  if (answer?.granted === true) return { genesis: answer.genesis, meshKey: answer.meshKey, peer: target.peer }
  if (answer !== undefined) throw new MeshError('INVITE_REFUSED', { to: address, why: answer.why, agoMs: answer.agoMs })
  signal.throwIfAborted()
  throw refusal(failure, address, performance.now() - startedAt)
}

function refusal(failure: unknown, to: string, afterMs: number): MeshError {
  const detail = reasonOf(failure)
  if (detail.startsWith(CALL_UNKNOWN)) return new MeshError('INVITE_REFUSED', { to, why: 'unknown', agoMs: 0 }, { cause: failure })
  if (detail.startsWith(CALL_BUSY)) return new MeshError('PEER_BUSY', { peer: to, detail: 'it answers other invites' }, { cause: failure })
  return dialFailure(failure, { to, afterMs, keyed: true })
}
