import { openMemoryStore } from '@sgsd/store'
import { FarmLedger } from './ledger.ts'
import { SegmentBlocks } from './segment-blocks.ts'
import { TextTaker } from './take-text.ts'

/** A ledger in memory, blocks in memory, and a taker that notes what it tells. */
export interface FarmFixture {
  readonly ledger: FarmLedger
  readonly segments: SegmentBlocks
  readonly taker: TextTaker
  /** Calls of `onChange`. */
  readonly changes: (readonly [text: number, from: number | undefined])[]
}

export async function farmFixture(overlap: 0 | 1 = 1, freeBytes?: () => number): Promise<FarmFixture> {
  const { blocks } = await openMemoryStore()
  const ledger = new FarmLedger(':memory:')
  const segments = new SegmentBlocks(blocks, new Uint8Array(32).fill(1))
  if (freeBytes !== undefined) segments.freeBytes = () => Promise.resolve(freeBytes())
  const changes: [number, number | undefined][] = []
  const taker = new TextTaker({
    ledger,
    segments,
    overlap,
    onChange: (text, from) => changes.push([text, from]),
    signal: new AbortController().signal,
  })
  return { ledger, segments, taker, changes }
}

/** Bytes in pieces of the given lengths, again and again; then the error, if there is one. */
export async function* inPieces(bytes: Uint8Array, lengths: readonly number[], error?: Error): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = Math.max(1, lengths[i % lengths.length] ?? bytes.length)
    yield bytes.subarray(at, at + length)
    at += length
  }
  if (error !== undefined) throw error
}
