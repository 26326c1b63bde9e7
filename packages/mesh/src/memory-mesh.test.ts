import type { MeshId, PeerName } from '@sgsd/consensus'
import { expect, test } from 'vitest'
import { createIdentity, openIdentity } from './identity.ts'
import { MemoryHub, openMemoryMesh } from './memory-mesh.ts'
import { meshCompliance } from './mesh.compliance.ts'
import type { Mesh } from './port.ts'
import { Holder, until } from './testing/items.ts'
import { MESH_ID } from './testing/real-mesh.ts'

meshCompliance('in memory', async () => {
  const hub = new MemoryHub()
  const names: PeerName[] = []
  const open: Mesh[] = []
  return {
    async open(index, holder) {
      const self = (names[index] ??= openIdentity(await createIdentity()).peer)
      const mesh = await openMemoryMesh(hub, { self, meshId: MESH_ID, handlers: holder })
      open.push(mesh)
      return mesh
    },
    async [Symbol.asyncDispose]() {
      for (const mesh of open) await mesh.close()
    },
  }
})

test('a cut link hides two nodes from each other; gossip finds the way round; healing brings the link back', async () => {
  const hub = new MemoryHub()
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name: name as PeerName, holder: new Holder() }))
  if (a === undefined || b === undefined || c === undefined) throw new Error('three were made')
  const meshes = await Promise.all([a, b, c].map(({ name, holder }) => openMemoryMesh(hub, { self: name, meshId: MESH_ID, handlers: holder })))
  await until(() => meshes.every((mesh) => mesh.links().length === 2))
  hub.cut(a.name, c.name)
  expect(meshes[0]?.links().map(({ peer }) => peer)).toEqual(['b'])
  await meshes[0]?.publish('heads', Buffer.from('round'))
  await until(() => c.holder.gossip.length === 1)
  expect(c.holder.gossip[0]?.from).toBe('b')
  hub.heal(a.name, c.name)
  expect(meshes[2]?.links()).toHaveLength(2)
})

test('meshes of different ids share a hub and never meet', async () => {
  const hub = new MemoryHub()
  const a = await openMemoryMesh(hub, { self: 'a' as PeerName, meshId: MESH_ID, handlers: new Holder() })
  const b = await openMemoryMesh(hub, { self: 'b' as PeerName, meshId: 'cd'.repeat(32) as MeshId, handlers: new Holder() })
  await new Promise((resolve) => setImmediate(resolve))
  expect([a.links(), b.links()]).toEqual([[], []])
  await expect(a.dial('/memory/b', new AbortController().signal)).rejects.toMatchObject({ code: 'KEY_MISMATCH' })
})
