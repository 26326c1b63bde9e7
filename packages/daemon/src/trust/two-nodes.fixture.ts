import { chunkValue } from '@sgsd/color'
import { absoluteChunk, draftClaim, type FoldId, type Genesis, itemKey, type MemberRecord, type Signed } from '@sgsd/consensus'
import { createIdentity, openIdentity, verifySignature } from '@sgsd/mesh'
import { type BlockStore, openMemoryStore, type Store } from '@sgsd/store'
import { encodeGenesis, encodeLeaves, meshIdOf } from '@sgsd/wire'
import type { Logger } from 'pino'
import { Core, monotonicNow } from '../core.ts'
import { EventBus } from '../event-bus.ts'
import { openLog } from '../log.ts'
import type { Credentials } from '../membership.ts'
import { Judge } from './judge.ts'

/** Chunks of an epoch: a few milliseconds each on the reference kernel. */
export const CHUNKS = 6

export interface Node {
  readonly core: Core
  readonly store: Store
  readonly blocks: BlockStore
  readonly events: EventBus
  readonly log: Logger
  readonly warnings: string[]
}

/** Two members of one mesh who know each other; nothing reaches the other by itself. */
export async function twoNodes(foldId: FoldId = 'mean/1'): Promise<readonly [Node, Node]> {
  const genesis: Genesis = {
    version: 1,
    name: 'oak',
    colourSeed: 7_202_985n,
    colourKernel: 'spi64',
    epochColours: BigInt(CHUNKS) * 2n ** 20n,
    latticeKernel: '00'.repeat(32),
    foldId,
    admission: 'open',
    nonce: '11'.repeat(16),
  }
  const nodes = [await node(genesis, 'atlas'), await node(genesis, 'boreas')] as const
  for (const [one, other] of [nodes, [nodes[1], nodes[0]] as const]) {
    const { state } = other.core
    hand(other, one, state.roster.get(state.self)!)
    one.core.handle({ type: 'beat-received', beat: beatOf(other), now: monotonicNow() })
  }
  return nodes
}

async function node(genesis: Genesis, hostName: string): Promise<Node> {
  const genesisBytes = encodeGenesis(genesis)
  const credentials: Credentials = {
    identity: openIdentity(await createIdentity()),
    genesis,
    genesisBytes,
    meshId: meshIdOf(genesisBytes),
    meshKey: undefined,
  }
  const store = await openMemoryStore()
  const log = openLog('fatal', false)
  const events = new EventBus()
  const warnings: string[] = []
  events.subscribe((event) => {
    if (event.event === 'warning') warnings.push(event.message)
  })
  const core = new Core(credentials, store.items, verifySignature, log, events)
  core.author({ kind: 'record', value: { ...RECORD, author: core.state.self, hostName } })
  core.handle({ type: 'ticked', now: monotonicNow() })
  return { core, store, blocks: store.blocks, events, log, warnings }
}

/** One node's item reaches another. */
export function hand(_from: Node, to: Node, item: Signed<'record'> | Signed<'claim'> | Signed<'proof'>): void {
  to.core.handle({ type: 'item-received', item, now: monotonicNow(), source: 'peer' })
}

/** What the chunks of epoch 0 are. */
export function trueValues({ core }: Node, start = 0, count: number = CHUNKS): BigUint64Array {
  const { genesis } = core.state
  return BigUint64Array.from({ length: count }, (_, i) => chunkValue(genesis.colourKernel, genesis.colourSeed, absoluteChunk(genesis, 0n, start + i)))
}

/** A node claims chunks from `start` on, whatever they are, and the other takes the claim in with its leaves. */
export async function claim(author: Node, other: Node, start: number, values: BigUint64Array): Promise<Signed<'claim'>> {
  const leaves = await author.blocks.put(encodeLeaves(values))
  await other.blocks.put(encodeLeaves(values))
  const value = draftClaim(author.core.state, { start, count: values.length }, values, leaves)
  author.core.author({ kind: 'claim', value })
  const signed = author.core.state.claims.get(itemKey({ kind: 'claim', value }))!
  hand(author, other, signed)
  for (const { core } of [author, other]) core.handle({ type: 'leaves-ready', claim: signed, values })
  return signed
}

/** A judge on a reference kernel that says what is given, or the truth; with a core whose other effects go nowhere. */
export function judgeOf(
  one: Node,
  value: (epoch: bigint, chunk: number) => Promise<bigint> = async (_, chunk) => trueValues(one, chunk, 1)[0]!,
): Judge {
  const judge = new Judge(one.core, { value }, one.log)
  const nothing = (): void => {}
  one.core.connect({
    publish: nothing,
    fetchLayer: nothing,
    fetchLeaves: nothing,
    checkProof: (effect) => void judge.check(effect),
    compareLeaves: nothing,
    fold: nothing,
    epochClosed: nothing,
    forgotten: nothing,
  })
  return judge
}

function beatOf({ core: { state } }: Node) {
  return {
    author: state.self,
    seq: 1n,
    rosterHash: '' as never,
    consensus: '',
    digest: '',
    epoch: 0n,
    chunksDone: 0,
    chunksCovered: 0,
    rateNow: 0n,
    layers: 0,
  }
}

const RECORD: Omit<MemberRecord, 'author' | 'hostName'> = {
  seq: 1n,
  software: '0.1.0',
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
