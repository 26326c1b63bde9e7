import type { BundleRange, SeedBundle } from './bundle.ts'
import { isRecord, parseExactJson, quote, u64 } from './exact-json.ts'
import { hex64 } from './hex.ts'
import type { IndexRange } from './transducer.ts'

/** A range that a host computed. */
export interface RangeResult extends IndexRange {
  /** seed ^ XOR of the range's turbo32 colours. */
  readonly fingerprint: bigint
}

/** What a host sends back for its part of a seed bundle. */
export interface BundleResult {
  readonly seed: bigint
  readonly host: string
  readonly ranges: readonly RangeResult[]
}

export type ParsedResult = { readonly ok: true; readonly result: BundleResult } | { readonly ok: false; readonly reason: string }

export type CombinedBundle =
  | {
      readonly ok: true
      /** seed ^ XOR of the whole: what `expected_xor` is compared with. */
      readonly fingerprint: bigint
      readonly xor: bigint
      /** Whether it is the fingerprint that the bundle expects; undefined where it expects none. */
      readonly agrees: boolean | undefined
    }
  /** `input`: the results do not cover the bundle once, or are not of it. `disagreement`: two hosts found different colours. */
  | { readonly ok: false; readonly fault: 'input' | 'disagreement'; readonly reason: string }

const SCHEMA = 'sgsd.bundle-result/1'
/** Ranges in a result, at most: as many as a bundle can have. */
const MAX_RANGES = 1_000_000
/** Gaps that a sentence names before it only counts them. */
const NAMED_GAPS = 3

/** One line of JSON; 64-bit numbers are `0x` strings. */
export function formatBundleResult({ seed, host, ranges }: BundleResult): string {
  return JSON.stringify({
    schema: SCHEMA,
    kernel: 'turbo32',
    seed: hex64(seed),
    host,
    ranges: ranges.map(({ start, count, fingerprint }) => ({ start: hex64(start), count: hex64(count), fingerprint: hex64(fingerprint) })),
  })
}

/** Reads a result; says what is wrong with a bad one. Total: it never throws. */
export function parseBundleResult(text: string): ParsedResult {
  const root = parseExactJson(text)
  if (root === undefined) return reject('it is not JSON')
  if (!isRecord(root)) return reject('it is not a JSON object')
  if (root['schema'] !== SCHEMA) return reject(`schema is not ${SCHEMA}`)
  if (root['kernel'] !== 'turbo32') return reject('kernel is not turbo32')
  const seed = u64(root['seed'])
  if (seed === undefined) return reject('seed is not a whole number of 64 bits')
  const host = root['host']
  if (typeof host !== 'string' || host.length === 0 || host.length > 255) return reject('host is not a name of 1 to 255 characters')
  const list = root['ranges']
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_RANGES) return reject('ranges is not a list of 1 to 1,000,000 ranges')
  const ranges: RangeResult[] = []
  for (const [place, entry] of list.entries()) {
    const start = u64(isRecord(entry) ? entry['start'] : undefined)
    const count = u64(isRecord(entry) ? entry['count'] : undefined)
    const fingerprint = u64(isRecord(entry) ? entry['fingerprint'] : undefined)
    if (start === undefined || count === undefined || fingerprint === undefined) {
      return reject(`range ${place}: start, count and fingerprint are not three whole numbers of 64 bits`)
    }
    ranges.push({ start, count, fingerprint })
  }
  return { ok: true, result: { seed, host, ranges } }
}

/**
 * Puts the results of a bundle together. Every index must be there once; the very same range from two hosts counts once when they agree.
 * @param bundle - valid: disjoint ranges without gap
 */
export function combineResults(bundle: SeedBundle, results: readonly BundleResult[]): CombinedBundle {
  const pieces = new Map<string, Piece>()
  for (const { seed, host, ranges } of results) {
    if (seed !== bundle.seed) return fail(`the result of ${quote(host)} is for seed ${hex64(seed)}, the bundle has ${hex64(bundle.seed)}`)
    for (const range of ranges) {
      if (range.count === 0n) continue
      const key = `${range.start}/${range.count}`
      const other = pieces.get(key)
      if (other !== undefined && other.fingerprint !== range.fingerprint) return disagreement(other, { host, ...range })
      pieces.set(key, { host, ...range })
    }
  }
  const ordered = [...pieces.values()].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))
  const fault = overlapOf(ordered) ?? strayOf(bundle, ordered) ?? missingOf(bundle, ordered)
  if (fault !== undefined) return fail(fault)
  const xor = ordered.reduce((xor, { fingerprint }) => xor ^ fingerprint ^ bundle.seed, 0n)
  const fingerprint = xor ^ bundle.seed
  return { ok: true, fingerprint, xor, agrees: bundle.expectedXor === undefined ? undefined : bundle.expectedXor === fingerprint }
}

type Piece = RangeResult & { readonly host: string }

function overlapOf(ordered: readonly Piece[]): string | undefined {
  for (const [place, piece] of ordered.entries()) {
    const before = ordered[place - 1]
    if (before !== undefined && piece.start < before.start + before.count) {
      return `the results of ${quote(before.host)} and ${quote(piece.host)} overlap at index ${piece.start}`
    }
  }
  return undefined
}

/** A piece with an index that the bundle gives to nobody. */
function strayOf({ ranges }: SeedBundle, ordered: readonly Piece[]): string | undefined {
  const first = ranges.reduce((least, { start }) => (start < least ? start : least), ranges[0]!.start)
  const end = ranges.reduce((most, { start, count }) => (start + count > most ? start + count : most), first)
  const stray = ordered.find(({ start, count }) => start < first || start + count > end)
  if (stray === undefined) return undefined
  return `the result of ${quote(stray.host)} holds index ${stray.start < first ? stray.start : end}, which is not in the bundle`
}

function missingOf({ ranges }: SeedBundle, ordered: readonly Piece[]): string | undefined {
  const gaps: string[] = []
  let next = 0
  for (const range of [...ranges].sort(byStart)) {
    const end = range.start + range.count
    let at = range.start
    while (next < ordered.length && ordered[next]!.start + ordered[next]!.count <= at) next++
    for (let i = next; at < end; i++) {
      const piece = ordered[i]
      const until = piece === undefined || piece.start > end ? end : piece.start
      if (until > at) gaps.push(`indices ${at} to ${until - 1n} of ${quote(range.host)}`)
      at = piece === undefined || until === end ? end : piece.start + piece.count
    }
  }
  if (gaps.length === 0) return undefined
  const more = gaps.length > NAMED_GAPS ? ` and ${gaps.length - NAMED_GAPS} more` : ''
  return `there is no result for ${gaps.slice(0, NAMED_GAPS).join(', ')}${more}`
}

function byStart(a: BundleRange, b: BundleRange): number {
  return a.start < b.start ? -1 : a.start > b.start ? 1 : 0
}

function disagreement(a: Piece, b: Piece): CombinedBundle {
  const whose = a.host === b.host ? `two results of ${quote(a.host)}` : `${quote(a.host)} and ${quote(b.host)}`
  const reason = `${whose} disagree on the ${a.count} colours from index ${a.start}: ${hex64(a.fingerprint)} and ${hex64(b.fingerprint)}`
  return { ok: false, fault: 'disagreement', reason }
}

function fail(reason: string): CombinedBundle {
  return { ok: false, fault: 'input', reason }
}

function reject(reason: string): ParsedResult {
  return { ok: false, reason: `not a bundle result: ${reason}` }
}
