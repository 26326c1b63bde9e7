import type { ItemStore, MemoryDisk } from '@sgsd/store'
import {
  allItems,
  type ChunkRun,
  claimRoot,
  type ClosedEpoch,
  conflict,
  consensusHeads,
  type Item,
  itemKey,
  type MemberRecord,
  type MeshState,
  type Millis,
  rosterHash,
  draftClaim,
  draftSeal,
  type SignedItem,
  stateDigest,
  xorOf,
} from '@sgsd/consensus'
import { createIdentity, type Identity, openIdentity, verifySignature } from '@sgsd/mesh'
import { createMemoryDisk, openMemoryStore } from '@sgsd/store'
import { encodeGenesis, meshIdOf, openItem, signItem } from '@sgsd/wire'
import fc from 'fast-check'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { Core, monotonicNow } from './core.ts'
import { EventBus } from './event-bus.ts'
import { meshHandlers } from './gossip.ts'
import type { Credentials } from './membership.ts'

/** Another one in each run; it stands in the test's name. */
const SEED = Date.now() % 2 ** 31
const RUNS = 60
const CHUNKS = 4
const HALVES = [
  { start: 0, count: 2 },
  { start: 2, count: 2 },
] as const

const [me, ...others] = (await Promise.all(Array.from({ length: 4 }, createIdentity))).map(openIdentity) as [Identity, ...Identity[]]
const genesis = {
  version: 1,
  name: 'model',
  colourSeed: 1n,
  colourKernel: 'spi64',
  epochColours: BigInt(CHUNKS) << 20n,
  latticeKernel: 'cd'.repeat(32),
  foldId: 'mean/1',
  admission: 'open',
  nonce: '00'.repeat(16),
} as const
const genesisBytes = encodeGenesis(genesis)
const credentials: Credentials = { identity: me, genesis, genesisBytes, meshId: meshIdOf(genesisBytes), meshKey: undefined }
const { meshId } = credentials
const SILENT = pino({ level: 'silent' })

class Death extends Error {}

/** Effects that this process lives to perform; the next one kills it, and everything that it tries after that fails too. */
interface Life {
  left: number
  dead: boolean
}

/** Kills at a store's call before it does anything: the effect is not there afterwards. Within a batch, the whole batch is not. */
function mortal(items: ItemStore, spend: () => void): ItemStore {
  return new Proxy(items, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: readonly unknown[]): unknown => {
        if (name !== 'items') spend()
        return member.apply(target, args) as unknown
      }
    },
  })
}

/** A daemon's core on a disk, with an outside that answers what is asked for; it can die between any two effects. */
class Node {
  readonly disk: MemoryDisk = createMemoryDisk()
  /** Everything that others have heard of this node. */
  readonly published: SignedItem[] = []
  #core!: Core
  #handlers!: ReturnType<typeof meshHandlers>
  #life: Life = { left: Infinity, dead: false }
  #asked: (() => void)[] = []

  get state(): MeshState {
    return this.#core.state
  }

  async start(): Promise<void> {
    const life: Life = { left: Infinity, dead: false }
    this.#life = life
    this.#asked = []
    const spend = (): void => {
      if (life.left <= 0) life.dead = true
      life.left -= 1
      if (life.dead) throw new Death('the process is dead')
    }
    const store = await openMemoryStore(this.disk)
    const core = new Core(credentials, mortal(store.items, spend), verifySignature, SILENT, new EventBus())
    const ask = (input: Parameters<Core['handle']>[0]): void => {
      spend()
      this.#asked.push(() => core.handle(input))
    }
    this.#core = core
    this.#handlers = meshHandlers(core, store)
    core.load()
    core.connect({
      publish: (_, bytes) => {
        spend()
        this.#hear(bytes)
      },
      fetchLayer: ({ head }) => ask({ type: 'layer-ready', head }),
      fetchLeaves: ({ claim }) => ask({ type: 'leaves-ready', claim, values: valuesOf(claim.value.epoch, claim.value.run) }),
      checkProof: spend,
      compareLeaves: spend,
      fold: spend,
      epochClosed: (closed) => {
        spend()
        this.#seal(core, closed)
      },
      forgotten: spend,
    })
    this.#answer()
  }

  /** Does something and all that follows from it, or dies on the way. @returns whether it lived */
  async live(effects: number, work: (core: Core) => void): Promise<boolean> {
    this.#life.left = effects
    try {
      work(this.#core)
      this.#answer()
    } catch (error) {
      if (!(error instanceof Death)) throw error
    }
    const lived = !this.#life.dead
    this.#life.left = Infinity
    return lived
  }

  /** Like a sync: what this node lacks comes in frames of a few items. */
  sync(world: readonly SignedItem[]): void {
    const here = new Set<string>(Array.from(allItems(this.state), ({ id }) => id))
    const missing = world.filter(({ id }) => !here.has(id))
    for (let i = 0; i < missing.length; i += 3) {
      expect(
        this.#handlers.onItems(
          missing.slice(i, i + 3).map(({ bytes }) => bytes),
          others[0]!.peer,
        ).type,
      ).toBe('accept')
      this.#answer()
    }
    this.#core.handle({ type: 'ticked', now: (monotonicNow() + 10_000) as Millis })
    this.#answer()
  }

  /** What others sent is written a moment later. */
  flush(): void {
    this.#core.flush()
  }

  /** What was published must be on disk at that moment, to the byte, and contradict nothing that was published before. */
  #hear(bytes: Uint8Array): void {
    const opened = openItem(bytes, { meshId, verify: verifySignature })
    if (opened.type !== 'accept') throw new Error(opened.reason)
    const item = opened.value
    const stored = [...this.disk.items.values()].find(({ kind, key }) => kind === item.kind && key === itemKey(item))
    expect(stored?.bytes, 'published and not persisted').toEqual(bytes)
    for (const old of this.published) expect(conflict(old, item), 'published two items for one key and version').toBe(false)
    this.published.push(item)
  }

  #seal(core: Core, closed: ClosedEpoch): void {
    const seal = draftSeal(core.state, closed, new Uint8Array(32))
    if (seal !== undefined) core.author({ kind: 'seal', value: seal })
  }

  #answer(): void {
    for (let next = this.#asked.shift(); next !== undefined; next = this.#asked.shift()) next()
  }
}

/** The node that dies, the same node that never does, and everything that others ever signed. */
class World {
  readonly mortal = new Node()
  readonly immortal = new Node()
  readonly items: SignedItem[] = []
  deaths = 0
  /** Grows with each command, so that what is authored anew is newer. */
  turn = 0n

  /** Both do the same thing; the one that died on the way starts anew, hears what it missed, and does it again. */
  async both(effects: number, work: (core: Core) => void): Promise<void> {
    await this.immortal.live(Infinity, work)
    if (!(await this.mortal.live(effects, work))) {
      this.deaths += 1
      await this.mortal.start()
      this.mortal.sync(this.items)
      await this.mortal.live(Infinity, work)
    }
    this.mortal.sync(this.items)
    this.immortal.sync(this.items)
    expect(viewOf(this.mortal)).toEqual(viewOf(this.immortal))
  }
}

/** What is the same for a node that died and for one that did not. */
function viewOf({ state }: Node): unknown {
  const { epoch, closed, consensus, exclusions, tallies, repairing } = state
  return {
    digest: Buffer.from(stateDigest(state)).toString('hex'),
    items: Array.from(allItems(state), ({ id }) => id).sort(),
    heads: consensusHeads(state).map(({ id }) => id),
    exclusions: [...exclusions].sort(([a], [b]) => (a < b ? -1 : 1)),
    tally: tallies.get(epoch)?.covered,
    xor: tallies.get(epoch)?.xor,
    newest: closed[0],
    epoch,
    consensus,
    repairing,
  }
}

/** Stands for the colours. */
function valuesOf(epoch: bigint, { start, count }: ChunkRun): BigUint64Array {
  return BigUint64Array.from({ length: count }, (_, i) => (epoch + 1n) * 0x9e37_79b9_7f4a_7c15n * BigInt(start + i + 1))
}

function recordOf(author: Identity, seq: bigint): Extract<Item, { kind: 'record' }> {
  const value: MemberRecord = {
    author: author.peer,
    seq,
    software: '1.0.0',
    hostName: 'host',
    cores: 1,
    memoryBytes: 1n,
    colourRate: 1n,
    rowRate: 1n,
    colourEngine: 'wasm',
    providers: ['wasm'],
    addrs: [],
    joinedEpoch: 0n,
    left: false,
  }
  return { kind: 'record', value }
}

function headOf(author: Identity, seq: bigint, salt: string): Extract<Item, { kind: 'head' }> {
  return { kind: 'head', value: { author: author.peer, seq, layer: hashOf(`${author.peer} ${seq} ${salt}`) as never, radicals: [1] } }
}

function claimOf(author: Identity, state: MeshState, run: ChunkRun, index: number): Extract<Item, { kind: 'claim' }> {
  const values = valuesOf(state.epoch, run)
  const draft = {
    author: author.peer,
    epoch: state.epoch,
    index,
    rosterHash: rosterHash(state),
    run,
    xor: xorOf(values),
    leaves: hashOf('leaves') as never,
  }
  return { kind: 'claim', value: { ...draft, root: claimRoot({ meshId, ...draft }, values) } }
}

function hashOf(text: string): string {
  return Buffer.from(text.padEnd(32, '.')).toString('hex').slice(-64)
}

abstract class Command implements fc.AsyncCommand<object, World> {
  readonly effects: number
  readonly words: string

  constructor(effects: number, words: string) {
    this.effects = effects
    this.words = words
  }

  abstract act(world: World): (core: Core) => void

  check(): boolean {
    return true
  }

  async run(_: object, world: World): Promise<void> {
    world.turn += 1n
    await world.both(this.effects, this.act(world))
  }

  toString(): string {
    return `${this.words}, dies after ${this.effects}`
  }
}

/** Chosen so that most commands are cut at some effect and some are not. */
const effects = fc.oneof({ weight: 3, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.constant(Infinity) })

function command(words: string, act: (world: World) => (core: Core) => void): fc.Arbitrary<Command> {
  return effects.map(
    (count) =>
      new (class extends Command {
        act(world: World): (core: Core) => void {
          return act(world)
        }
      })(count, words),
  )
}

/** An item of another member comes by gossip. */
function heard(words: string, make: (world: World, state: MeshState) => readonly Item[]): fc.Arbitrary<Command> {
  return command(words, (world) => {
    const items = make(world, world.immortal.state).map((item) => signItem(item, meshId, signerOf(item)))
    world.items.push(...items)
    return (core) => {
      for (const item of items) core.handle({ type: 'item-received', item, now: monotonicNow(), source: 'peer' })
    }
  })
}

function signerOf({ value }: Item): Identity['sign'] {
  return others.find(({ peer }) => peer === value.author)!.sign
}

const commands = fc.commands(
  [
    command('own record', (world) => {
      const item = recordOf(me, world.turn)
      return (core) => core.author(item)
    }),
    command('own head', (world) => {
      const item = headOf(me, world.turn, '')
      return (core) => core.author(item)
    }),
    ...HALVES.map((run) =>
      command(`own claim of ${run.start}`, (world) => {
        const { epoch } = world.immortal.state
        // like the mine loop: only what is not claimed yet, and the next free index
        return (core) => {
          const isDone = [...core.state.claims.values()].some(
            ({ value }) => value.author === me.peer && value.epoch === epoch && value.run.start === run.start,
          )
          if (core.state.epoch === epoch && !isDone) {
            core.author({ kind: 'claim', value: draftClaim(core.state, run, valuesOf(epoch, run), hashOf('leaves') as never) })
          }
        }
      }),
    ),
    ...others.flatMap((other, i) => [
      heard(`record of ${i}`, (world) => [recordOf(other, world.turn)]),
      heard(`head of ${i}`, (world) => [headOf(other, world.turn, '')]),
      ...(i === 0 ? [] : HALVES).map((run) =>
        heard(`claim of ${i} of ${run.start}`, (world, state) => [claimOf(other, state, run, Number(world.turn))]),
      ),
    ]),
    // of the member without claims: of the epochs that it reopens a node that started anew knows the newest only
    heard('two heads of one version', (world) => [headOf(others[0]!, world.turn, 'x'), headOf(others[0]!, world.turn, 'y')]),
    heard('an epoch of others', (world, state) => HALVES.map((run, i) => claimOf(others[i + 1]!, state, run, Number(world.turn)))),
  ],
  { maxCommands: 20, size: 'max' },
)

let deaths = 0
let epochs = 0n

test(`a node that dies between any two effects becomes what it would have been: ${RUNS} runs, seed ${SEED}`, { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (all) => {
      const world = new World()
      await Promise.all([world.mortal.start(), world.immortal.start()])
      for (const other of others) world.items.push(signItem(recordOf(other, 0n), meshId, other.sign))
      await world.both(Infinity, (core) => core.author(recordOf(me, 0n)))
      await fc.asyncModelRun(() => ({ model: {}, real: world }), all)
      const disks = [world.mortal, world.immortal].map((node) => {
        node.flush()
        return Array.from(node.disk.items.values(), ({ id }) => id).sort()
      })
      expect(disks[0]).toEqual(disks[1])
      expect(disks[0]).toEqual(Array.from(allItems(world.mortal.state), ({ id }) => id).sort())
      deaths += world.deaths
      epochs += world.mortal.state.epoch
    }),
    { numRuns: RUNS, seed: SEED },
  )
  expect(deaths).toBeGreaterThan(RUNS)
  expect(epochs).toBeGreaterThan(10n)
})
