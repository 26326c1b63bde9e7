import { GOLDEN, U64_MASK } from './constants.ts'
import { fnv1a64 } from './fnv1a64.ts'
import { mix } from './mix.ts'
import { polarityOf, twistSeed, type Polarity } from './polarity.ts'
import { spi64 } from './spi64.ts'
import type { IndexRange } from './transducer.ts'

/** A host as the published tables describe it. */
export interface Host {
  readonly name: string
  readonly memoryGb: number
  readonly cores: number
  readonly bandwidthGbps: number
}

export interface HostRange extends IndexRange {
  readonly host: string
  readonly score: bigint
}

export interface TripartiteShare extends HostRange {
  readonly polarity: Polarity
  readonly twistedSeed: bigint
}

export interface Challenge {
  readonly index: bigint
  /** What a host that computes the stream answers. */
  readonly expected: bigint
}

/** Indices the published partitions share out: all of turbo32. */
const WINDOW = 2n ** 32n

/** 10 a GB, 5 a core, 1 a GB/s, in whole points. @throws RangeError unless all three are finite and ≥ 0 */
export function capabilityScore({ name, memoryGb, cores, bandwidthGbps }: Host): bigint {
  const score = 10 * memoryGb + 5 * cores + bandwidthGbps
  if (![memoryGb, cores, bandwidthGbps].every((value) => Number.isFinite(value) && value >= 0)) {
    throw new RangeError(`the capability of ${JSON.stringify(name)} is not three numbers from 0 up`)
  }
  return BigInt(Math.floor(score))
}

/**
 * Ranges in proportion to score, in order of name hash; each is rounded down, so up to one index per host is left at the end.
 * @throws RangeError when nobody has any capability
 */
export function capabilityRanges(hosts: readonly Host[]): readonly HostRange[] {
  return layOut([...hosts].map(withScore).sort((a, b) => compare(fnv1a64(a.name), fnv1a64(b.name))))
}

/** The same in order of capability, strongest first, polarities in turn. Equal scores keep their given order. */
export function tripartite(seed: bigint, hosts: readonly Host[]): readonly TripartiteShare[] {
  const ordered = [...hosts].map(withScore).sort((a, b) => compare(b.score, a.score))
  return layOut(ordered).map((range, place) => {
    const polarity = polarityOf(place)
    return { ...range, polarity, twistedSeed: twistSeed(seed, polarity) }
  })
}

/**
 * Where the published rule puts a host among `parts`: at its name's hash modulo their number. Names collide, so ranges do;
 * a mesh partitions by roster instead.
 * @param parts - integer ≥ 1
 */
export function publishedHostRange(host: string, parts: number): IndexRange & { readonly position: number } {
  const position = fnv1a64(host) % BigInt(parts)
  const count = WINDOW / BigInt(parts)
  return { position: Number(position), start: position * count, count }
}

/** The colour a host is asked for in a round, by the published rule. */
export function challenge(seed: bigint, host: string, round: bigint): Challenge {
  const index = mix((seed & U64_MASK) ^ fnv1a64(host) ^ ((round * GOLDEN) & U64_MASK))
  return { index, expected: spi64(seed, index) }
}

interface Scored {
  readonly name: string
  readonly score: bigint
}

function withScore(host: Host): Scored {
  return { name: host.name, score: capabilityScore(host) }
}

function layOut(hosts: readonly Scored[]): readonly HostRange[] {
  const total = hosts.reduce((sum, { score }) => sum + score, 0n)
  if (total === 0n) throw new RangeError('no host has any capability')
  let start = 0n
  return hosts.map(({ name, score }) => {
    const range = { host: name, score, start, count: (WINDOW * score) / total }
    start += range.count
    return range
  })
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
