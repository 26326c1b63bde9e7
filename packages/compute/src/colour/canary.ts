import type { ColourKernelId } from '@sgsd/color'
import type { ColourEngine } from './engine.ts'

/** A question whose answer is known. */
export interface CanaryCase {
  readonly kernel: ColourKernelId
  readonly seed: bigint
  readonly start: bigint
  /** Colours in each run. */
  readonly length: number
  /** XOR of each of the runs, which follow one another. */
  readonly answers: readonly bigint[]
}

/**
 * Odd starts and lengths that are no multiple of any lane count, single colours, ranges across 2^32 and 2^64, and several
 * runs in one call. The answers were computed colour by colour with bigints; a test recomputes them.
 */
export const CANARY: readonly CanaryCase[] = [
  { kernel: 'spi64', seed: 0x0n, start: 0x0n, length: 1, answers: [0xe220a8397b1dcdafn] },
  { kernel: 'spi64', seed: 0x6de8a9n, start: 0x7n, length: 13, answers: [0xa139d33dd9232e8n, 0x3563c8c84d27c8e3n, 0xe411a7492df0735an] },
  { kernel: 'spi64', seed: 0x6de8a9n, start: 0xfffffed3n, length: 601, answers: [0x25e8db31163bae77n] },
  { kernel: 'spi64', seed: 0x6761795f636f6c6fn, start: 0xfffffffffffffc15n, length: 1009, answers: [0x6e1936bf086a2f0en, 0x942fac2c3656080en] },
  { kernel: 'spi64', seed: 0xffffffffffffffffn, start: 0x8000000000003039n, length: 65_537, answers: [0xb23546f8e9092ac8n] },
  { kernel: 'turbo32', seed: 0x0n, start: 0x0n, length: 1, answers: [0x58a4f858n] },
  { kernel: 'turbo32', seed: 0x6de8a9n, start: 0x7n, length: 41, answers: [0x26d4a4efn, 0x5c7e50f8n, 0x102e276cn] },
  { kernel: 'turbo32', seed: 0x6de8a9n, start: 0xfffffed3n, length: 601, answers: [0x7b2e47e0n] },
  { kernel: 'turbo32', seed: 0x6761795f636f6c6fn, start: 0xfffffffffffffc15n, length: 1009, answers: [0xb0f017e0n, 0x17c34b7bn] },
  { kernel: 'turbo32', seed: 0xffffffffffffffffn, start: 0x7fffcfc7n, length: 65_537, answers: [0xff4e5ad7n] },
]

/** Where an engine is wrong: the first case it fails, in words; undefined when it passes them all. */
export async function canaryFault(engine: ColourEngine, cases: readonly CanaryCase[] = CANARY): Promise<string | undefined> {
  for (const { kernel, seed, start, length, answers } of cases) {
    const out = new BigUint64Array(answers.length)
    await engine.xorRuns(kernel, seed, start, length, out)
    const wrong = out.findIndex((xor, run) => xor !== answers[run])
    if (wrong >= 0) {
      return `${kernel}, seed ${seed}, ${length} colours from ${start + BigInt(wrong * length)}: XOR ${hex(out[wrong])}, known to be ${hex(answers[wrong])}`
    }
  }
  return undefined
}

function hex(xor: bigint | undefined): string {
  return `0x${(xor ?? 0n).toString(16)}`
}
