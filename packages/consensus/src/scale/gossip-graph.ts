import { mix } from '@sgsd/color'

/** Who forwards gossip to whom: neighbours of node v are `peers[offsets[v]] … peers[offsets[v + 1] − 1]`. */
export interface GossipGraph {
  readonly nodes: number
  readonly offsets: Int32Array
  readonly peers: Int32Array
}

export interface Flood {
  /** Nodes that have the message, the author included. */
  readonly reached: number
  /** Copies that crossed a link. */
  readonly sends: number
  /** Hops until the last of them had it. */
  readonly hops: number
}

/**
 * Links of about `degree` peers for each node: as many random rings through all nodes as make that degree, so that it is connected; links
 * that two rings share count once. Everybody knows everybody where there are no more nodes than that.
 * @param nodes - integer ≥ 1
 * @param degree - integer ≥ 2, rounded down to an even number
 * @param seed - the same seed gives the same graph
 */
export function randomGossipGraph(nodes: number, degree: number, seed: bigint): GossipGraph {
  if (nodes <= degree + 1) return graphOf(nodes, Math.max(0, nodes - 1), (v, k) => (k < v ? k : k + 1))
  const rings = Math.max(1, degree >> 1)
  const links = new Int32Array(nodes * rings * 2)
  let state = seed
  const order = Int32Array.from({ length: nodes }, (_, v) => v)
  for (let ring = 0; ring < rings; ring++) {
    // Fisher and Yates; 53 random bits are biased by less than one part in 2^32 for a million nodes
    for (let left = nodes - 1; left > 0; left--) {
      state = mix(state)
      const drawn = Number(state >> 11n) % (left + 1)
      const kept = order[left]!
      order[left] = order[drawn]!
      order[drawn] = kept
    }
    for (let at = 0; at < nodes; at++) {
      links[order[at]! * rings * 2 + ring * 2] = order[(at + 1) % nodes]!
      links[order[at]! * rings * 2 + ring * 2 + 1] = order[(at + nodes - 1) % nodes]!
    }
  }
  return graphOf(nodes, rings * 2, (v, k) => links[v * rings * 2 + k]!)
}

/** Sends one message from `author`: whoever hears it first passes it on to all its peers but the one that it came from. */
export function flood({ nodes, offsets, peers }: GossipGraph, author: number): Flood {
  const hopsTo = new Int32Array(nodes).fill(-1)
  const from = new Int32Array(nodes).fill(-1)
  const queue = new Int32Array(nodes)
  hopsTo[author] = 0
  queue[0] = author
  let reached = 1
  let sends = 0
  for (let at = 0; at < reached; at++) {
    const v = queue[at]!
    for (let k = offsets[v]!; k < offsets[v + 1]!; k++) {
      const peer = peers[k]!
      if (peer === from[v]!) continue
      sends += 1
      if (hopsTo[peer]! >= 0) continue
      hopsTo[peer] = hopsTo[v]! + 1
      from[peer] = v
      queue[reached++] = peer
    }
  }
  return { reached, sends, hops: hopsTo[queue[reached - 1]!]! }
}

function graphOf(nodes: number, degree: number, peerOf: (v: number, k: number) => number): GossipGraph {
  const offsets = new Int32Array(nodes + 1)
  const peers = new Int32Array(nodes * degree)
  let filled = 0
  for (let v = 0; v < nodes; v++) {
    offsets[v] = filled
    for (let k = 0; k < degree; k++) {
      const peer = peerOf(v, k)
      if (!peers.subarray(offsets[v], filled).includes(peer)) peers[filled++] = peer
    }
  }
  offsets[nodes] = filled
  return { nodes, offsets, peers: peers.slice(0, filled) }
}
