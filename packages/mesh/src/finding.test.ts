import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, test } from 'vitest'
import { topicName } from './gossip.ts'
import { createIdentity, type Identity, openIdentity } from './identity.ts'
import { createNode, type MeshNode } from './node.ts'
import { Holder, noise, until } from './testing/items.ts'
import { KEY, MESH_ID, realNode, type RealNode } from './testing/real-mesh.ts'

const never = new AbortController().signal
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function node(options: Parameters<typeof realNode>[0] = {}): Promise<RealNode> {
  const started = await realNode(options)
  cleanups.push(() => started.mesh.close())
  return started
}

/** A node of the mesh without a daemon: same key and topics, nothing more. */
async function bare(identity: Identity): Promise<MeshNode> {
  const topic = topicName(MESH_ID, 'roster')
  const made = await createNode({ identity, meshKey: KEY, watch: { metSelf: () => undefined }, listen: [], topics: [topic], gater: {} })
  await made.start()
  made.services.gossip.subscribe(topic)
  cleanups.push(() => made.stop())
  return made
}

describe('finding and keeping peers', () => {
  test('three nodes that share one bootstrap address all meet: the roster carries the third link', async () => {
    const a = await node()
    const [b, c] = [await node({ bootstrap: [a.addr] }), await node({ bootstrap: [a.addr.replace(/\/p2p\/.*/, '')] })]
    await until(() => a.mesh.links().length === 2)
    const roster = [a, b, c].map(({ mesh }) => ({ peer: mesh.self, addrs: mesh.multiaddrs() }))
    for (const { mesh } of [a, b, c]) mesh.setMembers(roster)
    await until(() => [a, b, c].every(({ mesh }) => mesh.links().length === 2))
    const why = b.mesh.discovery().map((report) => report.why)
    expect(why).toContain('Bootstrap: 1 of 1 address connected')
    expect(why).toContain('Roster: 2 of 2 known members connected')
    await until(() => a.mesh.links().every(({ rttMs }) => rttMs !== undefined))
  })

  test('a killed node that comes back on its port is found again without being asked', async () => {
    const a = await node()
    const b = await node()
    a.mesh.setMembers([{ peer: b.mesh.self, addrs: [b.addr] }])
    await until(() => a.mesh.links().length === 1)
    let failed = 0
    a.mesh.on('dial:failed', () => failed++)
    await b.mesh.close()
    await until(() => a.mesh.links().length === 0 && failed > 0)
    await node({ identity: b.identity, listen: [b.addr.replace(/\/p2p\/.*/, '')] })
    await until(() => a.mesh.links().length === 1, 9_000)
  })

  test('a peer that connects anew from the same host replaces its old connection; gossip goes on over the new one', async () => {
    const a = await node()
    const identity = openIdentity(await createIdentity())
    const [before, after] = await Promise.all([bare(identity), bare(identity)])
    await before.dial(multiaddr(a.addr))
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(before.getConnections().length).toBe(1)
    await after.dial(multiaddr(a.addr))
    await until(() => before.getConnections().length === 0)
    expect(after.getConnections().length).toBe(1)
    await until(() => a.mesh.links().length === 1)
    const heard: string[] = []
    after.services.gossip.addEventListener('message', (event) => heard.push(Buffer.from(event.detail.data).toString()))
    const asking = setInterval(() => void a.mesh.publish('roster', Buffer.from('still there?')), 100)
    cleanups.push(() => clearInterval(asking))
    await until(() => heard.length > 0, 8_000)
  })

  test('a failed dial is told with its reason, and shows in the report', async () => {
    const a = await node({ bootstrap: ['/ip4/127.0.0.1/tcp/1', 'not a multiaddr'] })
    const told: string[] = []
    a.mesh.on('dial:failed', (target, reason) => told.push(`${target}: ${reason}`))
    await until(() => told.length > 0)
    expect(told[0]).toMatch(/^\/ip4\/127.0.0.1\/tcp\/1: nobody listens there/)
    expect(a.mesh.discovery().find(({ source }) => source === 'bootstrap')).toMatchObject({
      state: 'failed',
      why: expect.stringContaining('nobody listens there'),
    })
  })

  test('a bootstrap list that names this very node, with and without its peer id, does no harm and raises no alarm', async () => {
    const port = 20_000 + Math.floor(Math.random() * 20_000)
    const alarms: string[] = []
    const holder = new Holder()
    const a = await node({ holder, listen: [`/ip4/0.0.0.0/tcp/${port}`], bootstrap: [`/ip4/127.0.0.1/tcp/${port}`] })
    a.mesh.on('identity:duplicated', (addr) => alarms.push(addr))
    await expect(a.mesh.dial(a.addr, never)).rejects.toMatchObject({ code: 'DIALLED_SELF' })
    await expect(a.mesh.dial(`/dns4/localhost/tcp/${port}`, never)).rejects.toMatchObject({ code: 'DIALLED_SELF' })
    await new Promise((resolve) => setTimeout(resolve, 3_500))
    expect(alarms).toEqual([])
  })

  test('a second machine with the same key is noticed on both sides', async () => {
    const identity = openIdentity(await createIdentity())
    const [a, b] = [await node({ identity }), await node({ identity })]
    const alarms: string[] = []
    a.mesh.on('identity:duplicated', (addr) => alarms.push(`a ${addr}`))
    b.mesh.on('identity:duplicated', (addr) => alarms.push(`b ${addr}`))
    await expect(a.mesh.dial(b.addr.replace(/\/p2p\/.*/, ''), never)).rejects.toMatchObject({ code: 'DIALLED_SELF' })
    await until(() => alarms.length === 2, 6_000)
    expect(alarms.map((alarm) => alarm.slice(0, 1)).toSorted()).toEqual(['a', 'b'])
  })

  test('two open meshes on one network: their nodes connect, notice that they have nothing in common, and never show as peers', async () => {
    const a = await node({ meshKey: undefined })
    const b = await node({ meshKey: undefined, meshId: 'cd'.repeat(32) as typeof MESH_ID, bootstrap: [a.addr] })
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect([a.mesh.links(), b.mesh.links()]).toEqual([[], []])
  })
})

describe('what can be wrong on this machine', () => {
  test('a port in use is LISTEN_FAILED, names the address and says what to do; nothing stays open', async () => {
    const a = await node()
    const listen = a.addr.replace(/\/p2p\/.*/, '')
    await expect(realNode({ listen: [listen] })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      data: { address: listen, detail: 'the port is in use', advice: expect.stringContaining('another port') },
    })
  })

  test('the peer store survives a restart, is made anew when damaged, and refuses a second user', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sgs-peers-'))
    cleanups.push(() => rm(dir, { recursive: true, force: true }))
    const first = await realNode({ directory: dir })
    await expect(realNode({ directory: dir })).rejects.toMatchObject({ code: 'PEER_STORE_FAILED' })
    await first.mesh.close()
    for (const file of await readdir(dir)) if (/CURRENT|MANIFEST|\.ldb|\.log/.test(file)) await writeFile(join(dir, file), noise(200))
    const warnings: string[] = []
    const second = await realNode({ directory: dir, log: (level, _, text) => void (level === 'warn' && warnings.push(text)) })
    await second.mesh.close()
    expect(warnings).toContain('peer store is damaged; making it anew')
  })
})
