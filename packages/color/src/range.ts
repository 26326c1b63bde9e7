import { GOLDEN, M1, M2, U64_MASK } from './constants.ts'
import { xorRun32, xorRun64 } from './halves.ts'
import { CHUNK_COLOURS, type ColourKernelId } from './kernel.ts'

/** Colours a run of the reference loops takes at once: a count they can hold exactly, whatever the range. */
const RUN_COLOURS = 1n << 32n

/**
 * XOR of the colours at start, start + stride, … (`count` of them): the reference that every engine is held to.
 *
 * XOR is its own inverse and ranges compose: rangeXor(s, a + b) = rangeXor(s, a) ^ rangeXor(s + a, b).
 * @param seed, start, stride - any bigints; indices wrap modulo 2^64 (`spi64`) or 2^32 (`turbo32`)
 * @param count - any bigint ≥ 0
 * @returns u64, or u32 for `turbo32`
 * @throws RangeError if count is negative
 */
export function rangeXor(kernel: ColourKernelId, seed: bigint, start: bigint, count: bigint, stride = 1n): bigint {
  if (count < 0n) throw new RangeError(`a range cannot have ${count} colours`)
  const step = stride * GOLDEN
  let base = seed + start * GOLDEN + GOLDEN
  let xor = 0n
  for (let left = count; left > 0n; left -= RUN_COLOURS) {
    const run = Number(left < RUN_COLOURS ? left : RUN_COLOURS)
    xor ^= kernel === 'spi64' ? xorRun64(base, step, run, { m1: M1, m2: M2 }) : BigInt(xorRun32(int32(base), int32(step), run))
    base = (base + BigInt(run) * step) & U64_MASK
  }
  return xor
}

/**
 * A range's fingerprint as the published benchmarks print it: seed ^ XOR of its colours.
 * @throws RangeError if count is negative
 */
export function rangeFingerprint(kernel: ColourKernelId, seed: bigint, start: bigint, count: bigint, stride = 1n): bigint {
  return (seed & U64_MASK) ^ rangeXor(kernel, seed, start, count, stride)
}

/**
 * XOR of the 2^20 colours of a chunk: the value a claim commits to and an audit recomputes.
 * @param chunk - absolute: its first index is chunk · 2^20
 */
export function chunkValue(kernel: ColourKernelId, seed: bigint, chunk: bigint): bigint {
  return rangeXor(kernel, seed, chunk * BigInt(CHUNK_COLOURS), BigInt(CHUNK_COLOURS))
}

function int32(x: bigint): number {
  return Number(BigInt.asIntN(32, x))
}
