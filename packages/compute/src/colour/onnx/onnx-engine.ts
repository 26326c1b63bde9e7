import { type ColourKernelId, GOLDEN } from '@sgsd/color'
import type { InferenceSession } from 'onnxruntime-node'
import { createSession, loadOrt, type Ort } from '../../onnx/ort.ts'
import { thisMachine } from '../../machine.ts'
import { type ColourEngine, EngineRefusal } from '../engine.ts'
import { colourGraph, GRAPH_KERNELS, unsignedArray } from './colour-graph.ts'

/**
 * Colours as an ONNX graph on ONNX Runtime's CPU provider, for comparison: CUDA has no kernels for shifts and bitwise operators, and
 * CoreML none for unsigned integers at all. A run blocks its thread.
 * @param asked - whether it was asked for by name: loading it takes some 50 MB, for an eighth of wasm's speed or less
 * @throws EngineRefusal
 */
export async function loadOnnxEngine(asked = false): Promise<ColourEngine> {
  const { ortFolder, platform, arch, exists } = thisMachine()
  if (ortFolder === undefined) throw new EngineRefusal('missing', 'the optional package onnxruntime-node is not installed')
  if (!exists(ortFolder)) throw new EngineRefusal('missing', `onnxruntime-node has no library for ${platform}-${arch}`)
  if (!asked) throw new EngineRefusal('off', 'the processor through ONNX Runtime, slower than wasm and not loaded; it serves when asked for by name')
  const ort = await loadOrt()
  return new OnnxEngine(ort, {
    spi64: await createSession(ort, colourGraph('spi64'), 'cpu'),
    turbo32: await createSession(ort, colourGraph('turbo32'), 'cpu'),
  })
}

type Numbers = Uint32Array | BigUint64Array

class OnnxEngine implements ColourEngine {
  readonly name = 'onnx'
  readonly about: string
  readonly batch = 1
  readonly #ort: Ort
  readonly #sessions: Readonly<Record<ColourKernelId, InferenceSession>>

  constructor(ort: Ort, sessions: Readonly<Record<ColourKernelId, InferenceSession>>) {
    this.about = `ONNX Runtime ${ort.env.versions.node ?? ort.env.versions.common}, CPU provider`
    this.#ort = ort
    this.#sessions = sessions
  }

  async xorRuns(kernel: ColourKernelId, seed: bigint, start: bigint, length: number, out: BigUint64Array): Promise<void> {
    const { block, shifts } = GRAPH_KERNELS[kernel]
    const last = BigInt(shifts[2])
    for (let run = 0; run < out.length; run++) {
      let xor = 0n
      for (let done = 0; done < length; done += block) {
        const base = seed + (start + BigInt(run) * BigInt(length) + BigInt(done) + 1n) * GOLDEN
        xor ^= length - done >= block ? await this.#block(kernel, base) : await this.#part(kernel, base, length - done)
      }
      out[run] = xor ^ (xor >> last)
    }
  }

  async close(): Promise<void> {
    for (const session of Object.values(this.#sessions)) await session.release()
  }

  /** XOR of the states of a whole block. */
  async #block(kernel: ColourKernelId, base: bigint): Promise<bigint> {
    const [xor] = await this.#run(kernel, base, 'xor')
    return BigInt(xor!)
  }

  /** XOR of the first `count` states of a block. */
  async #part(kernel: ColourKernelId, base: bigint, count: number): Promise<bigint> {
    const states = await this.#run(kernel, base, 'states')
    let xor = 0n
    for (let i = 0; i < count; i++) xor ^= BigInt(states[i]!)
    return xor
  }

  async #run(kernel: ColourKernelId, base: bigint, output: 'xor' | 'states'): Promise<Numbers> {
    const { element } = GRAPH_KERNELS[kernel]
    const input = new this.#ort.Tensor(element, unsignedArray(element, [base]), [1])
    const outputs = await this.#sessions[kernel].run({ base: input }, [output])
    return outputs[output]!.data as Numbers
  }
}
