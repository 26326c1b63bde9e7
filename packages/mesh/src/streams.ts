import type { Connection, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { PeerName } from '@sgsd/consensus'
import { type Channel, streamChannel } from './channel.ts'
import { hostOf } from './link.ts'
import { isMeshError, MeshError, reasonOf } from './mesh-error.ts'
import type { MeshNode } from './node.ts'

/** Streams of one protocol that a peer may have open with us, each way. */
const MAX_STREAMS = 8

/** Longest life of an answer, milliseconds; a stalled peer is cut long before, a trickling one here. */
const ANSWER_DEADLINE_MS = 10 * 60_000

/** After an exchange the other side gets this long to close its half, milliseconds; streams that it keeps open count against it. */
const LINGER_MS = 5_000

/** A stream must open, protocol negotiation included, within this time, milliseconds. */
const OPEN_DEADLINE_MS = 10_000

/**
 * Answers a protocol's inbound streams. Nothing that a peer sends can make the handler reject: a failed answer resets its stream.
 * @param failed - told of each failure, to account for misbehaviour
 */
export async function answerStreams(
  node: MeshNode,
  protocol: string,
  stop: AbortSignal,
  answer: (channel: Channel, peer: PeerName) => Promise<void>,
  failed: (peer: PeerName, error: unknown) => void,
): Promise<void> {
  const handle = async (stream: Stream, connection: Connection): Promise<void> => {
    const peer = connection.remotePeer.toString() as PeerName
    const channel = streamChannel(stream, peer, AbortSignal.any([stop, AbortSignal.timeout(ANSWER_DEADLINE_MS)]))
    try {
      await answer(channel, peer)
      letGo(stream)
    } catch (error) {
      channel.abort(error instanceof Error ? error : new Error(String(error)))
      failed(peer, error)
    }
  }
  await node.handle(protocol, (stream, connection) => void handle(stream, connection), {
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS,
  })
}

/**
 * Opens a stream on an existing connection, runs `exchange` on it and closes or resets it.
 * @throws MeshError NOT_CONNECTED | PEER_BUSY | STREAM_CLOSED; whatever `exchange` throws; the signal's reason
 */
export async function withStream<T>(
  node: Pick<MeshNode, 'getConnections'>,
  peer: PeerName,
  protocol: string,
  signal: AbortSignal,
  exchange: (channel: Channel) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const connection = connectionTo(node, peer)
  if (connection === undefined) throw new MeshError('NOT_CONNECTED', { peer })
  let stream: Stream
  try {
    stream = await connection.newStream(protocol, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(OPEN_DEADLINE_MS)]),
      maxOutboundStreams: MAX_STREAMS,
    })
  } catch (cause) {
    signal.throwIfAborted()
    const busy = cause instanceof Error && cause.name.startsWith('TooMany')
    throw new MeshError(busy ? 'PEER_BUSY' : 'STREAM_CLOSED', { peer, detail: reasonOf(cause) }, { cause })
  }
  const channel = streamChannel(stream, peer, signal)
  try {
    const result = await exchange(channel)
    letGo(stream)
    return result
  } catch (error) {
    channel.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}

/** The newest open connection: an older one may belong to a process that is gone and only look open. */
export function connectionTo(node: Pick<MeshNode, 'getConnections'>, peer: PeerName): Connection | undefined {
  const open = node.getConnections(peerIdFromString(peer)).filter((one) => one.status === 'open')
  return open.toSorted((a, b) => b.timeline.open - a.timeline.open)[0]
}

/** Connections of the same peer, from the same host, that a newer inbound one replaces by more than this are dead, milliseconds. */
const REPLACED_AFTER_MS = 1_000

/**
 * Closes what a restarted peer left behind: after a power cut its old connection looks open until a ping fails, and gossip would go
 * into it until then. Two nodes that dial each other at once, or over two networks, keep both connections.
 */
export function closeReplaced(node: Pick<MeshNode, 'getConnections'>, newest: Connection): void {
  if (newest.direction !== 'inbound') return
  const host = hostOf(String(newest.remoteAddr))
  for (const one of node.getConnections(newest.remotePeer)) {
    const isOlder = one.timeline.open < newest.timeline.open - REPLACED_AFTER_MS
    if (one !== newest && one.direction === 'inbound' && isOlder && hostOf(String(one.remoteAddr)) === host)
      one.abort(new Error('the peer connected anew'))
  }
}

/** Whether an error shows that the peer broke the protocol, not that the network broke. */
export function isMisconduct(error: unknown): error is MeshError<'FRAME_INVALID' | 'FRAME_TOO_LARGE'> {
  return isMeshError(error, 'FRAME_INVALID', 'FRAME_TOO_LARGE')
}

/** Resets a stream that is not closed by both sides soon. */
function letGo(stream: Stream): void {
  if (stream.status !== 'open' && stream.status !== 'closing') return
  const timer = setTimeout(() => stream.abort(new Error('the exchange is over')), LINGER_MS)
  timer.unref()
  stream.addEventListener('close', () => clearTimeout(timer), { once: true })
}
