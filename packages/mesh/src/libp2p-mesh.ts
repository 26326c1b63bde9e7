import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { BlockId, Millis, PeerName } from '@sgsd/consensus'
import { BLOCK_PROTOCOL, GENESIS_PROTOCOL, MAX_GOSSIP_BYTES, PROBE_PROTOCOL, SYNC_PROTOCOL, type Topic } from '@sgsd/wire'
import type { LevelDatastore } from 'datastore-level'
import { parseAddress } from './address.ts'
import type { Conduct } from './conduct.ts'
import { Dialler } from './dialler.ts'
import type { MdnsDiscovery } from './discovery/mdns.ts'
import { bootstrapReport, rosterReport } from './discovery/reports.ts'
import type { TailscaleDiscovery } from './discovery/tailscale.ts'
import { joinTopics, topicName, watchSubscriptions } from './gossip.ts'
import { loopbackLast, viaOf } from './link.ts'
import { listenFailure } from './listen-failure.ts'
import { Listeners } from './listeners.ts'
import { MeshError, reasonOf } from './mesh-error.ts'
import type { MeshLog, MeshOptions } from './mesh-options.ts'
import type { MeshNode } from './node.ts'
import { Peers } from './peers.ts'
import type { BlockTarget, DiscoveryReport, Mesh, MeshEvents, PeerLink } from './port.ts'
import { type Hint, RedialPlan, type Source } from './redial.ts'
import type { SelfEcho } from './self-echo.ts'
import { requestBlock, serveBlock } from './session/block-session.ts'
import { serveGenesis } from './session/genesis-session.ts'
import { requestProbe, serveProbe } from './session/probe-session.ts'
import { answerSync, askSync } from './session/sync-session.ts'
import { answerStreams, closeReplaced, connectionTo, withStream } from './streams.ts'
import { Warden } from './warden.ts'

/** Housekeeping (strangers, own echoes, silent mDNS peers) runs this often, milliseconds. */
const SWEEP_MS = 1_000

/** The first round trip is measured at once, with this deadline, milliseconds; libp2p's monitor goes on from there. */
const FIRST_PING_MS = 5_000

/** An alarm about a second machine with our key is repeated at most this often, milliseconds. */
const ALARM_QUIET_MS = 60_000

/** Longest anti-entropy exchange and block transfer, milliseconds. */
const SYNC_DEADLINE_MS = 60_000
const BLOCK_DEADLINE_MS = 10 * 60_000

/** libp2p gets this long to say goodbye, milliseconds. */
const CLOSE_DEADLINE_MS = 3_000

/** What `openMesh` puts together before the node starts. */
export interface MeshParts {
  readonly options: MeshOptions
  readonly node: MeshNode
  readonly now: () => Millis
  readonly conduct: Conduct
  /** Peers that are not talked to; shared with the gater. */
  readonly refused: Set<PeerName>
  readonly echo: SelfEcho
  readonly datastore: LevelDatastore | undefined
  readonly mdns: MdnsDiscovery | undefined
  readonly tailscale: TailscaleDiscovery | undefined
}

/** A mesh over libp2p; made by `openMesh`. */
export class Libp2pMesh implements Mesh {
  readonly self: PeerName
  readonly #parts: MeshParts
  readonly #node: MeshNode
  readonly #log: MeshLog
  readonly #listeners: Listeners
  readonly #stop = new AbortController()
  readonly #plan: RedialPlan
  readonly #dialler: Dialler
  readonly #peers = new Peers()
  readonly #warden: Warden
  readonly #bootstrap: string[]
  readonly #early: PeerName[] = []
  #started = false
  #members: readonly PeerName[] = []
  #bootstrapFailure: string | undefined
  #alarmedAt = Number.NEGATIVE_INFINITY
  #closing: Promise<void> | undefined

  constructor(parts: MeshParts) {
    const { options, node, now } = parts
    this.self = options.identity.peer
    this.#parts = parts
    this.#node = node
    this.#log = options.log ?? (() => undefined)
    this.#listeners = new Listeners(this.#log)
    this.#plan = new RedialPlan(this.self, Math.random)
    this.#bootstrap = [...options.bootstrap]
    this.#warden = new Warden({
      conduct: parts.conduct,
      now,
      onGossip: (...message) => options.handlers.onGossip(...message),
      log: this.#log,
      banned: (peer, reason) => this.#banned(peer, reason),
    })
    const keyed = options.meshKey !== undefined
    this.#dialler = new Dialler({
      node,
      plan: this.#plan,
      keyed,
      now,
      stop: this.#stop.signal,
      failed: (target, error) => this.#dialFailed(target, error),
    })
  }

  /** Listens and begins to look for peers. @throws MeshError LISTEN_FAILED */
  async start(): Promise<void> {
    const { options, mdns, tailscale } = this.#parts
    this.#node.addEventListener('peer:connect', (event) => this.#connected(event.detail.toString() as PeerName))
    this.#node.addEventListener('peer:disconnect', (event) => this.#disconnected(event.detail.toString() as PeerName))
    this.#node.addEventListener('connection:open', (event) => closeReplaced(this.#node, event.detail))
    watchSubscriptions(this.#node, options.meshId, (peer) => (this.#started ? this.#joined(peer) : this.#early.push(peer)))
    await this.#answer()
    try {
      await this.#node.start()
    } catch (cause) {
      throw listenFailure(options.listen, cause)
    }
    joinTopics(this.#node, options.meshId, (topic, bytes, from) => this.#warden.judge(topic, bytes, from))
    // Peers that were quicker than the start are announced once the caller could attach its observers.
    setImmediate(() => {
      this.#started = true
      for (const peer of this.#early.splice(0)) this.#joined(peer)
    })
    mdns?.watch()
    void tailscale?.start()
    this.#offerBootstrap()
    this.#dialler.start()
    const sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
    sweeper.unref()
    this.#stop.signal.addEventListener('abort', () => clearInterval(sweeper))
  }

  multiaddrs(): readonly string[] {
    return loopbackLast(this.#node.getMultiaddrs().map(String))
  }

  links(): readonly PeerLink[] {
    return this.#peers.joined().flatMap((peer) => {
      const connection = connectionTo(this.#node, peer)
      return connection === undefined ? [] : [this.#linkOf(peer, connection)]
    })
  }

  discovery(): readonly DiscoveryReport[] {
    const { mdns, tailscale } = this.#parts
    const connected = (peers: readonly PeerName[]): number => peers.filter((peer) => this.#peers.hasJoined(peer)).length
    return [
      mdns?.report() ?? { source: 'mdns', state: 'off', found: 0, why: 'mDNS: switched off' },
      tailscale?.report() ?? { source: 'tailscale', state: 'off', found: 0, why: 'Tailscale: switched off' },
      bootstrapReport(this.#plan.count('bootstrap'), connected(this.#plan.peers('bootstrap')), this.#bootstrapFailure),
      rosterReport(this.#members.length, connected(this.#members)),
    ]
  }

  setMembers(members: readonly { readonly peer: PeerName; readonly addrs: readonly string[] }[]): void {
    const others = members.filter(({ peer }) => peer !== this.self)
    this.#members = others.map(({ peer }) => peer)
    this.found(
      'roster',
      others.map(({ peer, addrs }) => ({ id: peer, peer, addrs: loopbackLast(addrs) })),
    )
  }

  setRefused(peers: ReadonlySet<PeerName>): void {
    const { refused } = this.#parts
    refused.clear()
    for (const peer of peers) refused.add(peer)
    for (const peer of peers) if (this.#node.getConnections(peerIdFromString(peer)).length > 0) this.#hangUp(peer)
  }

  async publish(topic: Topic, bytes: Uint8Array): Promise<void> {
    this.#mustBeOpen('publish')
    if (bytes.length > MAX_GOSSIP_BYTES) throw new MeshError('FRAME_TOO_LARGE', { peer: this.self, bytes: bytes.length, limit: MAX_GOSSIP_BYTES })
    await this.#node.services.gossip.publish(topicName(this.#parts.options.meshId, topic), bytes)
  }

  async sync(peer: PeerName, signal: AbortSignal): Promise<number> {
    this.#mustBeOpen('sync')
    const deadline = AbortSignal.any([signal, this.#stop.signal, AbortSignal.timeout(SYNC_DEADLINE_MS)])
    return await this.#warden.watch(peer, () =>
      withStream(this.#node, peer, SYNC_PROTOCOL, deadline, (channel) => askSync(channel, this.#parts.options.handlers)),
    )
  }

  async probe(peer: PeerName, probe: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    this.#mustBeOpen('probe')
    const deadline = AbortSignal.any([signal, this.#stop.signal])
    return await this.#warden.watch(peer, () => withStream(this.#node, peer, PROBE_PROTOCOL, deadline, (channel) => requestProbe(channel, probe)))
  }

  async fetchBlock(peer: PeerName, id: BlockId, target: BlockTarget, signal: AbortSignal): Promise<void> {
    this.#mustBeOpen('fetchBlock')
    const deadline = AbortSignal.any([signal, this.#stop.signal, AbortSignal.timeout(BLOCK_DEADLINE_MS)])
    await this.#warden.watch(peer, () => withStream(this.#node, peer, BLOCK_PROTOCOL, deadline, (channel) => requestBlock(channel, id, target)))
  }

  async dial(address: string, signal: AbortSignal): Promise<PeerName> {
    this.#mustBeOpen('dial')
    const { peer } = parseAddress(address)
    if (peer === this.self) throw new MeshError('DIALLED_SELF', { to: address })
    const answered = await this.#dialler.connect([address], peer, signal)
    if (!this.#bootstrap.includes(address)) this.#bootstrap.push(address)
    this.#offerBootstrap()
    return answered
  }

  on<K extends keyof MeshEvents>(event: K, listener: (...args: MeshEvents[K]) => void): void {
    this.#listeners.on(event, listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Everything that a source knows now. */
  found(source: Source, hints: readonly Hint[]): void {
    this.#plan.replace(source, hints, this.#parts.now())
    this.#dialler.tick()
  }

  /** Raises the alarm about a second machine with this node's key. */
  metSelf(remoteAddr: string): void {
    const now = this.#parts.now()
    if (now - this.#alarmedAt < ALARM_QUIET_MS) return
    this.#alarmedAt = now
    this.#log('error', { remoteAddr }, 'another machine uses the identity of this node')
    this.#listeners.emit('identity:duplicated', remoteAddr)
  }

  async #answer(): Promise<void> {
    const { handlers } = this.#parts.options
    const failed = (peer: PeerName, error: unknown): void => {
      this.#log('debug', { peer, reason: reasonOf(error) }, 'could not answer a stream')
      this.#warden.account(peer, error)
    }
    const stop = this.#stop.signal
    await answerStreams(this.#node, SYNC_PROTOCOL, stop, async (channel) => void (await answerSync(channel, handlers)), failed)
    await answerStreams(this.#node, BLOCK_PROTOCOL, stop, (channel) => serveBlock(channel, (id, offset) => handlers.readBlock(id, offset)), failed)
    const { onProbe } = handlers
    if (onProbe !== undefined) {
      const answer = onProbe.bind(handlers)
      await answerStreams(this.#node, PROBE_PROTOCOL, stop, (channel, peer) => serveProbe(channel, peer, answer, stop), failed)
    }
    await answerStreams(this.#node, GENESIS_PROTOCOL, stop, (channel) => serveGenesis(channel, handlers.genesis()), failed)
  }

  #banned(peer: PeerName, reason: string): void {
    this.#log('warn', { peer, reason }, 'banned a peer for a while')
    this.#plan.shun(peer, this.#parts.now())
    this.#hangUp(peer)
  }

  #hangUp(peer: PeerName): void {
    this.#node.hangUp(peerIdFromString(peer), { signal: AbortSignal.timeout(CLOSE_DEADLINE_MS) }).catch((error: unknown) => {
      this.#log('debug', { peer, reason: reasonOf(error) }, 'could not close a connection')
    })
  }

  #connected(peer: PeerName): void {
    this.#peers.connected(peer, this.#parts.now())
  }

  #joined(peer: PeerName): void {
    const connection = connectionTo(this.#node, peer)
    if (connection === undefined || !this.#peers.join(peer, this.#parts.now())) return
    if (this.#bootstrapFailure !== undefined && this.#plan.peers('bootstrap').includes(peer)) this.#bootstrapFailure = undefined
    this.#log('debug', { peer, remoteAddr: String(connection.remoteAddr), direction: connection.direction }, 'a peer joined')
    this.#listeners.emit('peer:connected', this.#linkOf(peer, connection))
    this.#node.services.ping.ping(connection.remotePeer, { signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(FIRST_PING_MS)]) }).then(
      (rttMs) => this.#peers.measured(peer, rttMs),
      () => undefined,
    )
  }

  #disconnected(peer: PeerName): void {
    const joined = this.#peers.disconnected(peer)
    this.#plan.lost(peer, this.#parts.now())
    if (!joined) return
    this.#log('debug', { peer }, 'a peer left')
    this.#listeners.emit('peer:disconnected', peer)
  }

  #dialFailed(target: string, error: MeshError): void {
    if (this.#bootstrap.some((address) => address.includes(target))) this.#bootstrapFailure = error.message
    this.#log('debug', { target, code: error.code, reason: error.message }, 'dial failed')
    this.#listeners.emit('dial:failed', target, error.message)
  }

  #sweep(): void {
    const { now, echo, mdns, options } = this.#parts
    mdns?.sweep()
    this.#sweepDeaf()
    for (const remoteAddr of echo.strangers(now())) this.metSelf(remoteAddr)
    for (const peer of this.#peers.strangers(now())) {
      this.#log('info', { peer }, 'a peer took no part in this mesh; leaving it')
      // Without a mesh key any node may connect, those of other open meshes too; with one, its gossip must have got stuck.
      if (options.meshKey === undefined && !this.#members.includes(peer)) this.#plan.shun(peer, now())
      this.#peers.disconnected(peer)
      this.#hangUp(peer)
    }
  }

  /** libp2p does not bring a broken gossip stream back while the connection lives. */
  #sweepDeaf(): void {
    const { now, options } = this.#parts
    const subscribers = new Set(this.#node.services.gossip.getSubscribers(topicName(options.meshId, 'roster')).map(String))
    for (const peer of this.#peers.deaf(subscribers, now())) {
      this.#log('warn', { peer }, 'the gossip with a peer broke; connecting anew')
      this.#hangUp(peer)
    }
  }

  #offerBootstrap(): void {
    const hints = this.#bootstrap.flatMap((address): Hint[] => {
      try {
        return [{ id: address, peer: parseAddress(address).peer, addrs: [address] }]
      } catch (error) {
        this.#bootstrapFailure = reasonOf(error)
        this.#log('warn', { address, reason: reasonOf(error) }, 'a bootstrap address cannot be used')
        return []
      }
    })
    this.found('bootstrap', hints)
  }

  #linkOf(peer: PeerName, connection: Connection): PeerLink {
    const remoteAddr = String(connection.remoteAddr)
    return { peer, remoteAddr, via: viaOf(remoteAddr), direction: connection.direction, rttMs: connection.rtt ?? this.#peers.rtt(peer) }
  }

  #mustBeOpen(call: string): void {
    if (this.#stop.signal.aborted) throw new MeshError('CLOSED', { call })
  }

  async #close(): Promise<void> {
    const { tailscale, datastore } = this.#parts
    this.#stop.abort(new MeshError('CLOSED', { call: 'close' }))
    tailscale?.stop()
    const deadline = new AbortController()
    await Promise.race([
      Promise.resolve(this.#node.stop()).catch((error: unknown) => this.#log('warn', { reason: reasonOf(error) }, 'the node did not stop cleanly')),
      sleep(CLOSE_DEADLINE_MS, undefined, { signal: deadline.signal }).catch(() => undefined),
    ])
    deadline.abort()
    try {
      await datastore?.close()
    } catch (error) {
      this.#log('warn', { reason: reasonOf(error) }, 'the peer store did not close cleanly')
    }
  }
}
