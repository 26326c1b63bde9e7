import { type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import type { MeshId, PeerName } from '@sgsd/consensus'
import { MAX_GOSSIP_BYTES, type Topic } from '@sgsd/wire'
import { meshId8 } from './mesh-options.ts'
import type { MeshNode } from './node.ts'

export const TOPICS: readonly Topic[] = ['roster', 'claims', 'heads', 'proofs']

/** docs/protocol.md: `/sgs/<first 8 hex digits of the mesh id>/<topic>/1` */
export function topicName(meshId: MeshId, topic: Topic): string {
  return `/sgs/${meshId8(meshId)}/${topic}/1`
}

export type GossipJudge = (topic: Topic, bytes: Uint8Array, from: PeerName) => 'accept' | 'ignore' | 'reject'

/** Hears which peers join; before the node starts, so that none is missed. */
export function watchSubscriptions(node: MeshNode, meshId: MeshId, joined: (peer: PeerName) => void): void {
  const roster = topicName(meshId, 'roster')
  node.services.gossip.addEventListener('subscription-change', (event) => {
    const { peerId, subscriptions } = event.detail
    if (subscriptions.some((one) => one.subscribe && one.topic === roster)) joined(peerId.toString() as PeerName)
  })
}

/**
 * Subscribes a started node to the mesh's topics; each message is judged once and forwarded only when accepted.
 * @param judge - runs before a message is forwarded; must not throw
 */
export function joinTopics(node: MeshNode, meshId: MeshId, judge: GossipJudge): void {
  const { gossip } = node.services
  for (const topic of TOPICS) {
    gossip.topicValidators.set(topicName(meshId, topic), (source, message) => verdictOf(topic, source, message, judge))
    gossip.subscribe(topicName(meshId, topic))
  }
}

const RESULTS = { accept: TopicValidatorResult.Accept, ignore: TopicValidatorResult.Ignore, reject: TopicValidatorResult.Reject } as const

function verdictOf(topic: Topic, source: PeerId, message: Message, judge: GossipJudge): TopicValidatorResult {
  if (message.data.length > MAX_GOSSIP_BYTES) return TopicValidatorResult.Reject
  // A copy: the message is a view into an RPC of up to 64 KiB that would otherwise live as long as the item.
  return RESULTS[judge(topic, new Uint8Array(message.data), source.toString() as PeerName)]
}
