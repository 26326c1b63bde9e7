import { createHash } from 'node:crypto'
import type { BlockId, MeshId, PeerName } from '@sgsd/consensus'
import { MAX_GOSSIP_BYTES, type Topic } from '@sgsd/wire'
import { type Channel, memoryChannels } from './channel.ts'
import { Listeners } from './listeners.ts'
import { MeshError } from './mesh-error.ts'
import type { MeshLog } from './mesh-options.ts'
import type { BlockTarget, DiscoveryReport, Mesh, MeshEvents, MeshHandlers, PeerLink } from './port.ts'
import { requestBlock, serveBlock } from './session/block-session.ts'
import { requestProbe, serveProbe } from './session/probe-session.ts'
import { answerSync, askSync } from './session/sync-session.ts'

export interface MemoryMeshOptions {
  readonly self: PeerName
  readonly meshId: MeshId
  readonly handlers: MeshHandlers
  readonly log?: MeshLog | undefined
}

/** The network of meshes in memory: everybody of one mesh id is connected to everybody, except where a link was cut. */
export class MemoryHub {
  readonly #nodes = new Map<PeerName, MemoryMesh>()
  readonly #cut = new Set<string>()

  /** Cuts the link between two nodes; both see the other leave. */
  cut(a: PeerName, b: PeerName): void {
    if (this.#cut.has(pair(a, b))) return
    const [left, right] = [this.#nodes.get(a), this.#nodes.get(b)]
    this.#cut.add(pair(a, b))
    left?.disconnected(b)
    right?.disconnected(a)
  }

  /** Restores a cut link. */
  heal(a: PeerName, b: PeerName): void {
    if (!this.#cut.delete(pair(a, b))) return
    const [left, right] = [this.#nodes.get(a), this.#nodes.get(b)]
    if (left === undefined || right === undefined || left.meshId !== right.meshId) return
    left.connected(b, 'outbound')
    right.connected(a, 'inbound')
  }

  /** @returns the node, if a link to it is up */
  reach(from: MemoryMesh, to: PeerName): MemoryMesh | undefined {
    const node = this.#nodes.get(to)
    if (node === undefined || node === from || node.meshId !== from.meshId || this.#cut.has(pair(from.self, to))) return undefined
    return node.refuses(from.self) || from.refuses(to) ? undefined : node
  }

  find(peer: PeerName): MemoryMesh | undefined {
    return this.#nodes.get(peer)
  }

  add(node: MemoryMesh): void {
    this.#nodes.set(node.self, node)
    this.link(node)
  }

  /** Takes down and brings up a node's links as it is now. */
  link(node: MemoryMesh): void {
    if (this.#nodes.get(node.self) !== node) return
    for (const { peer } of node.links()) {
      if (this.reach(node, peer) !== undefined) continue
      node.disconnected(peer)
      this.#nodes.get(peer)?.disconnected(node.self)
    }
    for (const other of this.#nodes.values()) {
      if (this.reach(node, other.self) === undefined) continue
      node.connected(other.self, 'outbound')
      other.connected(node.self, 'inbound')
    }
  }

  remove(node: MemoryMesh): void {
    const reached = [...this.#nodes.values()].filter((other) => this.reach(node, other.self) !== undefined)
    this.#nodes.delete(node.self)
    for (const other of reached) other.disconnected(node.self)
  }
}

/** The mesh in memory: same port, same sessions, no sockets. Links come up after this returns, so listeners may be attached first. */
export async function openMemoryMesh(hub: MemoryHub, options: MemoryMeshOptions): Promise<Mesh> {
  const mesh = new MemoryMesh(hub, options)
  setImmediate(() => mesh.start())
  return mesh
}

/** Messages remembered, so that one that comes round again is dropped. */
const MAX_SEEN = 4_096

export class MemoryMesh implements Mesh {
  readonly self: PeerName
  readonly meshId: MeshId
  readonly handlers: MeshHandlers
  readonly #hub: MemoryHub
  readonly #listeners: Listeners
  readonly #links = new Map<PeerName, PeerLink>()
  readonly #seen = new Set<string>()
  readonly #stop = new AbortController()
  #members: readonly PeerName[] = []
  #refused: ReadonlySet<PeerName> = new Set()
  #published = 0

  constructor(hub: MemoryHub, options: MemoryMeshOptions) {
    this.#hub = hub
    this.self = options.self
    this.meshId = options.meshId
    this.handlers = options.handlers
    this.#listeners = new Listeners(options.log ?? (() => undefined))
  }

  start(): void {
    if (!this.#stop.signal.aborted) this.#hub.add(this)
  }

  multiaddrs(): readonly string[] {
    return [`/memory/${this.self}/p2p/${this.self}`]
  }

  links(): readonly PeerLink[] {
    return [...this.#links.values()]
  }

  discovery(): readonly DiscoveryReport[] {
    const off = (source: DiscoveryReport['source']): DiscoveryReport => ({ source, state: 'off', found: 0, why: `${source}: not used in memory` })
    return [
      off('mdns'),
      off('tailscale'),
      off('bootstrap'),
      { source: 'roster', state: 'ok', found: this.#members.length, why: `${this.#links.size} peers linked` },
    ]
  }

  setMembers(members: readonly { readonly peer: PeerName; readonly addrs: readonly string[] }[]): void {
    this.#members = members.map(({ peer }) => peer).filter((peer) => peer !== this.self)
  }

  setRefused(peers: ReadonlySet<PeerName>): void {
    this.#refused = new Set(peers)
    this.#hub.link(this)
  }

  refuses(peer: PeerName): boolean {
    return this.#refused.has(peer)
  }

  async publish(topic: Topic, bytes: Uint8Array): Promise<void> {
    this.#mustBeOpen('publish')
    if (bytes.length > MAX_GOSSIP_BYTES) throw new MeshError('FRAME_TOO_LARGE', { peer: this.self, bytes: bytes.length, limit: MAX_GOSSIP_BYTES })
    const id = createHash('sha256')
      .update(`${this.self} ${this.#published++}`)
      .digest('hex')
    this.#seen.add(id)
    this.#forward(id, topic, Uint8Array.from(bytes))
  }

  async sync(peer: PeerName, signal: AbortSignal): Promise<number> {
    return await this.#exchange('sync', peer, signal, {
      ask: (channel) => askSync(channel, this.handlers),
      answer: async (channel, other) => void (await answerSync(channel, other.handlers)),
    })
  }

  async probe(peer: PeerName, probe: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    return await this.#exchange('probe', peer, signal, {
      ask: (channel) => requestProbe(channel, probe),
      answer: async (channel, other) => {
        const { onProbe } = other.handlers
        if (onProbe === undefined) throw new MeshError('STREAM_CLOSED', { peer, detail: 'it answers no probes' })
        await serveProbe(channel, this.self, onProbe.bind(other.handlers), signal)
      },
    })
  }

  async fetchBlock(peer: PeerName, id: BlockId, target: BlockTarget, signal: AbortSignal): Promise<void> {
    await this.#exchange('fetchBlock', peer, signal, {
      ask: (channel) => requestBlock(channel, id, target),
      answer: (channel, other) => serveBlock(channel, (block, offset) => other.handlers.readBlock(block, offset)),
    })
  }

  async dial(address: string, signal: AbortSignal): Promise<PeerName> {
    this.#mustBeOpen('dial')
    signal.throwIfAborted()
    const peer = /^\/memory\/([^/]+)(?:\/p2p\/([^/]+))?$/.exec(address)
    if (peer === null) throw new MeshError('ADDRESS_INVALID', { address, detail: 'not /memory/<peer>' })
    const node = this.#hub.find(peer[1] as PeerName)
    if (node === undefined) throw new MeshError('DIAL_REFUSED', { to: address, detail: 'no such node' })
    if (node.self === this.self) throw new MeshError('DIALLED_SELF', { to: address })
    if (peer[2] !== undefined && peer[2] !== node.self) throw new MeshError('PEER_MISMATCH', { to: address, detail: `${node.self} answers` })
    if (node.meshId !== this.meshId) throw new MeshError('KEY_MISMATCH', { to: address })
    if (this.refuses(node.self) || node.refuses(this.self)) throw new MeshError('UNREACHABLE', { to: address, detail: 'refused' })
    this.#hub.heal(this.self, node.self)
    return node.self
  }

  on<K extends keyof MeshEvents>(event: K, listener: (...args: MeshEvents[K]) => void): void {
    this.#listeners.on(event, listener)
  }

  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#stop.abort(new MeshError('CLOSED', { call: 'close' }))
    this.#hub.remove(this)
    for (const peer of [...this.#links.keys()]) this.disconnected(peer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  connected(peer: PeerName, direction: PeerLink['direction']): void {
    if (this.#links.has(peer)) return
    const link: PeerLink = { peer, remoteAddr: `/memory/${peer}/p2p/${peer}`, via: 'loopback', direction, rttMs: 0 }
    this.#links.set(peer, link)
    this.#listeners.emit('peer:connected', link)
  }

  disconnected(peer: PeerName): void {
    if (this.#links.delete(peer)) this.#listeners.emit('peer:disconnected', peer)
  }

  /** A message on its way; handled in a turn of its own, as a network would. */
  deliver(id: string, topic: Topic, bytes: Uint8Array, from: PeerName): void {
    queueMicrotask(() => {
      if (this.#stop.signal.aborted || this.#seen.has(id)) return
      this.#seen.add(id)
      if (this.#seen.size > MAX_SEEN) for (const oldest of this.#seen) if (this.#seen.delete(oldest)) break
      if (this.handlers.onGossip(topic, bytes, from).type === 'accept') this.#forward(id, topic, bytes)
    })
  }

  #forward(id: string, topic: Topic, bytes: Uint8Array): void {
    for (const peer of this.#links.keys()) this.#hub.reach(this, peer)?.deliver(id, topic, bytes, this.self)
  }

  async #exchange<T>(
    call: string,
    peer: PeerName,
    signal: AbortSignal,
    sides: { ask(channel: Channel): Promise<T>; answer(channel: Channel, other: MemoryMesh): Promise<void> },
  ): Promise<T> {
    this.#mustBeOpen(call)
    const other = this.#hub.reach(this, peer)
    if (other === undefined) throw new MeshError('NOT_CONNECTED', { peer })
    const [ours, theirs] = memoryChannels(this.self, peer, AbortSignal.any([signal, this.#stop.signal]))
    const answered = sides.answer(theirs, other).catch((error: unknown) => theirs.abort(error instanceof Error ? error : new Error(String(error))))
    try {
      return await sides.ask(ours)
    } catch (error) {
      ours.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    } finally {
      await answered
    }
  }

  #mustBeOpen(call: string): void {
    if (this.#stop.signal.aborted) throw new MeshError('CLOSED', { call })
  }
}

function pair(a: PeerName, b: PeerName): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
