import type { ChunkRun } from './items.ts'
import { MAX_CLAIM_CHUNKS, U64_MAX } from './limits.ts'

/** A run that a claim may have, inside an epoch of so many chunks. */
export function isRun({ start, count }: ChunkRun, chunks: number): boolean {
  return isIndex(start, chunks) && Number.isInteger(count) && count >= 1 && count <= Math.min(MAX_CLAIM_CHUNKS, chunks - start)
}

/** A whole number in [0, end). */
export function isIndex(index: number, end: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < end
}

export function isU64(value: bigint): boolean {
  return value >= 0n && value <= U64_MAX
}
