import { GOLDEN, TRIADIC_STRIDE } from '@sgsd/color'
import { COLOUR_WASM } from './colour-wasm.generated.ts'
import type { ColourEngine } from './engine.ts'

/** What packages/compute/assembly/colour.ts exports. i32 and i64 wrap on the way in and come back signed. */
interface ColourWasm {
  readonly turbo32: (base: number, step: number, count: number) => number
  readonly spi64: (base: bigint, step: bigint, count: number) => bigint
  readonly published: (base: bigint, step: bigint, count: number) => bigint
}

/**
 * WebAssembly SIMD128, there wherever V8 is. One call is one run: V8 replaces the baseline code of a function by optimised
 * code only between calls, and a thread can be stopped between them.
 * @throws WebAssembly.CompileError on a V8 without SIMD128
 */
export function loadWasmEngine(): ColourEngine {
  if (typeof WebAssembly === 'undefined') throw new Error('this Node was started without WebAssembly (--jitless)')
  const module = new WebAssembly.Module(Buffer.from(COLOUR_WASM, 'base64'))
  const { turbo32, spi64, published } = new WebAssembly.Instance(module).exports as unknown as ColourWasm
  return {
    name: 'wasm',
    about: 'WebAssembly SIMD128',
    batch: BATCH,
    xorRuns(kernel, seed, start, length, out) {
      const stride = BigInt(length) * GOLDEN
      let base = BigInt.asUintN(64, seed + start * GOLDEN + GOLDEN)
      for (let run = 0; run < out.length; run++) {
        out[run] = kernel === 'spi64' ? spi64(base, GOLDEN, length) : BigInt(turbo32(Number(base & LOW_32), GOLDEN_32, length) >>> 0)
        base = BigInt.asUintN(64, base + stride)
      }
    },
    triadicRuns(profile, seed, start, length, out) {
      const xor = profile === 'published' ? published : spi64
      const step = TRIADIC_STRIDE * GOLDEN
      let base = seed + start * GOLDEN + GOLDEN
      for (let run = 0; run < out.length; run++) {
        out[run] = xor(base, step, length)
        base = BigInt.asUintN(64, base + BigInt(length) * step)
      }
    },
  }
}

/** Chunks of a call: 1 ms of turbo32, 2 ms of spi64; what surrounds a call then costs under 2 %. */
const BATCH = 4

const LOW_32 = 0xffff_ffffn
const GOLDEN_32 = Number(GOLDEN & LOW_32)
