import { CHUNK_COLOURS } from '@sgsd/color'
import { BEAT_INTERVAL_MS, CLAIMS_FOR_WHOLE_EPOCH, MAX_CLAIM_CHUNKS, MAX_MEMBERS } from '../limits.ts'
import { treeDepth } from './gossip-tree.ts'

/** What a prediction is made from; all machines are alike. */
export interface ScaleInputs {
  /** Colours per second of one machine. */
  readonly rate: number
  readonly epochColours: number
  /** Encoded sizes on gossip, bytes, with what the gossip layer adds. */
  readonly claimBytes: number
  readonly beatBytes: number
  /** Peers that a member forwards gossip to. */
  readonly fanOut: number
  /** Work that a member puts into one claim, seconds. */
  readonly claimSeconds: number
}

export interface ScalePrediction {
  readonly machines: number
  readonly coloursPerSecond: number
  readonly epochSeconds: number
  /** Messages that members author, over the whole mesh. */
  readonly claimsPerSecond: number
  readonly beatsPerSecond: number
  /** Copies that cross a link, over the whole mesh: every message reaches everybody, some more than once. */
  readonly sendsPerSecond: number
  /** What one machine hears of them, and as much it sends on. */
  readonly messagesPerMachine: number
  /** Bytes per second into one machine: gossip, and the chunk values of everybody's claims. */
  readonly gossipBytesPerMachine: number
  readonly leafBytesPerMachine: number
  /** Hops until the last machine has a message. */
  readonly hops: number
  /** The least that an epoch could do with: claims summed up a tree and the sum sent down again. */
  readonly treeMessagesPerEpoch: number
  readonly treeDepth: number
  /** A mesh admits no more members than `MAX_MEMBERS`. */
  readonly admitted: boolean
}

/** A figure of the published scaling table, colours per second. */
export interface PublishedScale {
  readonly machines: number
  readonly coloursPerSecond: number
  readonly what: 'measured' | 'goal'
}

/** The published table, as far as it has figures: one machine as its authors measured it, and what they aim at with 34. */
export const PUBLISHED_SCALE: readonly PublishedScale[] = [
  { machines: 1, coloursPerSecond: 2.03e9, what: 'measured' },
  { machines: 34, coloursPerSecond: 10e9, what: 'goal' },
]

/** Bytes of a chunk value. */
const LEAF_BYTES = 8

/**
 * Rates of a mesh of `machines` like this one. Mining itself exchanges nothing, so colours scale with machines; what grows is the gossip
 * of claims (one for each `claimSeconds` of work of each member) and beats.
 * @param machines - integer ≥ 1
 */
export function predictScale(inputs: ScaleInputs, machines: number): ScalePrediction {
  const { rate, epochColours, claimBytes, beatBytes, fanOut, claimSeconds } = inputs
  const coloursPerSecond = machines * rate
  const epochSeconds = epochColours / coloursPerSecond
  const chunks = epochColours / CHUNK_COLOURS
  const claimsPerEpoch = Math.min(machines, chunks) * Math.ceil(Math.max(1, chunks / machines) / claimChunks(rate, claimSeconds, chunks))
  const alone = machines === 1
  const claimsPerSecond = claimsPerEpoch / epochSeconds
  const beatsPerSecond = (machines * 1_000) / BEAT_INTERVAL_MS
  const sends = sendsOfOne(machines, fanOut)
  return {
    machines,
    coloursPerSecond,
    epochSeconds,
    claimsPerSecond,
    beatsPerSecond,
    sendsPerSecond: (claimsPerSecond + beatsPerSecond) * sends,
    messagesPerMachine: ((claimsPerSecond + beatsPerSecond) * sends) / machines,
    gossipBytesPerMachine: ((claimsPerSecond * claimBytes + beatsPerSecond * beatBytes) * sends) / machines,
    leafBytesPerMachine: alone ? 0 : (((coloursPerSecond / CHUNK_COLOURS) * (machines - 1)) / machines) * LEAF_BYTES,
    hops: alone ? 0 : Math.max(1, Math.ceil(Math.log(machines) / Math.log(Math.max(2, Math.min(fanOut, machines - 1) - 1)))),
    treeMessagesPerEpoch: 2 * (machines - 1),
    treeDepth: treeDepth(machines, fanOut),
    admitted: machines <= MAX_MEMBERS,
  }
}

/**
 * Copies of one message that cross a link until everybody has it: each member sends it to its `fanOut` peers, but not back where it came
 * from. On links of degree d that is N·d − (N − 1), of which N − 1 are needed.
 */
export function sendsOfOne(machines: number, fanOut: number): number {
  const degree = Math.min(fanOut, machines - 1)
  return machines * degree - (machines - 1)
}

/** Chunks that the mine loop puts into a claim. */
function claimChunks(rate: number, claimSeconds: number, chunks: number): number {
  const wanted = Math.max(1, Math.round((rate * claimSeconds) / CHUNK_COLOURS))
  return Math.min(Math.max(wanted, Math.ceil(chunks / CLAIMS_FOR_WHOLE_EPOCH)), MAX_CLAIM_CHUNKS)
}
