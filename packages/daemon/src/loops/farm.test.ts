import type { BlockId, Head, Item, LayerId } from '@sgsd/consensus'
import { openMemoryStore } from '@sgsd/store'
import { parseLineage, parseManifest } from '@sgsd/wire'
import fc from 'fast-check'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import type { Core } from '../core.ts'
import { EventBus } from '../event-bus.ts'
import { inPieces } from '../farm/farm.fixture.ts'
import { PairLattice } from '../farm/pair-lattice.fixture.ts'
import { HostLearner, type Learner, NextLineLearner } from '../farm/learner.ts'
import { FarmLedger } from '../farm/ledger.ts'
import { SegmentBlocks } from '../farm/segment-blocks.ts'
import { HostError } from '../hosts/host-error.ts'
import type { Grade, Host, HostItem } from '../hosts/port.ts'
import { FarmLoop, type FarmOptions, type FarmParts } from './farm.ts'

const SELF = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const OPTIONS: FarmOptions = { callsPerLayer: 3, keepText: true }
const quiet = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} } as never

/** A node whose process can die: disk and head survive, the lattice and the loop do not. */
class Node {
  readonly ledger = new FarmLedger(':memory:')
  readonly events = new EventBus()
  readonly heard: string[] = []
  head: Head | undefined
  lattice = new PairLattice()
  /** Called at each step of a commit; throws where the disk fails or the process dies. */
  fault: (where: 'put' | 'before author' | 'after author') => void = () => {}
  loop!: FarmLoop
  #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #store!: Awaited<ReturnType<typeof openMemoryStore>>

  static async open(): Promise<Node> {
    const node = new Node()
    node.#store = await openMemoryStore()
    node.events.subscribe((event) => event.event === 'warning' && node.heard.push(event.message))
    return node
  }

  get blocks(): FarmParts['blocks'] {
    return this.#store.blocks
  }

  /** The process starts: learning goes on from the own head. */
  async start(learner: (lattice: PairLattice) => Learner = (lattice) => new NextLineLearner(lattice), options = OPTIONS): Promise<void> {
    const { ledger, events } = this
    this.lattice = new PairLattice()
    this.lattice.pairs = this.head === undefined ? [] : await this.content(this.head.layer)
    this.#stop = new AbortController()
    const put = async (bytes: Uint8Array): Promise<BlockId> => {
      this.fault('put')
      return this.#store.blocks.put(bytes)
    }
    const putMany = async (all: readonly Uint8Array[]): Promise<BlockId[]> => {
      const ids: BlockId[] = []
      for (const bytes of all) ids.push(await put(bytes))
      return ids
    }
    const blocks = new Proxy(this.#store.blocks, {
      get: (target, name) => (name === 'put' ? put : name === 'putMany' ? putMany : (Reflect.get(target, name) as () => void).bind(target)),
    })
    const state = {
      self: SELF,
      epoch: 0n,
      genesis: { latticeKernel: '00'.repeat(32), foldId: 'evidence/1' },
      heads: { get: () => (this.head === undefined ? undefined : { value: this.head }) },
    }
    const author = ({ value }: Extract<Item, { kind: 'head' }>): void => {
      this.fault('before author')
      this.head = value
      this.fault('after author')
    }
    const core = { state, meshId: '00'.repeat(32), author } as unknown as Core
    const segments = new SegmentBlocks(this.#store.blocks, new Uint8Array(32))
    this.loop = new FarmLoop(
      {
        core,
        lattice: this.lattice,
        learner: learner(this.lattice),
        ledger,
        segments,
        blocks,
        events,
        log: quiet,
        signal: this.#stop.signal,
      },
      options,
    )
    this.loop.load()
    this.#running = this.loop.run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** No further write reaches the disk. */
  async die(): Promise<void> {
    this.fault = () => {
      throw new Error('dead')
    }
    await this.stop()
    this.fault = () => {}
  }

  give(name: string, text: string): Promise<unknown> {
    return this.loop.take({ name }, inPieces(Buffer.from(text), [5]))
  }

  async done(): Promise<void> {
    await vi.waitFor(() => expect(this.loop.progress.state).toBe('done'), { timeout: 5_000, interval: 2 })
  }

  async content(layer: LayerId): Promise<string[]> {
    const manifest = parseManifest((await this.#store.blocks.get(layer))!)
    if (manifest.type !== 'accept') throw new Error(manifest.reason)
    return JSON.parse(Buffer.from((await this.#store.blocks.get(manifest.value.state))!).toString()) as string[]
  }

  /** Lines of every layer's lineage from the first to the newest, as `name:line`. */
  async lineage(): Promise<string[]> {
    const lines: string[] = []
    for (let layer = this.head?.layer; layer !== undefined;) {
      const manifest = parseManifest((await this.#store.blocks.get(layer))!)
      if (manifest.type !== 'accept') throw new Error(manifest.reason)
      const lineage = parseLineage((await this.#store.blocks.get(manifest.value.lineage))!)
      if (lineage.type !== 'accept') throw new Error(lineage.reason)
      lines.unshift(...lineage.value.flatMap(({ text, from, to }) => Array.from({ length: to - from }, (_, i) => `${text}:${from + i}`)))
      layer = manifest.value.parents[0]
    }
    return lines
  }
}

const numbered = (count: number, mark = '行'): string => Array.from({ length: count }, (_, i) => (i % 7 === 6 ? '' : `${mark}${i}`)).join('\n')
const pairsOf = (text: string): string[] => {
  const lines = text.split('\n')
  return lines.slice(1).flatMap((line, i) => (line === '' || lines[i] === '' ? [] : [`${lines[i]}→${line}`]))
}

describe('what the own head holds', () => {
  test('is every pair of lines once, in order, and the lineage says which', async () => {
    const node = await Node.open()
    await node.start()
    await node.give('a', numbered(500))
    await node.give('b', numbered(3, '文'))
    await node.done()
    expect(await node.content(node.head!.layer)).toEqual([...pairsOf(numbered(500)), ...pairsOf(numbered(3, '文'))])
    expect(await node.lineage()).toEqual([...Array.from({ length: 500 }, (_, i) => `a:${i}`), 'b:0', 'b:1', 'b:2'])
    // 64 lines a call, three calls a layer: 192, 384, and the rest with the next text
    expect(node.loop.layers).toBe(3)
    expect(node.loop.progress).toMatchObject({ lines: 503, total: 503 })
    await node.stop()
  })

  test('is that too after deaths, failures of the disk, pauses and texts that grow, whenever they come', async () => {
    const fault = fc.record({ at: fc.integer({ min: 1, max: 12 }), what: fc.constantFrom('fail', 'die', 'pause', 'grow') })
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 4 }), async (faults) => {
        const node = await Node.open()
        let text = numbered(700)
        await node.start()
        const given = node.give('a', text)
        for (const { at, what } of faults) {
          const reached = Promise.withResolvers<void>()
          let steps = 0
          node.fault = () => {
            steps += 1
            if (steps < at) return
            reached.resolve()
            if (what === 'fail' && steps === at) throw new Error('no space')
            if (what === 'die') throw new Error('dead')
          }
          await given
          await Promise.race([reached.promise, pause(60)])
          if (what === 'die') {
            await node.die()
            await node.start()
          } else if (what === 'pause') {
            node.loop.pause()
            await pause(2)
            node.loop.resume()
          } else if (what === 'grow') {
            text += `\n長${text.length}\n大${text.length}`
            await node.give('a', text)
          }
          node.fault = () => {}
          node.loop.resume()
        }
        await given
        await node.done()
        const learned = await node.content(node.head!.layer)
        expect(learned).toEqual(pairsOf(text))
        await node.stop()
      }),
      { numRuns: 25 },
    )
  }, 60_000)

  test('is committed when the daemon stops, and when it is paused', async () => {
    const node = await Node.open()
    await node.start(undefined, { ...OPTIONS, callsPerLayer: 1_000 })
    node.loop.pause()
    await node.give('a', numbered(10_000))
    expect(node.loop.progress).toMatchObject({ state: 'paused', lines: 0, why: 'farming is paused' })
    node.loop.resume()
    await vi.waitFor(() => expect(node.loop.progress.lines).toBeGreaterThan(0), { interval: 0 })
    await node.stop()
    expect(node.head).toBeDefined()
    expect(await node.content(node.head!.layer)).toEqual(node.lattice.pairs)
    const held = node.ledger.list(1)[0]!
    expect(held.next).toBe((await node.lineage()).length)
  })
})

describe('rows from a file', () => {
  const bytes = new Uint8Array(0)
  const adoption = {
    name: 'rows.pt',
    digest: 'ab'.repeat(32),
    rows: 2,
    content: { layer: '' as LayerId, radicals: [{ radical: 9, bytes }], state: bytes },
  }

  test('have a layer of their own behind the lines before, which a full disk only delays', async () => {
    const node = await Node.open()
    await node.start(undefined, { ...OPTIONS, callsPerLayer: 1_000 })
    await node.give('a', '一\n二\n三')
    await vi.waitFor(() => expect(node.loop.progress.lines).toBe(3), { interval: 0 })
    const expected: string[] = []
    node.fault = (where) => {
      if (where === 'before author' && expected.length === 1) throw new Error('full')
    }
    const { layer, rows } = await node.loop.adopt({ ...adoption, expect: (id) => void expected.push(id) })
    expect([rows, node.head?.layer, expected.at(-1)]).toEqual([1, layer, layer])
    expect(expected.length).toBeGreaterThan(1)
    expect(await node.content(layer)).toEqual(['一→二', '二→三', 'radical 9'])
    expect(await node.lineage()).toEqual(['a:0', 'a:1', 'a:2', 'rows.pt:0', 'rows.pt:1'])
    await node.stop()
  })

  test('of which none is this member’s are refused, and make no layer', async () => {
    const node = await Node.open()
    await node.start()
    const foreign = { ...adoption, content: { ...adoption.content, radicals: [] }, expect: () => {} }
    await expect(node.loop.adopt(foreign)).rejects.toMatchObject({ code: 'IMPORT_REFUSED' })
    expect(node.head).toBeUndefined()
    await node.stop()
    await expect(node.loop.adopt(foreign)).rejects.toMatchObject({ code: 'BUSY' })
  })
})

describe('texts', () => {
  test('that taught nothing are told of', async () => {
    const node = await Node.open()
    await node.start()
    await node.give('english.txt', 'hello\nworld\nagain\n')
    await node.done()
    expect(node.heard).toEqual(['english.txt taught nothing: the lattice knows no character of 2 of its 3 lines'])
    expect(node.head).toBeUndefined()
    expect(node.loop.document(undefined).texts[0]).toMatchObject({ name: 'english.txt', state: 'done', unknown: 2 })
    await node.stop()
  })

  test('that are not kept go when they are learned, and only then', async () => {
    const node = await Node.open()
    await node.start(undefined, { callsPerLayer: 1, keepText: false })
    await node.give('a', numbered(300))
    await node.done()
    expect(node.ledger.segments(1).map(({ block }) => block)).toEqual([''])
    await node.stop()
  })

  test('whose bytes are lost hold up no other, and go on when they are given again', async () => {
    const node = await Node.open()
    await node.start()
    node.loop.pause()
    await node.give('a', numbered(10))
    await node.give('b', numbered(10, '文'))
    await node.blocks.delete(node.ledger.segment(1, 0)!.block as never)
    node.loop.resume()
    await node.done()
    expect(node.loop.warnings()).toEqual([{ message: 'a is not on disk any more from line 1 on', hint: expect.stringMatching(/give it again/) }])
    expect(node.lattice.pairs).toEqual(pairsOf(numbered(10, '文')))
    await node.give('a', numbered(10))
    await vi.waitFor(() => expect(node.lattice.pairs).toHaveLength(2 * pairsOf(numbered(10)).length))
    expect(node.loop.warnings()).toEqual([])
    await node.stop()
  })

  test('are farmed again from what is kept when the own layer is lost', async () => {
    const node = await Node.open()
    await node.start()
    await node.give('a', numbered(100))
    await node.done()
    await node.stop()
    node.head = undefined
    await node.start()
    node.loop.startOver()
    await vi.waitFor(() => expect(node.lattice.pairs).toEqual(pairsOf(numbered(100))))
    expect(node.heard).toEqual(['the own layer is lost: 100 lines are farmed again'])
    await node.stop()
  })
})

describe('a host', () => {
  /** Grades each line with its length over 10; `failing` throws first. */
  const hostOf = (calls: (readonly HostItem[])[], failing: () => void = () => {}): Host => ({
    kind: 'http',
    batch: 4,
    grade: async (items): Promise<readonly (Grade | undefined)[]> => {
      failing()
      calls.push(items)
      return items.map(({ line }) => (line === '無' ? undefined : { score: line.length / 10 }))
    },
    [Symbol.asyncDispose]: async () => {},
  })

  test('gets every line with a known character once, with its successor in the document, and what it grades is learned', async () => {
    const node = await Node.open()
    const calls: (readonly HostItem[])[] = []
    await node.start((lattice) => new HostLearner(lattice, hostOf(calls), () => 'ab'))
    await node.give('a', '天\n地玄\n\nabc\n黃\n無\n宇宙洪')
    await node.done()
    expect(calls.flat().map(({ line, next }) => [line, next])).toEqual([
      ['天', '地玄'],
      ['地玄', undefined],
      ['黃', '無'],
      ['無', '宇宙洪'],
      ['宇宙洪', undefined],
    ])
    expect(calls[0]![0]).toMatchObject({ nearest: [{ character: '天', value: 1 }], layer: 'ab' })
    expect(node.lattice.pairs).toEqual(['天:0.1', '地玄:0.2', '黃:0.1', '宇宙洪:0.3'])
    expect(await node.content(node.head!.layer)).toEqual(node.lattice.pairs)
    await node.stop()
  })

  test('that is down holds up its farming and says so; nothing is lost, and resume asks at once', async () => {
    const node = await Node.open()
    const calls: (readonly HostItem[])[] = []
    let down = true
    const fail = (): void => {
      if (down) throw new HostError('HOST_DOWN', { host: 'http host http://x', reason: 'connection refused', retryAfterMs: 60_000 })
    }
    await node.start((lattice) => new HostLearner(lattice, hostOf(calls, fail), () => ''))
    await node.give('a', '天\n地\n玄')
    await vi.waitFor(() => expect(node.loop.progress.state).toBe('waiting'))
    expect(node.loop.progress.why).toMatch(/http:\/\/x does not answer: connection refused/)
    expect(node.loop.document(undefined).retryMs).toBeGreaterThan(50_000)
    expect(node.loop.warnings()).toEqual([{ message: expect.stringMatching(/^farming waits: /), hint: expect.stringMatching(/sgsd farm resume/) }])
    down = false
    node.loop.resume()
    await node.done()
    expect(node.lattice.pairs).toEqual(['天:0.1', '地:0.1', '玄:0.1'])
    expect(node.loop.warnings()).toEqual([])
    await node.stop()
  })

  test('is given up in the middle of a call when the daemon stops, with nothing learned of it', async () => {
    const node = await Node.open()
    const asked = Promise.withResolvers<void>()
    const endless: Host = {
      ...hostOf([]),
      grade: async (_items, signal) => {
        asked.resolve()
        await pause(60_000, undefined, { signal })
        return []
      },
    }
    await node.start((lattice) => new HostLearner(lattice, endless, () => ''))
    await node.give('a', '天\n地')
    await asked.promise
    await node.stop()
    expect(node.lattice.pairs).toEqual([])
    expect(node.ledger.list(1)[0]).toMatchObject({ next: 0 })
  })
})
