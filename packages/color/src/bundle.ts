import { isRecord, parseExactJson, quote, u64 } from './exact-json.ts'
import { hex64 } from './hex.ts'
import { polarityOf, type Polarity } from './polarity.ts'
import { composeXor, splitRange, type IndexRange } from './transducer.ts'

/** One host's part of a bundle. */
export interface BundleRange extends IndexRange {
  readonly host: string
  readonly polarity: Polarity
}

/**
 * A job that fits into a message: a seed and who computes which indices of its turbo32 stream.
 * Valid bundles have ranges that are disjoint, without gap from the lowest start, and add up to `total`.
 */
export interface SeedBundle {
  readonly seed: bigint
  readonly ranges: readonly BundleRange[]
  readonly total: bigint
  /** Fingerprint of the whole, where the maker knows it. */
  readonly expectedXor: bigint | undefined
}

export type ParsedBundle = { readonly ok: true; readonly bundle: SeedBundle } | { readonly ok: false; readonly reason: string }

/** Hosts of a bundle, at most: far above any table, low enough that a hostile file stays small work. */
const MAX_HOSTS = 1_000_000

/**
 * Indices from 0 on, split evenly over hosts in their given order (the last takes the remainder), polarities in turn.
 * @throws RangeError if there is no host or total is negative
 */
export function makeBundle(seed: bigint, hosts: readonly string[], total: bigint): SeedBundle {
  const parts = splitRange({ start: 0n, count: total }, hosts.length)
  const ranges = parts.map((part, place) => ({ host: hosts[place] as string, ...part, polarity: polarityOf(place) }))
  return { seed: BigInt.asUintN(64, seed), ranges, total, expectedXor: undefined }
}

/** The parts a host has to compute; none when the bundle is for others. */
export function rangesOf(bundle: SeedBundle, host: string): readonly BundleRange[] {
  return bundle.ranges.filter((range) => range.host === host)
}

/**
 * Fingerprint of the whole from its parts' fingerprints (each seed ^ XOR): the seeds cancel in pairs, so it goes back
 * in when their number is even.
 */
export function combineFingerprints(seed: bigint, fingerprints: readonly bigint[]): bigint {
  const xor = composeXor(fingerprints)
  return fingerprints.length % 2 === 0 ? xor ^ BigInt.asUintN(64, seed) : xor
}

/** One line of JSON in the seed's field names; 64-bit numbers are `0x` strings. */
export function formatBundle({ seed, ranges, total, expectedXor }: SeedBundle): string {
  return JSON.stringify({
    seed: hex64(seed),
    ranges: ranges.map(({ host, start, count, polarity }) => ({ host, start: hex64(start), count: hex64(count), polarity })),
    total: hex64(total),
    expected_xor: expectedXor === undefined ? null : hex64(expectedXor),
  })
}

/** Reads a bundle with `0x` strings or with plain decimal numbers, exactly even above 2^53; says what is wrong with a bad one. */
export function parseBundle(text: string): ParsedBundle {
  const root = parseExactJson(text)
  if (root === undefined) return reject('it is not JSON')
  if (!isRecord(root)) return reject('it is not a JSON object')
  const seed = u64(root['seed'])
  if (seed === undefined) return reject('seed is not a whole number of 64 bits')
  const total = u64(root['total'])
  if (total === undefined) return reject('total is not a whole number of 64 bits')
  const expectedXor = root['expected_xor'] === null ? undefined : u64(root['expected_xor'])
  if (expectedXor === undefined && (root['expected_xor'] ?? null) !== null) return reject('expected_xor is not a whole number of 64 bits')
  const list = root['ranges']
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_HOSTS) return reject('ranges is not a list of 1 to 1,000,000 parts')
  const ranges: BundleRange[] = []
  for (const [place, entry] of list.entries()) {
    const range = parseRange(entry)
    if (typeof range === 'string') return reject(`range ${place}: ${range}`)
    ranges.push(range)
  }
  const fault = coverageFault(ranges, total)
  return fault === undefined ? { ok: true, bundle: { seed, ranges, total, expectedXor } } : reject(fault)
}

/** The first gap, overlap or wrong total of a list of ranges; undefined when they cover `total` indices exactly once. */
export function coverageFault(ranges: readonly BundleRange[], total: bigint): string | undefined {
  const ordered = [...ranges].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.count < b.count ? -1 : 1))
  let covered = 0n
  for (const [place, range] of ordered.entries()) {
    const before = ordered[place - 1]
    if (before !== undefined) {
      const end = before.start + before.count
      if (range.start < end) return `the ranges of ${quote(before.host)} and ${quote(range.host)} overlap at index ${range.start}`
      if (range.start > end) return `indices ${end} to ${range.start - 1n}, between ${quote(before.host)} and ${quote(range.host)}, belong to nobody`
    }
    covered += range.count
  }
  return covered === total ? undefined : `the ranges hold ${covered} indices, total says ${total}`
}

function parseRange(entry: unknown): BundleRange | string {
  if (!isRecord(entry)) return 'not a JSON object'
  const { host } = entry
  if (typeof host !== 'string' || host.length === 0 || host.length > 255) return 'host is not a name of 1 to 255 characters'
  const start = u64(entry['start'])
  if (start === undefined) return 'start is not a whole number of 64 bits'
  const count = u64(entry['count'])
  if (count === undefined) return 'count is not a whole number of 64 bits'
  const polarity = u64(entry['polarity'])
  if (polarity === undefined || polarity > 2n) return 'polarity is not 0, 1 or 2'
  return { host, start, count, polarity: Number(polarity) as Polarity }
}

function reject(reason: string): ParsedBundle {
  return { ok: false, reason: `not a seed bundle: ${reason}` }
}
