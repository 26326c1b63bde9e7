import { MAX_BLOCK_BYTES } from '@sgsd/wire'

/** Largest compressed form of a block, bytes: zstd's bound (1/256 more than the block) and room for headers. */
export const MAX_PACKED_BYTES: number = MAX_BLOCK_BYTES + (MAX_BLOCK_BYTES >>> 8) + 65_536
