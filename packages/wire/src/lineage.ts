import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { type Body, encode, parse } from './body.ts'
import { hex, list, oneOf, safeInteger, tuple, uint } from './fields.ts'
import { MAX_LINEAGE_BYTES, MAX_LINEAGE_SPANS, MAX_LINEAGE_TEXTS } from './limits.ts'
import { textNameField } from './text-name.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** First bytes of a lineage block. docs/protocol.md §8.6 */
const LINEAGE_MAGIC = 'SGSO'
const MAGIC_BYTES = 4

/** Lines of one segment that a layer has learned. Lines are counted from 0 in the whole text. */
export interface LineageSpan {
  /** Name of the text. */
  readonly text: string
  /** SHA-256 of the segment: the bytes of those whole lines of the text as they stood in its file. */
  readonly segment: string
  /** Number of the segment's first line. */
  readonly first: number
  /** Lines learned: `from` and all up to, without, `to`. */
  readonly from: number
  readonly to: number
}

/** What a layer has learned since its parents, in the order of learning. */
export type Lineage = readonly LineageSpan[]

interface WireSpan {
  readonly text: number
  readonly segment: string
  readonly first: number
  readonly from: number
  readonly to: number
}

interface WireLineage {
  readonly version: 1
  readonly texts: readonly string[]
  readonly spans: readonly WireSpan[]
}

const body: Body<WireLineage> = {
  limits: { bytes: MAX_LINEAGE_BYTES - MAGIC_BYTES, values: 8 + MAX_LINEAGE_TEXTS + 6 * MAX_LINEAGE_SPANS },
  field: tuple<WireLineage>({
    version: oneOf(1),
    texts: list(textNameField, MAX_LINEAGE_TEXTS),
    spans: list(
      tuple<WireSpan>({ text: uint(MAX_LINEAGE_TEXTS - 1), segment: hex(32), first: safeInteger, from: safeInteger, to: safeInteger }),
      MAX_LINEAGE_SPANS,
    ),
  }),
}

/** @param lineage - at most `MAX_LINEAGE_SPANS` spans of `MAX_LINEAGE_TEXTS` texts, with names that `textName` gives */
export function encodeLineage(lineage: Lineage): Uint8Array {
  const texts: string[] = []
  const place = new Map<string, number>()
  const spans = lineage.map(({ text, ...span }): WireSpan => {
    if (!place.has(text)) place.set(text, texts.push(text) - 1)
    return { text: place.get(text)!, ...span }
  })
  return concatBytes(utf8ToBytes(LINEAGE_MAGIC), encode(body, { version: 1, texts, spans }))
}

/** Strict: names differ and stand in the order in which spans first name them; first ≤ from < to. Total. */
export function parseLineage(bytes: Uint8Array): Verdict<Lineage> {
  if (!utf8ToBytes(LINEAGE_MAGIC).every((byte, i) => bytes[i] === byte)) return reject(`does not begin with ${LINEAGE_MAGIC}`)
  const parsed = parse(body, bytes.subarray(MAGIC_BYTES))
  if (parsed.type !== 'accept') return parsed
  const { texts, spans } = parsed.value
  if (new Set(texts).size !== texts.length) return reject('a text is named twice')
  let named = 0
  const lineage: LineageSpan[] = []
  for (const [i, { text, ...span }] of spans.entries()) {
    if (text > named || text >= texts.length) return reject(`span ${i} names a text out of turn`)
    if (text === named) named++
    if (span.first > span.from || span.from >= span.to)
      return reject(`span ${i} has lines ${span.from} to ${span.to} of a segment from ${span.first}`)
    lineage.push({ text: texts[text]!, ...span })
  }
  return named === texts.length ? accept(lineage) : reject('a text without a span')
}
