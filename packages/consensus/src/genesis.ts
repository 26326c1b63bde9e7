import type { ColourKernelId } from '@sgsd/color'
import type { PeerName } from './ids.ts'

/**
 * How a candidate becomes a member: `open` = knows the mesh id, `key` = holds the mesh key (bound into the Noise handshake), `vote` = holds the mesh key and
 * has shown a majority of the members that it computes.
 */
export type Admission = 'open' | 'key' | 'vote'

/**
 * Name and version of a fold rule: `mean/1`, `trimmed/1` and `median/1` fold weights that the Hebb rule learned, `evidence/1` sums counts.
 * docs/protocol.md §9
 */
export type FoldId = 'mean/1' | 'trimmed/1' | 'median/1' | 'evidence/1'

/** The immutable founding document of a mesh; its bytes' SHA-256 is the mesh id. docs/protocol.md */
export interface Genesis {
  /** 2 where members are voted in, so that there is a first one. */
  readonly version: 1 | 2
  /** `^[a-z0-9-]{1,32}$` */
  readonly name: string
  readonly colourSeed: bigint
  /** `turbo32` is refused for mining: it repeats after 2^32 indices. */
  readonly colourKernel: Exclude<ColourKernelId, 'turbo32'>
  /** Indices in a colour epoch, a multiple of 2^20. */
  readonly epochColours: bigint
  /** Hanzi kernel id, 64 hex digits. */
  readonly latticeKernel: string
  readonly foldId: FoldId
  readonly admission: Admission
  /** 16 random bytes, so that two meshes of one name differ; 32 hex digits. */
  readonly nonce: string
  /** The first member, in a mesh of version 2; absent in others. */
  readonly founder?: PeerName
}
