import type { InviteRefusal } from '@sgsd/wire'

/** What can go wrong at the mesh edge, each with the facts that a reader of a log line needs. */
export interface MeshErrorData {
  /** No listener could be opened; `advice` says what a person can do. */
  readonly LISTEN_FAILED: { readonly address: string; readonly detail: string; readonly advice: string }
  /** The peer store's directory cannot be used. */
  readonly PEER_STORE_FAILED: { readonly directory: string; readonly detail: string }
  /** The bytes are not an Ed25519 private key in libp2p's protobuf form. */
  readonly IDENTITY_INVALID: { readonly detail: string }
  /** Not a multiaddr, or not one that can be dialled over TCP. */
  readonly ADDRESS_INVALID: { readonly address: string; readonly detail: string }
  /** Nothing answered in time. */
  readonly DIAL_TIMEOUT: { readonly to: string; readonly afterMs: number }
  /** The machine answered: nobody listens on that port. */
  readonly DIAL_REFUSED: { readonly to: string; readonly detail: string }
  /** No route, no such host, or the connection broke before the handshake. */
  readonly UNREACHABLE: { readonly to: string; readonly detail: string }
  /** The peer is there and holds another mesh key, or none. */
  readonly KEY_MISMATCH: { readonly to: string }
  /** The peer is there and wants a mesh key; none was given. */
  readonly KEY_REQUIRED: { readonly to: string }
  /** The node that made the invite no longer honours it, never made it (`unknown`), or wants to have nothing to do with us (`excluded`). */
  readonly INVITE_REFUSED: { readonly to: string; readonly why: InviteRefusal | 'unknown'; readonly agoMs: number }
  /** Somebody else answers at that address. */
  readonly PEER_MISMATCH: { readonly to: string; readonly detail: string }
  /** The address leads back to this very node. */
  readonly DIALLED_SELF: { readonly to: string }
  /** Something listens there, and it does not speak the mesh's protocols. */
  readonly NOT_A_MESH: { readonly to: string; readonly detail: string }
  /** No open connection to that peer. */
  readonly NOT_CONNECTED: { readonly peer: string }
  /** The peer let a deadline pass in the middle of an exchange. */
  readonly STALLED: { readonly peer: string; readonly afterMs: number }
  /** A stream ended or was reset before the exchange was over. */
  readonly STREAM_CLOSED: { readonly peer: string; readonly detail: string }
  /** A peer announced, or a caller asked to send, more than the protocol allows. */
  readonly FRAME_TOO_LARGE: { readonly peer: string; readonly bytes: number; readonly limit: number }
  /** Bytes of a peer that the protocol does not allow. */
  readonly FRAME_INVALID: { readonly peer: string; readonly detail: string }
  /** The peer does not hold the block. */
  readonly BLOCK_NOT_FOUND: { readonly peer: string; readonly block: string }
  /** The peer would not serve now, or has too many streams of ours open. */
  readonly PEER_BUSY: { readonly peer: string; readonly detail: string }
  /** The mesh was closed. */
  readonly CLOSED: { readonly call: string }
}

export type MeshErrorCode = keyof MeshErrorData

/** The one error of the mesh edge: a code to switch on, data to report, the cause where there is one. */
export class MeshError<C extends MeshErrorCode = MeshErrorCode> extends Error {
  override readonly name = 'MeshError'
  readonly code: C
  readonly data: MeshErrorData[C]

  constructor(code: C, data: MeshErrorData[C], options?: ErrorOptions) {
    super(`${SENTENCES[code]} (${describe(data)})`, options)
    this.code = code
    this.data = data
  }
}

/** @returns whether `error` is a mesh error with one of these codes */
export function isMeshError<C extends MeshErrorCode>(error: unknown, ...codes: readonly C[]): error is MeshError<C> {
  return error instanceof MeshError && (codes.length === 0 || codes.includes(error.code as C))
}

/** One line for people, whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const SENTENCES: Readonly<Record<MeshErrorCode, string>> = {
  LISTEN_FAILED: 'cannot listen',
  PEER_STORE_FAILED: 'the peer store cannot be opened',
  IDENTITY_INVALID: 'the identity key is damaged',
  ADDRESS_INVALID: 'not an address that can be dialled',
  DIAL_TIMEOUT: 'nothing answered in time',
  DIAL_REFUSED: 'nobody listens there',
  UNREACHABLE: 'cannot be reached',
  KEY_MISMATCH: 'the peer holds another mesh key',
  KEY_REQUIRED: 'the peer wants a mesh key; ask for an invite',
  INVITE_REFUSED: 'the invite is not honoured',
  PEER_MISMATCH: 'another peer answers there',
  DIALLED_SELF: 'the address leads back to this node',
  NOT_A_MESH: 'what answers there is not a mesh node',
  NOT_CONNECTED: 'not connected to the peer',
  STALLED: 'the peer stalled',
  STREAM_CLOSED: 'the stream closed early',
  FRAME_TOO_LARGE: 'a frame is too large',
  FRAME_INVALID: 'a frame is malformed',
  BLOCK_NOT_FOUND: 'the peer does not hold the block',
  PEER_BUSY: 'the peer is busy',
  CLOSED: 'the mesh is closed',
}

function describe(data: MeshErrorData[MeshErrorCode]): string {
  return Object.entries(data)
    .map(([key, value]) => `${key}: ${String(value)}`)
    .join(', ')
}
