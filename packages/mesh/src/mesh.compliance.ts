import type { BlockId, PeerName } from '@sgsd/consensus'
import { afterEach, describe, expect, test } from 'vitest'
import type { BlockTarget, Mesh, PeerLink } from './port.ts'
import { Holder, noise, until } from './testing/items.ts'

export interface ComplianceNode {
  readonly mesh: Mesh
  readonly holder: Holder
}

/** What the suite needs of an implementation: a network in which nodes find one another, and stable names across restarts. */
export interface ComplianceNetwork extends AsyncDisposable {
  /** Opens node number `index`; the same number is the same identity, and is known to the others by its address. */
  open(index: number, holder: Holder): Promise<Mesh>
}

const never = new AbortController().signal

/** What every implementation of the mesh port holds. */
export function meshCompliance(name: string, createNetwork: () => Promise<ComplianceNetwork>): void {
  describe(`${name}: mesh port`, () => {
    let network: ComplianceNetwork | undefined
    afterEach(async () => {
      await network?.[Symbol.asyncDispose]()
      network = undefined
    })

    async function connected(count: number): Promise<ComplianceNode[]> {
      network = await createNetwork()
      const nodes: ComplianceNode[] = []
      for (let i = 0; i < count; i++) {
        const holder = new Holder()
        nodes.push({ holder, mesh: await network.open(i, holder) })
      }
      await until(() => nodes.every(({ mesh }) => mesh.links().length === count - 1))
      return nodes
    }

    async function two(): Promise<[ComplianceNode, ComplianceNode]> {
      const [a, b] = await connected(2)
      if (a === undefined || b === undefined) throw new Error('two nodes were asked for')
      return [a, b]
    }

    test('connected nodes name each other, once, with a direction each', async () => {
      const [a, b] = await two()
      expect(a.mesh.links().map(({ peer }) => peer)).toEqual([b.mesh.self])
      expect(b.mesh.links().map(({ peer }) => peer)).toEqual([a.mesh.self])
      expect(a.mesh.links()[0]?.via).toBe('loopback')
      expect(a.mesh.multiaddrs()[0]).toContain(`/p2p/${a.mesh.self}`)
      for (const report of a.mesh.discovery()) expect(report.why).not.toBe('')
      expect(
        a.mesh
          .discovery()
          .map(({ source }) => source)
          .toSorted(),
      ).toEqual(['bootstrap', 'mdns', 'roster', 'tailscale'])
    })

    test('gossip reaches every other node once, on its topic, and not the publisher', async () => {
      const nodes = await connected(3)
      const [a, b, c] = nodes
      await a?.mesh.publish('heads', Buffer.from('one'))
      await a?.mesh.publish('claims', Buffer.from('two'))
      await until(() => [b, c].every((node) => node?.holder.gossip.length === 2))
      for (const node of [b, c]) {
        expect(node?.holder.gossip.map(({ topic, text }) => `${topic} ${text}`).toSorted()).toEqual(['claims two', 'heads one'])
      }
      expect(a?.holder.gossip).toEqual([])
    })

    test('a publisher that is alone succeeds; too large a message is refused here', async () => {
      const [a] = await connected(1)
      await a?.mesh.publish('roster', new Uint8Array(100))
      await expect(a?.mesh.publish('roster', new Uint8Array(1_000_000))).rejects.toMatchObject({ code: 'FRAME_TOO_LARGE' })
    })

    test('one sync leaves both with the union and counts what came', async () => {
      const [a, b] = await two()
      a.holder.add('both', 'only a', 'only a too')
      b.holder.add('both', 'only b')
      expect(await a.mesh.sync(b.mesh.self, never)).toBe(1)
      await until(() => b.holder.items.size === 4)
      expect(a.holder.texts()).toEqual(b.holder.texts())
      expect(await a.mesh.sync(b.mesh.self, never)).toBe(0)
      expect(await b.mesh.sync(a.mesh.self, never)).toBe(0)
    })

    test('a sync of thousands of items arrives whole', async () => {
      const [a, b] = await two()
      b.holder.add(...Array.from({ length: 3_000 }, (_, i) => `item ${i} ${'x'.repeat(500)}`))
      expect(await a.mesh.sync(b.mesh.self, never)).toBe(3_000)
      expect(a.holder.texts()).toEqual(b.holder.texts())
    })

    test('items that are rejected end the sync with an error', async () => {
      const [a, b] = await two()
      b.holder.add('bad')
      a.holder.verdict = 'reject'
      await expect(a.mesh.sync(b.mesh.self, never)).rejects.toMatchObject({ code: 'FRAME_INVALID' })
      expect(a.holder.items.size).toBe(0)
    })

    test('a block arrives byte for byte', async () => {
      const [a, b] = await two()
      for (const bytes of [new Uint8Array(), noise(1), noise(300_000), noise(3_000_000)]) {
        const id = b.holder.addBlock(bytes)
        const target = new MemoryTarget()
        await a.mesh.fetchBlock(b.mesh.self, id, target, never)
        expect(Buffer.compare(target.bytes(), bytes)).toBe(0)
      }
    })

    test('a block resumes where an earlier attempt stopped', async () => {
      const [a, b] = await two()
      const bytes = noise(2_000_000)
      const id = b.holder.addBlock(bytes)
      const first = new MemoryTarget()
      first.failAfter = 1_000_000
      await expect(a.mesh.fetchBlock(b.mesh.self, id, first, never)).rejects.toThrow('the disk is full')
      const second = new MemoryTarget(first.bytes())
      expect(second.have).toBeGreaterThan(100_000)
      await a.mesh.fetchBlock(b.mesh.self, id, second, never)
      expect(Buffer.compare(second.bytes(), bytes)).toBe(0)
    })

    test('a block that is complete already costs nothing', async () => {
      const [a, b] = await two()
      const bytes = noise(1_000)
      const target = new MemoryTarget(bytes)
      await a.mesh.fetchBlock(b.mesh.self, b.holder.addBlock(bytes), target, never)
      expect(target.written).toBe(0)
    })

    test('a block that the peer lacks is an error of its own; so is a peer that is not there', async () => {
      const [a, b] = await two()
      await expect(a.mesh.fetchBlock(b.mesh.self, '00'.repeat(32) as BlockId, new MemoryTarget(), never)).rejects.toMatchObject({
        code: 'BLOCK_NOT_FOUND',
      })
      const stranger = '12D3KooWGfbezfQ2QMkRuxLkqLrpCTJqyAaPXtcXqXW5Bz7YQ9Zh' as PeerName
      await expect(a.mesh.sync(stranger, never)).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
    })

    test('a probe gets its answer, and the one who answers knows who asked; a refusal to answer is an error', async () => {
      const [a, b] = await two()
      const answer = await a.mesh.probe(b.mesh.self, Buffer.from('what? '), never)
      expect(Buffer.from(answer).toString()).toBe(`what? ${a.mesh.self}`)
      await expect(a.mesh.probe(b.mesh.self, new Uint8Array(), never)).rejects.toMatchObject({ code: 'STREAM_CLOSED' })
      await expect(a.mesh.probe(b.mesh.self, new Uint8Array(100_000), never)).rejects.toMatchObject({ name: 'MeshError' })
    })

    test('a refused peer is left and stays out whoever dials, and is back when it is refused no more', async () => {
      const [a, b, c] = (await connected(3)) as [ComplianceNode, ComplianceNode, ComplianceNode]
      const peersOf = ({ mesh }: ComplianceNode): string[] => mesh.links().map(({ peer }) => peer)
      a.mesh.setRefused(new Set([b.mesh.self]))
      await until(() => peersOf(a).length === 1 && peersOf(b).length === 1)
      expect([peersOf(a), peersOf(b)]).toEqual([[c.mesh.self], [c.mesh.self]])
      await expect(a.mesh.dial(b.mesh.multiaddrs()[0] ?? '', never)).rejects.toMatchObject({ name: 'MeshError' })
      await b.mesh.dial(a.mesh.multiaddrs()[0] ?? '', never).catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect([peersOf(a), peersOf(b)]).toEqual([[c.mesh.self], [c.mesh.self]])
      await expect(a.mesh.sync(b.mesh.self, never)).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
      a.mesh.setRefused(new Set())
      await until(() => peersOf(a).length === 2 && peersOf(b).length === 2)
    })

    test('a cancelled transfer ends with the reason of its signal', async () => {
      const [a, b] = await two()
      const id = b.holder.addBlock(noise(8_000_000))
      const controller = new AbortController()
      const target = new MemoryTarget()
      target.onWrite = () => controller.abort(new Error('changed my mind'))
      await expect(a.mesh.fetchBlock(b.mesh.self, id, target, controller.signal)).rejects.toThrow('changed my mind')
      await expect(a.mesh.sync(b.mesh.self, AbortSignal.abort(new Error('never mind')))).rejects.toThrow('never mind')
    })

    test('a closed node is seen to leave; opened again with the same identity it is seen to return, and works', async () => {
      const [a, b] = await two()
      const seen: string[] = []
      a.mesh.on('peer:disconnected', (peer) => seen.push(`left ${peer}`))
      a.mesh.on('peer:connected', (link: PeerLink) => seen.push(`came ${link.peer}`))
      const name = b.mesh.self
      await b.mesh.close()
      await until(() => seen.length === 1)
      expect(a.mesh.links()).toEqual([])
      const again = await network?.open(1, b.holder)
      await until(() => seen.length === 2)
      expect(seen).toEqual([`left ${name}`, `came ${name}`])
      expect(again?.self).toBe(name)
      b.holder.add('after the restart')
      expect(await a.mesh.sync(name, never)).toBe(1)
    })

    test('an observer that throws hurts nobody', async () => {
      network = await createNetwork()
      const a = await network.open(0, new Holder())
      const seen: string[] = []
      a.on('peer:connected', () => {
        throw new Error('clumsy')
      })
      a.on('peer:connected', ({ peer }) => seen.push(peer))
      const b = await network.open(1, new Holder())
      await until(() => seen.length === 1)
      expect(seen).toEqual([b.self])
    })

    test('after close every call says so', async () => {
      const [a, b] = await two()
      await a.mesh.close()
      await a.mesh.close()
      await expect(a.mesh.publish('roster', new Uint8Array(1))).rejects.toMatchObject({ code: 'CLOSED' })
      await expect(a.mesh.sync(b.mesh.self, never)).rejects.toMatchObject({ code: 'CLOSED' })
      await expect(a.mesh.dial(b.mesh.multiaddrs()[0] ?? '', never)).rejects.toMatchObject({ code: 'CLOSED' })
    })

    test('dialling nonsense is refused by name', async () => {
      const [a] = await connected(1)
      for (const address of ['', 'hello', '/ip4/1.2.3.4/udp/9', '/ip4/999.1.1.1/tcp/1']) {
        await expect(a?.mesh.dial(address, never)).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
      }
    })
  })
}

/** A target in memory. */
export class MemoryTarget implements BlockTarget {
  readonly #pieces: Uint8Array[]
  readonly #had: number
  written = 0
  failAfter = Number.POSITIVE_INFINITY
  onWrite: () => void = () => undefined

  constructor(had: Uint8Array = new Uint8Array()) {
    this.#pieces = had.length > 0 ? [had] : []
    this.#had = had.length
  }

  get have(): number {
    return this.#had
  }

  async write(piece: Uint8Array): Promise<void> {
    if (this.written + piece.length > this.failAfter) throw new Error('the disk is full')
    this.#pieces.push(Uint8Array.from(piece))
    this.written += piece.length
    this.onWrite()
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces)
  }
}
