import { createSocket } from 'node:dgram'
import type { MeshId } from '@sgsd/consensus'
import { afterEach, describe, expect, test } from 'vitest'
import { createIdentity, openIdentity } from '../identity.ts'
import { until } from '../testing/items.ts'
import { KEY, MESH_ID, OTHER_KEY, realNode, type RealNode } from '../testing/real-mesh.ts'
import { mdnsReport } from './mdns.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function node(options: Parameters<typeof realNode>[0] = {}): Promise<RealNode> {
  const started = await realNode({ mdns: true, ...options })
  cleanups.push(() => started.mesh.close())
  return started
}

/** Whether a multicast packet sent here is heard here. */
async function multicastWorks(): Promise<boolean> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  try {
    return await new Promise((resolve) => {
      socket.on('error', () => resolve(false))
      socket.on('message', () => resolve(true))
      socket.bind(0, () => {
        try {
          socket.addMembership('224.0.0.251')
          socket.send('?', socket.address().port, '224.0.0.251')
          setTimeout(() => resolve(false), 1_000)
        } catch {
          resolve(false)
        }
      })
    })
  } finally {
    socket.close()
  }
}

const works = await multicastWorks()
const mdnsOf = ({ mesh }: RealNode): string => mesh.discovery().find(({ source }) => source === 'mdns')?.why ?? ''

describe('mDNS between real nodes', () => {
  test('two nodes find each other where multicast works; where it does not the report says so', async () => {
    const [a, b] = [await node(), await node()]
    if (works) {
      await until(() => a.mesh.links().length === 1 && b.mesh.links().length === 1)
      expect(mdnsOf(b)).toBe('mDNS: 1 peer found')
    } else {
      await new Promise((resolve) => setTimeout(resolve, 5_500))
      expect(mdnsOf(a)).toMatch(/multicast may be blocked|multicast does not work|no network interface/)
    }
  })

  test('a node that restarts under the same identity and another port is found again', async () => {
    const a = await node()
    const b = await node()
    if (!works) return expect(mdnsOf(a)).toMatch(/^mDNS: /)
    await until(() => a.mesh.links().length === 1)
    await b.mesh.close()
    await until(() => a.mesh.links().length === 0)
    await node({ identity: b.identity })
    await until(() => a.mesh.links().length === 1)
  })

  test('meshes with other ids do not hear each other; one id with two keys is tried once and then left alone', async () => {
    const a = await node({ meshKey: KEY })
    const told: string[] = []
    const other = await node({ meshKey: OTHER_KEY })
    const elsewhere = await node({ meshId: 'cd'.repeat(32) as MeshId })
    for (const { mesh } of [a, other, elsewhere]) mesh.on('dial:failed', (_, reason) => told.push(reason))
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    expect([a, other, elsewhere].flatMap(({ mesh }) => mesh.links())).toEqual([])
    expect(told.length).toBeLessThanOrEqual(2)
    for (const reason of told) expect(reason).toMatch(/another mesh key/)
    expect(mdnsOf(elsewhere)).not.toMatch(/found/)
  })

  test('a second machine with our identity is noticed by its announcement', async () => {
    const identity = openIdentity(await createIdentity())
    const a = await node({ identity })
    const alarms: string[] = []
    a.mesh.on('identity:duplicated', (addr) => alarms.push(addr))
    await node({ identity, meshId: MESH_ID })
    if (works) await until(() => alarms.length === 1)
    else expect(alarms).toEqual([])
  })
})

describe('the report', () => {
  const seen = { found: 0, failure: undefined, searchingMs: 0, interfaces: 3 }

  test.each([
    [{ ...seen, found: 2 }, 'ok', 'mDNS: 2 peers found'],
    [seen, 'searching', 'mDNS: asking the local network'],
    [{ ...seen, searchingMs: 6_000 }, 'searching', 'mDNS: nobody answered on 3 interfaces yet; multicast may be blocked'],
    [{ ...seen, searchingMs: 6_000, interfaces: 1 }, 'searching', 'mDNS: nobody answered on 1 interface yet; multicast may be blocked'],
    [{ ...seen, interfaces: 0 }, 'searching', 'mDNS: this machine has no network interface but loopback'],
    [{ ...seen, failure: 'bind EADDRINUSE' }, 'failed', 'mDNS: multicast does not work here: bind EADDRINUSE'],
  ] as const)('%j', (input, state, why) => {
    expect(mdnsReport(input)).toMatchObject({ source: 'mdns', state, why, found: input.found })
  })
})
