import type { Millis, PeerName } from '@sgsd/consensus'
import { Conduct } from './conduct.ts'
import { MdnsDiscovery } from './discovery/mdns.ts'
import { TailscaleDiscovery } from './discovery/tailscale.ts'
import { TOPICS, topicName } from './gossip.ts'
import { inviteDoor } from './invite-door.ts'
import { Libp2pMesh } from './libp2p-mesh.ts'
import { meshId8, type MeshOptions } from './mesh-options.ts'
import { createNode } from './node.ts'
import { openPeerStore } from './peer-store.ts'
import type { Mesh } from './port.ts'
import { SelfEcho } from './self-echo.ts'

/**
 * Starts a node of a mesh: it listens, looks for peers on every path that is switched on, and keeps the connections that it finds.
 * @throws MeshError LISTEN_FAILED | PEER_STORE_FAILED; nothing stays open then
 */
export async function openMesh(options: MeshOptions): Promise<Mesh> {
  const now = (): Millis => performance.now() as Millis
  const conduct = new Conduct()
  const echo = new SelfEcho()
  const datastore = options.directory === undefined ? undefined : await openPeerStore(options.directory, options.log ?? (() => undefined))
  const mdns = options.mdns
    ? new MdnsDiscovery({
        meshId8: meshId8(options.meshId),
        self: options.identity.peer,
        now,
        found: (hints) => mesh.found('mdns', hints),
        metSelf: (addrs) => mesh.metSelf(addrs[0] ?? 'an mDNS answer'),
      })
    : undefined
  const tailscale = options.tailscale === false ? undefined : new TailscaleDiscovery(options.tailscale, (hints) => mesh.found('tailscale', hints))
  const refused = new Set<PeerName>()
  const banned = (peer: { toString(): string }): boolean => {
    const name = peer.toString() as PeerName
    return refused.has(name) || conduct.isBanned(name, now())
  }
  let node: Awaited<ReturnType<typeof createNode>>
  try {
    node = await createNode({
      identity: options.identity,
      meshKey: options.meshKey,
      ...(options.invites === undefined ? {} : { door: inviteDoor(options.invites, now) }),
      watch: { metSelf: (direction, remoteAddr) => echo.met(direction, remoteAddr, now()) },
      listen: options.listen,
      topics: TOPICS.map((topic) => topicName(options.meshId, topic)),
      gater: { denyDialPeer: banned, denyInboundEncryptedConnection: banned, denyOutboundEncryptedConnection: banned },
      ...(datastore === undefined ? {} : { datastore }),
      ...(mdns === undefined ? {} : { discovery: mdns.factory }),
    })
  } catch (error) {
    await datastore?.close()
    throw error
  }
  const mesh = new Libp2pMesh({ options, node, now, conduct, refused, echo, datastore, mdns, tailscale })
  try {
    await mesh.start()
  } catch (error) {
    await mesh.close()
    throw error
  }
  return mesh
}
