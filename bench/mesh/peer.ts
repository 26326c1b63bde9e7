/** The serving side of the mesh bench, in a thread of its own so that each side has its event loop to itself, as two machines would. */
import { parentPort, workerData } from 'node:worker_threads'
import { sendAll } from '../../packages/mesh/src/flow.ts'
import { createIdentity, openIdentity, openMesh } from '../../packages/mesh/src/index.ts'
import { createNode } from '../../packages/mesh/src/node.ts'
import { Holder, noise } from '../../packages/mesh/src/testing/items.ts'

export interface PeerSetting {
  readonly meshKey: Uint8Array
  readonly meshId: string
  readonly bytes: number
}

/** What the thread tells when it is ready. */
export interface PeerReady {
  readonly mesh: string
  readonly bare: string
  readonly block: string
}

/** Sends the bytes of the setting to whoever opens it. */
export const BARE_PROTOCOL = '/bench/bare/1'

if (parentPort !== null) {
  const { meshKey, meshId, bytes } = workerData as PeerSetting
  const body = noise(bytes)
  const holder = new Holder()
  const block = holder.addBlock(body)
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const identity = openIdentity(await createIdentity())
  const mesh = await openMesh({ identity, meshId: meshId as never, meshKey, listen, bootstrap: [], mdns: false, tailscale: false, handlers: holder })
  const bare = await createNode({
    identity: openIdentity(await createIdentity()),
    meshKey,
    watch: { metSelf: () => undefined },
    listen,
    topics: [],
    gater: {},
  })
  await bare.handle(BARE_PROTOCOL, (stream, connection) => {
    void sendAll(stream, body, { peer: String(connection.remotePeer), signal: new AbortController().signal }).then(() => stream.close())
  })
  await bare.start()
  parentPort.postMessage({ mesh: mesh.multiaddrs()[0] ?? '', bare: String(bare.getMultiaddrs()[0]), block } satisfies PeerReady)
}
