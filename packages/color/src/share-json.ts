import { MAX_DISGUISED_BYTES, type Share } from './disguise.ts'
import { isRecord, parseExactJson, u64 } from './exact-json.ts'
import { hex64 } from './hex.ts'
import { POLARITY_NAMES, type Polarity } from './polarity.ts'

export type ParsedShares = { readonly ok: true; readonly shares: readonly Share[] } | { readonly ok: false; readonly reason: string }

const SCHEMA = 'sgsd.share/1'
/** Length, checksum and the longest message. */
const MAX_BLOCKS = 2 + MAX_DISGUISED_BYTES / 8

/** A share as JSON shows it: 64-bit numbers are `0x` strings. */
export interface ShareDocument {
  readonly schema: typeof SCHEMA
  readonly share: string
  readonly start: string
  readonly blocks: readonly string[]
}

export function shareDocument({ polarity, start, blocks }: Share): ShareDocument {
  return { schema: SCHEMA, share: POLARITY_NAMES[polarity], start: hex64(start), blocks: blocks.map(hex64) }
}

/** Reads one share, one share a line, or a document with a list `shares`; says what is wrong with anything else. Total. */
export function parseShares(text: string): ParsedShares {
  const whole = parseExactJson(text)
  const documents = whole === undefined ? linesOf(text) : isRecord(whole) && Array.isArray(whole['shares']) ? (whole['shares'] as unknown[]) : [whole]
  if (documents.length === 0) return reject('there is nothing in it')
  const shares: Share[] = []
  for (const document of documents) {
    const share = parseShare(document)
    if (typeof share === 'string') return reject(share)
    shares.push(share)
  }
  return { ok: true, shares }
}

function linesOf(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseExactJson)
}

function parseShare(document: unknown): Share | string {
  if (document === undefined) return 'it is not JSON'
  if (!isRecord(document) || document['schema'] !== SCHEMA) return `schema is not ${SCHEMA}`
  const polarity = POLARITY_NAMES.indexOf(document['share'] as string)
  if (polarity < 0) return 'share is not MINUS, ERGODIC or PLUS'
  const start = u64(document['start'])
  if (start === undefined) return 'start is not a whole number of 64 bits'
  const list = document['blocks']
  if (!Array.isArray(list) || list.length > MAX_BLOCKS) return `blocks is not a list of up to ${MAX_BLOCKS} numbers`
  const blocks: bigint[] = []
  for (const [place, entry] of list.entries()) {
    const block = u64(entry)
    if (block === undefined) return `block ${place} is not a whole number of 64 bits`
    blocks.push(block)
  }
  return { polarity: polarity as Polarity, start, blocks }
}

function reject(reason: string): ParsedShares {
  return { ok: false, reason: `not a share: ${reason}` }
}
