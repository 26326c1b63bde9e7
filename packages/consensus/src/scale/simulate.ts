import { mix, rangeXor, spi64 } from '@sgsd/color'
import { xorOf } from '../claims.ts'
import type { MeshId, PeerName, RosterHash } from '../ids.ts'
import type { ChunkRun } from '../items.ts'
import { claimRoot } from '../merkle.ts'
import { partition, type RatedMember } from '../partition.ts'
import { weightsOf } from '../weights.ts'
import { flood, randomGossipGraph } from './gossip-graph.ts'
import { gatherTree, treeDepth } from './gossip-tree.ts'

export interface Simulation {
  /** Machines, integer ≥ 1. */
  readonly machines: number
  /** Chunks of the epoch. */
  readonly chunks: number
  /** Children of a node of the tree, and peers that gossip is forwarded to. */
  readonly fanOut: number
  readonly seed: bigint
}

export type Stage = 'members' | 'partition' | 'claims' | 'gossip'
export const STAGES: readonly Stage[] = ['members', 'partition', 'claims', 'gossip']

/** A law, and whether it held. */
export interface ScaleCheck {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

export interface SimulationReport extends Simulation {
  readonly checks: readonly ScaleCheck[]
  /** Claims authored: members with a range. */
  readonly claims: number
  readonly tree: { readonly messagesUp: number; readonly messagesDown: number; readonly depth: number; readonly degree: number }
  /** One claim by gossip, from each of a few authors: the mean of copies, the most hops. */
  readonly gossip: { readonly messages: number; readonly sendsEach: number; readonly hops: number }
}

/** Messages that the gossip stage floods. */
const FLOODS = 3
/** Claims between two reports of progress. */
const REPORT_EVERY = 4_096
const MESH = 'a5'.repeat(32) as MeshId
const ROSTER = '5a'.repeat(32) as RosterHash

/**
 * One epoch of a mesh of any size, in this process: every member derives its range, claims it and sends the claim around.
 * Chunk values are stand-ins, since 10^12 colours are not the point: `spi64(seed, chunk)`, whose XOR over all chunks is known.
 * @param onProgress - called before each stage and now and then within; may throw to stop
 */
export function simulateScale(simulation: Simulation, onProgress: (stage: Stage, share: number) => void): SimulationReport {
  const { machines, chunks, fanOut, seed } = simulation
  onProgress('members', 0)
  const members = syntheticMembers(machines, seed)
  onProgress('partition', 0)
  const ranges = partition(MESH, 0n, members, chunks)
  const runs = [...ranges]
  onProgress('claims', 0)
  let claims = 0
  const roots = new Set<string>()
  const gathered = gatherTree(machines, fanOut, (place) => {
    if (place % REPORT_EVERY === 0) onProgress('claims', place / machines)
    const [author, run] = runs[place]!
    if (run.count === 0) return { run, xor: 0n }
    claims += 1
    const values = standIns(seed, run)
    roots.add(claimRoot({ meshId: MESH, epoch: 0n, rosterHash: ROSTER, author, run }, values))
    return { run, xor: xorOf(values) }
  })
  onProgress('gossip', 0)
  const graph = randomGossipGraph(machines, fanOut, seed)
  const floods = Array.from({ length: FLOODS }, (_, k) => {
    onProgress('gossip', (k + 1) / (FLOODS + 1))
    return flood(graph, Math.floor((machines * k) / FLOODS))
  })
  const gossip = {
    messages: floods.length,
    sendsEach: floods.reduce((sum, { sends }) => sum + sends, 0) / floods.length,
    hops: floods.reduce((most, { hops }) => Math.max(most, hops), 0),
  }
  const { messages: messagesUp, depth, degree } = gathered
  const whole = rangeXor('spi64', seed, 0n, BigInt(chunks))
  const needed = 2 * (machines - 1)
  const links = graph.peers.length
  const copies = links - (machines - 1)
  const fair = farthestFromFair(members, ranges, chunks)
  return {
    ...simulation,
    claims,
    tree: { messagesUp, messagesDown: machines - 1, depth, degree },
    gossip,
    checks: [
      check('ranges are disjoint', gathered.overlaps === 0, `${gathered.overlaps} overlaps`),
      check('ranges are complete', isWhole(gathered.covered, chunks) && endsMeet(runs, chunks), `${chunks} chunks in ${claims} claims`),
      check('ranges follow the rates', fair < 1, `none is more than ${fair.toFixed(2)} chunks off its share`),
      check('the XORs of the claims make the XOR of the epoch', gathered.xor === whole, `0x${gathered.xor.toString(16).padStart(16, '0')}`),
      check('every claim has a root of its own', roots.size === claims, `${roots.size} roots`),
      check('a tree takes 2(N − 1) messages', 2 * messagesUp === needed, `${needed} messages`),
      check('a tree is as deep as log N', depth === treeDepth(machines, fanOut) && degree <= fanOut, `depth ${depth}, fan-out ${degree}`),
      check(
        'gossip reaches everybody',
        floods.every(({ reached }) => reached === machines),
        `${machines} of ${machines} in ${gossip.hops} hops`,
      ),
      check(
        'gossip takes links − (N − 1) copies',
        floods.every(({ sends }) => sends === copies),
        `${copies} copies of a message`,
      ),
    ],
  }
}

/** Names and rates of a motley mesh: most within 16 times of each other, some unknown, one boast. */
function syntheticMembers(machines: number, seed: bigint): readonly RatedMember[] {
  return Array.from({ length: machines }, (_, place) => {
    const draw = mix(seed ^ BigInt(place))
    const rate = place === 1 ? 1n << 60n : draw % 61n === 0n ? 0n : 1_000_000_000n + (draw % 15_000_000_000n)
    return { peer: `machine-${place}` as PeerName, rate }
  })
}

function standIns(seed: bigint, { start, count }: ChunkRun): BigUint64Array {
  const values = new BigUint64Array(count)
  for (let i = 0; i < count; i++) values[i] = spi64(seed, BigInt(start + i))
  return values
}

function isWhole(covered: readonly ChunkRun[], chunks: number): boolean {
  return chunks === 0 ? covered.length === 0 : covered.length === 1 && covered[0]!.start === 0 && covered[0]!.count === chunks
}

/** Ranges follow one another without gap or overlap: the same law, by ends instead of by sets. */
function endsMeet(runs: readonly (readonly [PeerName, ChunkRun])[], chunks: number): boolean {
  let end = 0
  for (const [, { start, count }] of runs) {
    if (start !== end || count < 0) return false
    end += count
  }
  return end === chunks
}

/** The largest distance of a range from its exact share, chunks. */
function farthestFromFair(members: readonly RatedMember[], ranges: ReadonlyMap<PeerName, ChunkRun>, chunks: number): number {
  const weights = weightsOf(members.map(({ rate }) => rate))
  const sum = Number(weights.reduce((a, b) => a + b, 0n))
  return members.reduce((most, { peer }, i) => Math.max(most, Math.abs((Number(weights[i]) / sum) * chunks - ranges.get(peer)!.count)), 0)
}

function check(name: string, ok: boolean, detail: string): ScaleCheck {
  return { name, ok, detail }
}
