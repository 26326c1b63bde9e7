import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { fetchGenesis } from './fetch-genesis.ts'
import { createIdentity, openIdentity } from './identity.ts'
import { createNode } from './node.ts'
import { GENESIS } from './testing/items.ts'
import { KEY, OTHER_KEY, realNode, type RealNode } from './testing/real-mesh.ts'

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

async function join(address: string, meshKey: Uint8Array = KEY): ReturnType<typeof fetchGenesis> {
  return await fetchGenesis({ identity: openIdentity(await createIdentity()), meshKey, address }, never)
}

async function joinWithoutKey(address: string): ReturnType<typeof fetchGenesis> {
  return await fetchGenesis({ identity: openIdentity(await createIdentity()), address }, never)
}

/** A TCP server that is no mesh node. */
async function listener(serve: (socket: Socket) => void): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    cleanups.push(() => socket.destroy())
    serve(socket)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  cleanups.push(() => server.close())
  const address = server.address()
  return `/ip4/127.0.0.1/tcp/${typeof address === 'object' ? address?.port : 0}`
}

const bare = (addr: string): string => addr.replace(/\/p2p\/.*$/, '')

describe('a joiner asks for the genesis', () => {
  test('with the right key it gets the bytes and learns who answered, with or without a peer id in the address', async () => {
    const { addr, identity } = await node()
    expect(await join(addr)).toEqual({ genesis: GENESIS, peer: identity.peer })
    expect(await join(bare(addr))).toEqual({ genesis: GENESIS, peer: identity.peer })
  })

  test('of an open mesh, without a key', async () => {
    const { addr, identity } = await node({ meshKey: undefined })
    expect(await joinWithoutKey(addr)).toEqual({ genesis: GENESIS, peer: identity.peer })
  })

  test('another key is KEY_MISMATCH; none where one is wanted is KEY_REQUIRED; one where none is wanted is KEY_MISMATCH', async () => {
    const keyed = await node()
    const open = await node({ meshKey: undefined })
    await expect(join(keyed.addr, OTHER_KEY)).rejects.toMatchObject({ code: 'KEY_MISMATCH', data: { to: keyed.addr } })
    await expect(join(bare(keyed.addr), OTHER_KEY)).rejects.toMatchObject({ code: 'KEY_MISMATCH' })
    await expect(joinWithoutKey(keyed.addr)).rejects.toMatchObject({ code: 'KEY_REQUIRED' })
    await expect(join(open.addr)).rejects.toMatchObject({ code: 'KEY_MISMATCH' })
  })

  test('another peer at the address is PEER_MISMATCH, and names both', async () => {
    const { addr, identity } = await node()
    const expected = openIdentity(await createIdentity()).peer
    await expect(join(`${bare(addr)}/p2p/${expected}`)).rejects.toMatchObject({
      code: 'PEER_MISMATCH',
      message: expect.stringContaining(identity.peer),
    })
  })

  test('a closed port is DIAL_REFUSED, an unknown host UNREACHABLE', async () => {
    await expect(join('/ip4/127.0.0.1/tcp/1')).rejects.toMatchObject({ code: 'DIAL_REFUSED' })
    await expect(join('/dns4/no-such-host.invalid/tcp/42069')).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })

  test('something else behind the port is NOT_A_MESH, and UNREACHABLE when it hangs up at once', async () => {
    const web = await listener((socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'))
    await expect(join(web)).rejects.toMatchObject({ code: 'NOT_A_MESH' })
    const rude = await listener((socket) => socket.destroy())
    await expect(join(rude)).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })

  test('a port that accepts and stays silent is DIAL_TIMEOUT within 10 s', async () => {
    const silent = await listener(() => undefined)
    const startedAt = performance.now()
    await expect(join(silent)).rejects.toMatchObject({ code: 'DIAL_TIMEOUT' })
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  test('a libp2p node without our protocols is NOT_A_MESH', async () => {
    const other = await createNode({
      identity: openIdentity(await createIdentity()),
      meshKey: KEY,
      watch: { metSelf: () => undefined },
      listen: ['/ip4/127.0.0.1/tcp/0'],
      topics: [],
      gater: {},
    })
    await other.start()
    cleanups.push(() => other.stop())
    await expect(join(String(other.getMultiaddrs()[0]))).rejects.toMatchObject({ code: 'NOT_A_MESH' })
  })

  test.each([
    '',
    'hello',
    '/ip4/1.2.3.4',
    '/ip4/1.2.3.4/udp/9',
    '/ip4/1.2.3.4/tcp/0',
    '/ip4/1.2.3.4/tcp/99999',
    '/ip4/300.2.3.4/tcp/9',
    '/ip4/1.2.3.4/tcp/9/ws',
    '/ip4/1.2.3.4/tcp/9/p2p/QmNope',
    `/dns4/${'x'.repeat(600)}/tcp/9`,
  ])('the address %j is ADDRESS_INVALID before anything is dialled', async (address) => {
    await expect(join(address)).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
  })

  test('a cancelled join ends with the reason of its signal', async () => {
    const silent = await listener(() => undefined)
    const signal = AbortSignal.timeout(50)
    const identity = openIdentity(await createIdentity())
    await expect(fetchGenesis({ identity, meshKey: KEY, address: silent }, signal)).rejects.toBe(
      await new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason))),
    )
  })

  test('leaves the peer untroubled: no link, no event', async () => {
    const { addr, mesh } = await node()
    const seen: unknown[] = []
    mesh.on('peer:connected', (link) => seen.push(link))
    await join(addr)
    expect(mesh.links()).toEqual([])
    expect(seen).toEqual([])
  })
})
