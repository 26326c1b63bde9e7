import type { BlockId, PeerName } from '@sgsd/consensus'
import type { Topic, Verdict } from '@sgsd/wire'

/** One connection to a peer, for people. */
export interface PeerLink {
  readonly peer: PeerName
  readonly remoteAddr: string
  /** How it goes: same machine, private address, 100.64.0.0/10, or other. */
  readonly via: 'loopback' | 'lan' | 'tailscale' | 'direct'
  readonly direction: 'inbound' | 'outbound'
  readonly rttMs: number | undefined
}

/** What a discovery path found, or why it found nothing. */
export interface DiscoveryReport {
  readonly source: 'mdns' | 'bootstrap' | 'tailscale' | 'roster'
  readonly state: 'off' | 'ok' | 'searching' | 'failed'
  /** Peers (or addresses) that this path has produced. */
  readonly found: number
  /** One sentence for people: what was found, or why nothing. */
  readonly why: string
}

/** Answers the mesh gives to peers; supplied by the daemon. */
export interface MeshHandlers {
  /** Decides on one gossip message; runs before it is forwarded, so it must be quick and must not throw. */
  onGossip(topic: Topic, bytes: Uint8Array, from: PeerName): Verdict<void>
  /** Genesis bytes for a joiner. */
  genesis(): Uint8Array
  /** Digest of the whole CRDT state: equal digests end a sync at once. */
  syncDigest(): Uint8Array
  /** Ids of every item held (32 bytes each). */
  inventory(): readonly Uint8Array[]
  /** Envelope bytes of the items whose ids are not in `theirs`. */
  itemsMissingFrom(theirs: ReadonlySet<string>): readonly Uint8Array[]
  /** Envelopes that a sync brought. A `reject` ends the sync and counts against the peer. */
  onItems(envelopes: readonly Uint8Array[], from: PeerName): Verdict<void>
  /** Answers a probe, one message of at most `MAX_ADMISSION_BYTES` for another; absent: probes are not spoken. Whatever it throws resets the stream. */
  onProbe?(probe: Uint8Array, from: PeerName, signal: AbortSignal): Promise<Uint8Array>
  /** Compressed block bytes for a peer. */
  readBlock(id: BlockId, offset: number): Promise<{ readonly size: number; readonly body: AsyncIterable<Uint8Array> } | undefined>
}

/** Events; observers only. */
export interface MeshEvents {
  'peer:connected': [link: PeerLink]
  'peer:disconnected': [peer: PeerName]
  /** A dial failed; shown in status with its reason. */
  'dial:failed': [target: string, reason: string]
  /** Another machine uses our own identity. */
  'identity:duplicated': [remoteAddr: string]
}

/** Where a block's compressed bytes go. */
export interface BlockTarget {
  readonly have: number
  write(piece: Uint8Array): Promise<void>
}

export interface Mesh extends AsyncDisposable {
  readonly self: PeerName
  /** Dialable multiaddrs with /p2p/<self>, loopback last. */
  multiaddrs(): readonly string[]
  links(): readonly PeerLink[]
  discovery(): readonly DiscoveryReport[]
  /** Known members and their addresses for the re-dial loop. */
  setMembers(members: readonly { readonly peer: PeerName; readonly addrs: readonly string[] }[]): void
  /**
   * Peers with whom nothing is exchanged, until a call without them: their connections are closed, and refused and not sought from now on. All others are
   * welcome again.
   */
  setRefused(peers: ReadonlySet<PeerName>): void
  publish(topic: Topic, bytes: Uint8Array): Promise<void>
  /** One anti-entropy exchange with a connected peer. @returns number of items received */
  sync(peer: PeerName, signal: AbortSignal): Promise<number>
  /** One question and its answer; both of at most `MAX_ADMISSION_BYTES`. @throws MeshError NOT_CONNECTED | STREAM_CLOSED | STALLED | … */
  probe(peer: PeerName, probe: Uint8Array, signal: AbortSignal): Promise<Uint8Array>
  /** Pulls compressed bytes of a block into `target`, from `target.have` on. @throws MeshError BLOCK_NOT_FOUND | STALLED | … */
  fetchBlock(peer: PeerName, id: BlockId, target: BlockTarget, signal: AbortSignal): Promise<void>
  /** Dials an address (with or without /p2p) and keeps it as a bootstrap. @throws MeshError DIAL_TIMEOUT | DIAL_REFUSED | KEY_MISMATCH | PEER_MISMATCH | ADDRESS_INVALID */
  dial(address: string, signal: AbortSignal): Promise<PeerName>
  on<K extends keyof MeshEvents>(event: K, listener: (...args: MeshEvents[K]) => void): void
  close(): Promise<void>
}
