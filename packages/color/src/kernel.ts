/** Name of a colour kernel: a pure function (seed, index) → colour. `spi64` yields u64, `turbo32` u32. */
export type ColourKernelId = 'spi64' | 'turbo32'

/** Consecutive indices in a chunk, the unit of claims and audits. */
export const CHUNK_COLOURS = 1_048_576
