import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { BLOCK_PROTOCOL, encodeBlockHeader, encodeBlockRequest, encodeSyncHello, GENESIS_PROTOCOL, SYNC_PROTOCOL } from '@sgsd/wire'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { createIdentity, openIdentity } from './identity.ts'
import { MemoryTarget } from './mesh.compliance.ts'
import { createNode, type MeshNode } from './node.ts'
import { digestOf, Holder, noise, until } from './testing/items.ts'
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

/** A bare libp2p node with the given key, to send whatever it likes. */
async function attacker(meshKey: Uint8Array | undefined): Promise<MeshNode> {
  const identity = openIdentity(await createIdentity())
  const bare = await createNode({ identity, meshKey, watch: { metSelf: () => undefined }, listen: ['/ip4/127.0.0.1/tcp/0'], topics: [], gater: {} })
  await bare.start()
  cleanups.push(() => bare.stop())
  return bare
}

const closed = (stream: Stream): Promise<void> =>
  new Promise((resolve) => (stream.status === 'open' ? stream.addEventListener('close', () => resolve()) : resolve()))

describe('outsiders', () => {
  test('60 dials with another key or none: 0 protocol streams, 0 links, and the node still serves', async () => {
    const a = await node()
    let served = 0
    a.holder.genesis = () => {
      served++
      return new Uint8Array(3)
    }
    const friend = await attacker(KEY)
    for (const meshKey of [OTHER_KEY, undefined]) {
      const outsider = await attacker(meshKey)
      const dials = Array.from({ length: 30 }, () =>
        outsider.dialProtocol(multiaddr(a.addr), GENESIS_PROTOCOL, { signal: AbortSignal.timeout(5_000) }),
      )
      const results = await Promise.allSettled(dials)
      expect(results.every(({ status }) => status === 'rejected')).toBe(true)
      expect(outsider.getConnections().length).toBe(0)
    }
    expect(served).toBe(0)
    expect(a.mesh.links()).toEqual([])
    await friend.dialProtocol(multiaddr(a.addr), GENESIS_PROTOCOL)
    await until(() => served === 1)
  })

  test('nodes with different keys on one machine leave each other alone after one try', async () => {
    const a = await node({ meshKey: OTHER_KEY })
    const b = await node({ bootstrap: [a.addr] })
    const told: string[] = []
    b.mesh.on('dial:failed', (_, reason) => told.push(reason))
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/another mesh key/)
  })
})

describe('a malicious member', () => {
  const LENGTH_2_31 = new Uint8Array([0x80, 0x80, 0x80, 0x80, 0x08])

  test.each([SYNC_PROTOCOL, BLOCK_PROTOCOL])(
    'a frame length of 2^31 on %s resets the stream within 100 ms and allocates nothing',
    async (protocol) => {
      const a = await node()
      const bad = await attacker(KEY)
      const stream = await bad.dialProtocol(multiaddr(a.addr), protocol)
      const before = process.memoryUsage().rss
      const startedAt = performance.now()
      stream.send(LENGTH_2_31)
      await closed(stream)
      expect(performance.now() - startedAt).toBeLessThan(process.env['CI'] === undefined ? 500 : 2_000)
      expect(stream.status).toBe('reset')
      expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024)
    },
  )

  test('garbage on every protocol: no crash, memory as before, honest peers still served, the sender banned', async () => {
    const a = await node()
    const honest = await node({ bootstrap: [a.addr] })
    await until(() => a.mesh.links().length === 1)
    const unhandled: unknown[] = []
    const onUnhandled = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', onUnhandled)
    const inputs = fc.sample(fc.uint8Array({ maxLength: 300 }), { numRuns: 60, seed: 42 })
    for (let round = 0; round < 3; round++) {
      const bad = await attacker(KEY)
      await bad.dial(multiaddr(a.addr))
      for (const bytes of inputs) {
        for (const protocol of [SYNC_PROTOCOL, BLOCK_PROTOCOL, GENESIS_PROTOCOL, '/ipfs/ping/1.0.0', '/ipfs/id/1.0.0', '/meshsub/1.2.0']) {
          try {
            const stream = await bad.dialProtocol(multiaddr(a.addr), protocol, { signal: AbortSignal.timeout(2_000) })
            stream.send(bytes)
            await stream.close({ signal: AbortSignal.timeout(500) })
          } catch {
            // Refused by then, which is what is wanted.
          }
        }
      }
      await until(() => bad.getConnections().length === 0)
    }
    await until(() => a.mesh.links().length === 1)
    a.holder.add('still here')
    expect(await honest.mesh.sync(a.mesh.self, never)).toBe(1)
    process.off('unhandledRejection', onUnhandled)
    expect(unhandled).toEqual([])
  })

  test('mutated frames inside an authenticated session are refused, one and all, by both sides', async () => {
    const a = await node()
    const frames = [
      encodeSyncHello({ digest: new Uint8Array(32) }),
      encodeBlockRequest({ id: 'ab'.repeat(32) as never, offset: 0 }),
      encodeBlockHeader({ size: 9 }),
    ]
    const bad = await attacker(KEY)
    let answers = 0
    for (const frame of frames) {
      for (let at = 0; at < frame.length; at += 5) {
        const mutated = Uint8Array.from(frame)
        mutated[at] = (mutated[at] ?? 0) ^ 0xff
        try {
          const stream = await bad.dialProtocol(multiaddr(a.addr), SYNC_PROTOCOL, { signal: AbortSignal.timeout(2_000) })
          stream.addEventListener('message', () => {
            answers++
            stream.abort(new Error('seen enough'))
          })
          stream.send(new Uint8Array([mutated.length, ...mutated]))
          await closed(stream)
        } catch {
          // Banned.
        }
      }
    }
    // A changed digest is a valid hello: those few are answered with an inventory.
    expect(answers).toBeLessThanOrEqual(8)
    expect(a.mesh.links()).toEqual([])
  })

  test('a peer whose gossip is rejected again and again is banned and told goodbye', async () => {
    const holder = new Holder()
    holder.verdict = 'reject'
    const a = await node({ holder })
    const b = await node({ bootstrap: [a.addr] })
    await until(() => [a, b].every(({ mesh }) => mesh.links().length === 1))
    for (let i = 0; i < 12; i++) await b.mesh.publish('heads', Buffer.from(`bad ${i}`))
    await until(() => a.mesh.links().length === 0)
    expect(holder.gossip.length).toBeGreaterThanOrEqual(10)
  })

  test('a member that sends more, or less, than it announced is caught', async () => {
    for (const [size, sent, code] of [
      [1_000, 900, 'STREAM_CLOSED'],
      [1_000, 1_100, 'FRAME_INVALID'],
      [500 * 1024 * 1024, 10, 'FRAME_TOO_LARGE'],
    ] as const) {
      const a = await node()
      a.holder.readBlock = async () => ({
        size,
        body: (async function* () {
          yield new Uint8Array(sent)
        })(),
      })
      const b = await node({ bootstrap: [a.addr] })
      await until(() => b.mesh.links().length === 1)
      const target = new MemoryTarget()
      await expect(b.mesh.fetchBlock(a.mesh.self, digestOf(new Uint8Array()) as never, target, never)).rejects.toMatchObject({ code })
      expect(target.written).toBeLessThanOrEqual(size)
    }
  })
})

describe('slow peers', () => {
  test('a reader that stops holds the sender: 24 MiB on the way, a bounded part in memory, all of it arrives', async () => {
    const bytes = noise(24 * 1024 * 1024)
    const a = await node()
    let produced = 0
    const id = a.holder.addBlock(bytes)
    a.holder.readBlock = async () => ({
      size: bytes.length,
      body: (async function* () {
        for (let at = 0; at < bytes.length; at += 65_536) {
          produced = Math.min(bytes.length, at + 65_536)
          yield bytes.subarray(at, at + 65_536)
        }
      })(),
    })
    const b = await node({ bootstrap: [a.addr] })
    await until(() => b.mesh.links().length === 1)
    const before = process.memoryUsage().rss
    let most = 0
    let writes = 0
    let consumed = 0
    const target = {
      have: 0,
      async write(piece: Uint8Array) {
        if (writes++ % 40 === 0) await new Promise((resolve) => setTimeout(resolve, 60))
        consumed += piece.length
        expect(Buffer.compare(piece, bytes.subarray(consumed - piece.length, consumed))).toBe(0)
        most = Math.max(most, produced - consumed)
      },
    }
    await b.mesh.fetchBlock(a.mesh.self, id, target, never)
    expect(consumed).toBe(bytes.length)
    expect(most).toBeLessThan(10 * 1024 * 1024)
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
  })
})
