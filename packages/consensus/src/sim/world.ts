import { CHUNK_COLOURS } from '@sgsd/color'
import type { Genesis } from '../genesis.ts'
import type { MeshId, Millis, PeerName } from '../ids.ts'
import type { Claim, MemberRecord, SignedItem, Vote } from '../items.ts'
import { BEAT_INTERVAL_MS, PROBATION_EPOCHS } from '../limits.ts'
import type { MeshState } from '../state.ts'
import { initialState, step } from '../step.ts'
import { type Actor, castOf } from './cast.ts'
import { type Chance, chanceOf } from './chance.ts'
import { chunkValues } from './chunk-value.ts'
import type { SimOptions } from './options.ts'
import { digestOf, signed } from './signing.ts'

/** Virtual time moves by one beat, milliseconds. */
export const TICK_MS: number = BEAT_INTERVAL_MS
/** Ticks that a member mines at its own range: with the tick of the delivery an epoch takes at least 25 s, five beats. */
export const MINING_TICKS = 4

const KEY = 3
const FORGED = 4
const VICTIM = 5
const ERROR = 6

/** What is so, whoever knows it. */
export interface World {
  readonly options: SimOptions
  readonly chance: Chance
  /** Seed of the chunk values. */
  readonly key: number
  readonly actors: readonly Actor[]
  readonly byPeer: ReadonlyMap<PeerName, Actor>
  readonly genesis: Genesis
  readonly meshId: MeshId
  /** Whom each framer accuses. */
  readonly victims: ReadonlyMap<PeerName, PeerName>
}

export function worldOf(options: SimOptions): World {
  const chance = chanceOf(options.seed)
  const actors = castOf(options, chance)
  const meshId = digestOf(`mesh ${options.seed}`) as string as MeshId
  const innocent = actors.filter(({ role }) => role === 'honest')
  const framers = actors.filter(({ role }) => role === 'framer')
  return {
    options,
    chance,
    key: chance.draw(KEY),
    actors,
    byPeer: new Map(actors.map((actor) => [actor.peer, actor])),
    genesis: genesisOf(options, actors),
    meshId,
    victims: new Map(framers.map(({ peer, index }) => [peer, innocent[chance.draw(VICTIM, index) % innocent.length]!.peer])),
  }
}

/** What everybody knows before the first tick: the members' records and, where the mesh admits by votes, the founder's votes for them. */
export function foundedState(world: World, self: PeerName): MeshState {
  const { options, genesis, meshId, actors } = world
  const members = actors.filter(({ role }) => role !== 'sybil')
  const items: SignedItem[] = members.map((actor) => recordOf(actor, 1n, false))
  if (genesis.founder !== undefined) for (const { peer } of members) if (peer !== genesis.founder) items.push(voteOf(genesis.founder, peer))
  const trusted = options.newcomers ? new Map<PeerName, number>() : new Map(members.map(({ peer }) => [peer, PROBATION_EPOCHS]))
  const inputs = [
    { type: 'items-received', items, now: 0 as Millis, source: 'disk' },
    { type: 'trust-restored', goodEpochs: trusted },
  ] as const
  return step(initialState(genesis, meshId, self), { type: 'batched', inputs }).state
}

export function recordOf({ peer, index }: Actor, seq: bigint, left: boolean): SignedItem {
  const value: MemberRecord = {
    author: peer,
    seq,
    software: '0.0.0',
    hostName: `host-${index}`,
    cores: 1,
    memoryBytes: 1n << 30n,
    colourRate: 1_000n,
    rowRate: 1_000n,
    colourEngine: 'wasm',
    providers: [],
    addrs: [],
    joinedEpoch: 0n,
    left,
  }
  return signed('record', value)
}

/** A yes of one who was alone when it voted. */
export function voteOf(author: PeerName, candidate: PeerName): SignedItem {
  const value: Vote = { author, candidate, seq: 1n, ok: true, basis: 1, rate: 1_000n, nonce: digestOf(`probe ${candidate}`), reason: '' }
  return signed('vote', value)
}

/** Does this member forge this chunk? */
export function isForged({ options, chance }: World, { role, index }: Actor, epoch: bigint, chunk: number): boolean {
  return role === 'forger' && epoch >= options.forgeFrom && chance.happens(options.forgers, FORGED, index, Number(epoch), chunk)
}

/** How a forged value differs: not by the same for all, or a pair of them would leave the XOR as it is. */
function errorOf({ chance }: World, { index }: Actor, epoch: bigint, chunk: number): bigint {
  return (BigInt(chance.draw(ERROR, index, Number(epoch), chunk)) << 32n) | 1n
}

/** What a claim says of its chunks: the truth, but for what its author forged. */
export function claimedValues(world: World, { author, epoch, run }: Pick<Claim, 'author' | 'epoch' | 'run'>): BigUint64Array {
  const values = chunkValues(world.key, Number(epoch), run)
  const actor = world.byPeer.get(author)!
  if (actor.role !== 'forger') return values
  for (let i = 0; i < run.count; i++) if (isForged(world, actor, epoch, run.start + i)) values[i]! ^= errorOf(world, actor, epoch, run.start + i)
  return values
}

/** First chunk of a run that this member forges. */
export function firstForged(world: World, { author, epoch, run }: Pick<Claim, 'author' | 'epoch' | 'run'>): number | undefined {
  const actor = world.byPeer.get(author)!
  if (actor.role !== 'forger') return undefined
  for (let chunk = run.start; chunk < run.start + run.count; chunk++) if (isForged(world, actor, epoch, chunk)) return chunk
  return undefined
}

function genesisOf(options: SimOptions, actors: readonly Actor[]): Genesis {
  const { nodes, chunks, seed, sybils } = options
  const common = {
    name: 'sim',
    colourSeed: BigInt(seed),
    colourKernel: 'spi64',
    epochColours: BigInt(nodes * chunks) * BigInt(CHUNK_COLOURS),
    latticeKernel: digestOf('lattice'),
    foldId: 'mean/1',
    nonce: '00'.repeat(16),
  } as const
  return sybils > 0 ? { ...common, version: 2, admission: 'vote', founder: actors[0]!.peer } : { ...common, version: 1, admission: 'key' }
}
