import { createIdentity, openIdentity, type Identity } from './identity.ts'
import { meshCompliance } from './mesh.compliance.ts'
import type { Mesh } from './port.ts'
import { realNode } from './testing/real-mesh.ts'

meshCompliance('over libp2p', async () => {
  const identities: Identity[] = []
  const addrs: string[] = []
  const open: Mesh[] = []
  return {
    async open(index, holder) {
      const identity = (identities[index] ??= openIdentity(await createIdentity()))
      const listen = addrs[index]?.replace(/\/p2p\/.*$/, '') ?? '/ip4/127.0.0.1/tcp/0'
      const { mesh, addr } = await realNode({ identity, holder, listen: [listen], bootstrap: addrs.filter((_, i) => i !== index) })
      addrs[index] = addr
      open.push(mesh)
      return mesh
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(open.map((mesh) => mesh.close()))
    },
  }
})
