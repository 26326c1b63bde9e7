/** Largest block, uncompressed bytes (64 MiB): a row block of the heaviest radical is about 1 MiB, leaves of a claim at most 32 MiB; docs/protocol.md. */
export const MAX_BLOCK_BYTES: number = 64 * 2 ** 20

/** Largest compressed form of it: zstd's bound (1/256 more) and room for headers. */
export const MAX_PACKED_BYTES: number = MAX_BLOCK_BYTES + (MAX_BLOCK_BYTES >>> 8) + 65_536
