import { type Beat, consensusHeads, type Genesis, type Item, type LayerId, type MemberRecord, rosterHash, stateDigest } from '@sgsd/consensus'
import { createIdentity, type Identity, openIdentity, verifySignature } from '@sgsd/mesh'
import { createMemoryDisk, type MemoryDisk, openMemoryStore } from '@sgsd/store'
import { encodeGenesis, meshIdOf, signBeat, signItem, type Topic, topicOf } from '@sgsd/wire'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { Core } from './core.ts'
import { EventBus } from './event-bus.ts'
import { meshHandlers } from './gossip.ts'

const genesis: Genesis = {
  version: 1,
  name: 'gossip',
  colourSeed: 1n,
  colourKernel: 'spi64',
  epochColours: 1n << 20n,
  latticeKernel: 'cd'.repeat(32),
  foldId: 'mean/1',
  admission: 'open',
  nonce: '00'.repeat(16),
}
const genesisBytes = encodeGenesis(genesis)
const meshId = meshIdOf(genesisBytes)
/** The newest version that the mesh has seen of each member's record and head; what is below it is old. */
const NEWEST = 40n
const keys = await Promise.all(Array.from({ length: 101 }, createIdentity))
const [self, ...members] = keys.map(openIdentity) as [Identity, ...Identity[]]

interface Message {
  readonly topic: Topic
  readonly bytes: Uint8Array
}

/** A daemon's core behind the handlers that gossip goes through. */
async function start(disk: MemoryDisk) {
  const store = await openMemoryStore(disk)
  const core = new Core(
    { identity: self, genesis, genesisBytes, meshId, meshKey: undefined },
    store.items,
    verifySignature,
    pino({ level: 'silent' }),
    new EventBus(),
  )
  const handlers = meshHandlers(core, store)
  const seen = { published: 0, folds: 0 }
  core.load()
  core.connect({
    publish: () => (seen.published += 1),
    fetchLayer: ({ head }) => core.handle({ type: 'layer-ready', head }),
    fetchLeaves: () => {},
    checkProof: () => {},
    compareLeaves: () => {},
    fold: () => (seen.folds += 1),
    epochClosed: () => {},
    forgotten: () => {},
  })
  /** @returns messages that are passed on to others */
  const hear = (messages: readonly Message[]): number =>
    messages.filter(({ topic, bytes }) => handlers.onGossip(topic, bytes, members[0]!.peer).type === 'accept').length
  return { core, seen, hear }
}

test('10,000 old messages after a restart: 0 change the state, 0 are passed on', { timeout: 60_000 }, async () => {
  const disk = createMemoryDisk()
  const before = await start(disk)
  const newest = members.flatMap((member) => [sign(member, record(member, NEWEST)), sign(member, head(member, NEWEST)), beat(member, 20n)])
  expect(before.hear(newest)).toBe(newest.length)
  expect(before.hear(newest)).toBe(0)
  before.core.flush()

  const after = await start(disk)
  expect(consensusHeads(after.core.state)).toHaveLength(members.length)
  const { state } = after.core
  const disked = structuredClone(disk.items)
  const seen = { ...after.seen }
  const old = members.flatMap((member) => [
    ...Array.from({ length: 40 }, (_, i) => sign(member, record(member, BigInt(i + 1)))),
    ...Array.from({ length: 40 }, (_, i) => sign(member, head(member, BigInt(i + 1)))),
    ...Array.from({ length: 20 }, (_, i) => beat(member, BigInt(i + 1))),
  ])
  expect(old).toHaveLength(10_000)
  expect(after.hear(old)).toBe(0)
  after.core.flush()
  expect(after.core.state).toBe(state)
  expect(after.seen).toEqual(seen)
  expect(disk.items).toEqual(disked)
  // the same members are heard as soon as they say something new
  expect(after.hear(members.map((member) => beat(member, 21n)))).toBe(members.length)
})

test('500 stale heads and 100 equivocations: 0 merged, 0 stale ones passed on, 100 recorded, after a restart too', async () => {
  const disk = createMemoryDisk()
  const node = await start(disk)
  node.hear(members.flatMap((member) => [sign(member, record(member, 1n)), sign(member, head(member, NEWEST))]))
  const { state } = node.core
  expect(node.hear(members.flatMap((member) => [1n, 2n, 3n, 4n, 5n].map((seq) => sign(member, head(member, seq)))))).toBe(0)
  expect(node.core.state).toBe(state)
  expect(consensusHeads(state)).toHaveLength(members.length)

  node.hear(members.map((member) => sign(member, head(member, NEWEST, 'another layer'))))
  expect(node.core.state.equivocations.size).toBe(100)
  expect(consensusHeads(node.core.state)).toEqual([])
  expect(node.seen.published).toBe(100)
  node.core.flush()
  const after = await start(disk)
  expect(after.core.state.equivocations.size).toBe(100)
  expect(consensusHeads(after.core.state)).toEqual([])
  expect(stateDigest(after.core.state)).toEqual(stateDigest(node.core.state))
})

function sign(member: Identity, item: Item): Message {
  return { topic: topicOf(item), bytes: signItem(item, meshId, member.sign).bytes }
}

function beat({ peer, sign }: Identity, seq: bigint): Message {
  const message: Beat = {
    author: peer,
    seq,
    rosterHash: rosterHash({ roster: new Map() }),
    consensus: '',
    digest: '',
    epoch: 0n,
    chunksDone: 0,
    chunksCovered: 0,
    rateNow: 0n,
    layers: 0,
  }
  return { topic: 'roster', bytes: signBeat(message, meshId, sign) }
}

function record({ peer }: Identity, seq: bigint): Item {
  const value: MemberRecord = {
    author: peer,
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

function head({ peer }: Identity, seq: bigint, salt = ''): Item {
  const layer = Buffer.from(`${seq} ${salt}`.padEnd(32, '.')).toString('hex') as LayerId
  return { kind: 'head', value: { author: peer, seq, layer, radicals: [1] } }
}
