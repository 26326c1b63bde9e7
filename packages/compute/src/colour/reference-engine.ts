import { rangeXor } from '@sgsd/color'
import type { ColourEngine } from './engine.ts'
import { plainTriadicRuns } from './work.ts'

/** The pure kernels of `@sgsd/color`: what disputes are settled with. */
export function loadReferenceEngine(): ColourEngine {
  return {
    name: 'reference',
    about: 'plain JavaScript',
    batch: 1,
    xorRuns(kernel, seed, start, length, out) {
      const count = BigInt(length)
      for (let run = 0; run < out.length; run++) out[run] = rangeXor(kernel, seed, start + BigInt(run) * count, count)
    },
    triadicRuns: plainTriadicRuns,
  }
}
