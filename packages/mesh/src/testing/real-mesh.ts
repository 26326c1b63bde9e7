import { createIdentity, openIdentity, type Identity } from '../identity.ts'
import type { MeshOptions } from '../mesh-options.ts'
import { openMesh } from '../open-mesh.ts'
import type { Mesh } from '../port.ts'
import { Holder } from './items.ts'

export const KEY: Uint8Array = new Uint8Array(32).fill(7)
export const OTHER_KEY: Uint8Array = new Uint8Array(32).fill(8)
export const MESH_ID = 'ab'.repeat(32) as MeshOptions['meshId']

export interface RealNode {
  readonly mesh: Mesh
  readonly holder: Holder
  readonly identity: Identity
  readonly addr: string
}

/** A real node on a free loopback port; every discovery path off unless asked for. */
export async function realNode(options: Partial<Omit<MeshOptions, 'handlers'>> & { holder?: Holder } = {}): Promise<RealNode> {
  const holder = options.holder ?? new Holder()
  const identity = options.identity ?? openIdentity(await createIdentity())
  const mesh = await openMesh({
    meshId: MESH_ID,
    meshKey: KEY,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: [],
    mdns: false,
    tailscale: false,
    ...options,
    identity,
    handlers: holder,
  })
  return { mesh, holder, identity, addr: mesh.multiaddrs()[0] ?? '' }
}
