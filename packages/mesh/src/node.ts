import { gossipsub, StrictSign, type GossipSub } from '@libp2p/gossipsub'
import { identify, type Identify } from '@libp2p/identify'
import type { ConnectionGater, PeerDiscovery, ServiceMap } from '@libp2p/interface'
import type { MulticastDNSComponents } from '@libp2p/mdns'
import { ping, type Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { LevelDatastore } from 'datastore-level'
import { createLibp2p, type Libp2p } from 'libp2p'
import type { Identity } from './identity.ts'
import { guardedNoise, type HandshakeWatch } from './noise-guard.ts'

/** A peer's connection may fall silent this long before it is given up, milliseconds: an event loop blocked for 8 s must survive. */
const PING_GRACE_MS = 10_000

/** Round trips are measured, and dead connections found, this often, milliseconds. */
const PING_INTERVAL_MS = 10_000

/**
 * Pings of one connection at a time. The connection monitor takes any failure of its own ping for a dead connection, so it must never meet
 * libp2p's default of one outbound stream while another ping is still under way.
 */
const PING_STREAMS = 16

/** One of several addresses of a peer is tried this long, so that a dead one leaves time for the next, milliseconds. */
const ADDRESS_DIAL_MS = 3_000

/** A joiner has one address and a person waiting, milliseconds. */
const JOINER_DIAL_MS = 6_000

/** Receive window of a stream, bytes: 4 MiB keep 250 MB/s at 16 ms of round trip. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024

/** Must exceed the window: a paused stream whose buffer overflows is reset. */
const READ_BUFFER_BYTES = 16 * 1024 * 1024

/** Largest gossip RPC read, bytes; many messages may share one. */
const GOSSIP_RPC_BYTES = 64 * 1024

/** Unsent gossip kept for a slow peer, bytes; more resets its gossip stream. */
const GOSSIP_OUTBOUND_BYTES = 4 * 1024 * 1024

export type NodeServices = ServiceMap & { readonly identify: Identify; readonly ping: Ping; readonly gossip: GossipSub }
export type MeshNode = Libp2p<NodeServices>

export interface NodeOptions {
  readonly identity: Identity
  readonly meshKey: Uint8Array | undefined
  readonly watch: HandshakeWatch
  /** A second way to be called, beside Noise with the mesh key: for holders of invites. */
  readonly door?: Encrypter
  readonly listen: readonly string[]
  readonly topics: readonly string[]
  readonly gater: ConnectionGater
  readonly datastore?: LevelDatastore
  readonly discovery?: (components: MulticastDNSComponents) => PeerDiscovery
}

/** Makes the one way, or the ways, to secure a connection. */
type Encrypter = ReturnType<typeof guardedNoise>

/** A libp2p node, not started, that carries a mesh: TCP, Noise with the mesh key, yamux, identify, ping, gossip. */
export async function createNode(options: NodeOptions): Promise<MeshNode> {
  return await createLibp2p<NodeServices>({
    ...transport(options.identity, encryptersOf(options), ADDRESS_DIAL_MS),
    start: false,
    addresses: { listen: [...options.listen] },
    connectionGater: { denyDialMultiaddr: () => false, ...options.gater },
    connectionMonitor: { pingInterval: PING_INTERVAL_MS, pingTimeout: { minTimeout: PING_GRACE_MS } },
    ...(options.datastore === undefined ? {} : { datastore: options.datastore }),
    ...(options.discovery === undefined ? {} : { peerDiscovery: [options.discovery] }),
    services: {
      identify: identify(),
      ping: ping({ timeout: PING_GRACE_MS, maxOutboundStreams: PING_STREAMS, maxInboundStreams: PING_STREAMS }),
      gossip: gossipsub({
        globalSignaturePolicy: StrictSign,
        emitSelf: false,
        // Meshes are small: a publisher sends to every peer it has, and a lone node may publish to nobody.
        floodPublish: true,
        allowPublishToZeroTopicPeers: true,
        allowedTopics: [...options.topics],
        maxInboundDataLength: GOSSIP_RPC_BYTES,
        maxOutboundBufferSize: GOSSIP_OUTBOUND_BYTES,
        decodeRpcLimits: DECODE_LIMITS,
        // Several nodes behind one address are normal here; with the default weight 16 of them delivered nothing.
        scoreParams: { IPColocationFactorWeight: 0 },
      }),
    },
  })
}

/** A node that can only dial, and in one way, for a joiner who has no mesh yet. */
export async function createDialler(identity: Identity, encrypter: Encrypter): Promise<Libp2p> {
  return await createLibp2p({
    ...transport(identity, [encrypter], JOINER_DIAL_MS),
    start: false,
    addresses: { listen: [] },
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
  })
}

/** Bounds on what one gossip RPC may make a decoder allocate; RPCs are ≤ 64 KiB. */
const DECODE_LIMITS = {
  maxSubscriptions: 16,
  maxMessages: 512,
  maxIhaveMessageIDs: 2_048,
  maxIwantMessageIDs: 2_048,
  maxIdontwantMessageIDs: 512,
  maxControlMessages: 512,
  maxPeerInfos: 16,
}

/** Noise first: whoever offers both gets that. */
function encryptersOf({ meshKey, watch, door }: NodeOptions): Encrypter[] {
  return [guardedNoise(meshKey, watch), ...(door === undefined ? [] : [door])]
}

function transport(identity: Identity, connectionEncrypters: Encrypter[], addressDialTimeout: number) {
  return {
    privateKey: identity.privateKey,
    nodeInfo: { name: 'sgsd', version: '0.1.0', userAgent: 'sgsd/0.1.0' },
    transports: [tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })],
    connectionEncrypters,
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES, maxReadBufferLength: READ_BUFFER_BYTES } })],
    connectionManager: {
      maxConnections: 128,
      // Several nodes may share a host: the defaults (5 a second per host, 10 pending) left 10 nodes with 5 peers each.
      inboundConnectionThreshold: 50,
      maxIncomingPendingConnections: 50,
      addressDialTimeout,
    },
  }
}
