import type { Millis, PeerName } from '@sgsd/consensus'

/** A connected peer that shows no interest in our topics for this long is not of our mesh, milliseconds; identify and gossip take about 40. */
const JOIN_PATIENCE_MS = 20_000

/** A joined peer whose gossip stream broke is heard of in nothing any more; after this long its connection is made anew, milliseconds. */
const DEAF_PATIENCE_MS = 10_000

interface Peer {
  readonly connectedAt: Millis
  joined: boolean
  /** When it was last seen among the subscribers, once it has joined. */
  heardAt: Millis
  rttMs: number | undefined
}

/**
 * Who is connected, and who of them has joined: a peer counts from the moment that it subscribes to this mesh's topics, so that what
 * is published after `peer:connected` reaches it, and that peers of another open mesh never show. No clock, no sockets.
 */
export class Peers {
  readonly #peers = new Map<PeerName, Peer>()

  connected(peer: PeerName, now: Millis): void {
    if (!this.#peers.has(peer)) this.#peers.set(peer, { connectedAt: now, joined: false, heardAt: now, rttMs: undefined })
  }

  /** @returns true the first time in this connection */
  join(peer: PeerName, now: Millis): boolean {
    this.connected(peer, now)
    const entry = this.#peers.get(peer)
    if (entry === undefined || entry.joined) return false
    entry.joined = true
    entry.heardAt = now
    return true
  }

  /** @returns whether the peer had joined */
  disconnected(peer: PeerName): boolean {
    const joined = this.#peers.get(peer)?.joined ?? false
    this.#peers.delete(peer)
    return joined
  }

  hasJoined(peer: PeerName): boolean {
    return this.#peers.get(peer)?.joined ?? false
  }

  joined(): PeerName[] {
    return [...this.#peers].flatMap(([peer, entry]) => (entry.joined ? [peer] : []))
  }

  /** Connected too long without joining. */
  strangers(now: Millis): PeerName[] {
    return [...this.#peers].flatMap(([peer, entry]) => (!entry.joined && now - entry.connectedAt > JOIN_PATIENCE_MS ? [peer] : []))
  }

  /** @param subscribers - of this mesh's topics, now @returns joined peers that have been missing among them for too long */
  deaf(subscribers: ReadonlySet<string>, now: Millis): PeerName[] {
    return [...this.#peers].flatMap(([peer, entry]) => {
      if (!entry.joined || subscribers.has(peer)) {
        entry.heardAt = now
        return []
      }
      return now - entry.heardAt > DEAF_PATIENCE_MS ? [peer] : []
    })
  }

  measured(peer: PeerName, rttMs: number): void {
    const entry = this.#peers.get(peer)
    if (entry !== undefined) entry.rttMs = rttMs
  }

  rtt(peer: PeerName): number | undefined {
    return this.#peers.get(peer)?.rttMs
  }
}
