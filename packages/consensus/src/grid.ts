import { CHUNK_COLOURS } from '@sgsd/color'
import type { Genesis } from './genesis.ts'
import { MAX_EPOCH_CHUNKS } from './limits.ts'

/** Chunks of 2^20 colours in an epoch. */
export function chunksOfEpoch(genesis: Genesis): number {
  return Number(genesis.epochColours / BigInt(CHUNK_COLOURS))
}

/** A chunk counted from the beginning of the stream; its first index is 2^20 times that. */
export function absoluteChunk(genesis: Genesis, epoch: bigint, chunk: number): bigint {
  return epoch * (genesis.epochColours / BigInt(CHUNK_COLOURS)) + BigInt(chunk)
}

/** Whole chunks, at least one, at most `MAX_EPOCH_CHUNKS`. */
export function isEpochSize(colours: bigint): boolean {
  const chunk = BigInt(CHUNK_COLOURS)
  return colours >= chunk && colours % chunk === 0n && colours / chunk <= BigInt(MAX_EPOCH_CHUNKS)
}
