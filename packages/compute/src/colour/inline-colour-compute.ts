import { setImmediate } from 'node:timers/promises'
import {
  CHUNK_COLOURS,
  chunkValue,
  type ColourKernelId,
  POLARITIES,
  rangeXor,
  triadicRun,
  TRIADIC_STRIDE,
  type TriadicProfile,
  twistSeed,
} from '@sgsd/color'
import { ComputeError } from '../compute-error.ts'
import { benchEach } from './engine-bench.ts'
import type { ColourCompute, EngineBench, EngineReport } from './port.ts'

/**
 * The port on the calling thread with the reference kernel, a chunk between two turns of the event loop: no thread, no start-up
 * time. For tests of whatever uses the port, with small ranges.
 */
export class InlineColourCompute implements ColourCompute {
  readonly threads = 1
  readonly engine = 'reference'
  readonly engines: readonly EngineReport[] = [{ engine: 'reference', state: 'active', why: 'plain JavaScript on the calling thread' }]
  readonly #closing = new AbortController()

  async chunkValues(kernel: ColourKernelId, seed: bigint, first: bigint, count: number, signal: AbortSignal): Promise<BigUint64Array> {
    if (!Number.isInteger(count) || count < 0) throw new RangeError(`${count} is not a number of chunks`)
    const values = new BigUint64Array(count)
    for (let chunk = 0; chunk < count; chunk++) {
      await this.#turn('chunkValues', signal)
      values[chunk] = chunkValue(kernel, seed, first + BigInt(chunk))
    }
    await this.#turn('chunkValues', signal)
    return values
  }

  async rangeXor(
    kernel: ColourKernelId,
    seed: bigint,
    start: bigint,
    count: bigint,
    signal: AbortSignal,
    onProgress?: (done: bigint) => void,
  ): Promise<bigint> {
    if (count < 0n) throw new RangeError(`a range cannot have ${count} colours`)
    let xor = 0n
    let done = 0n
    while (done < count) {
      await this.#turn('rangeXor', signal)
      const piece = count - done < CHUNK ? count - done : CHUNK
      xor ^= rangeXor(kernel, seed, start + done, piece)
      done += piece
      onProgress?.(done)
    }
    await this.#turn('rangeXor', signal)
    return xor
  }

  async triadic(seed: bigint, perPolarity: bigint, profile: TriadicProfile, signal: AbortSignal): Promise<bigint> {
    if (perPolarity < 0n) throw new RangeError(`a polarity cannot have ${perPolarity} colours`)
    let xor = 0n
    for (const polarity of POLARITIES) {
      const twisted = twistSeed(seed, polarity)
      xor ^= twisted
      for (let done = 0n; done < perPolarity; done += CHUNK) {
        await this.#turn('triadic', signal)
        const piece = perPolarity - done < CHUNK ? perPolarity - done : CHUNK
        xor ^= triadicRun(profile, twisted, BigInt(polarity) + TRIADIC_STRIDE * done, Number(piece))
      }
    }
    await this.#turn('triadic', signal)
    return xor
  }

  async benchEngines(
    kernels: readonly ColourKernelId[],
    ms: number,
    signal: AbortSignal,
    onResult?: (row: EngineBench) => void,
  ): Promise<readonly EngineBench[]> {
    await this.#turn('benchEngines', signal)
    return benchEach([this.engine], async () => new InlineColourCompute(), kernels, ms, signal, onResult)
  }

  async measure(kernel: ColourKernelId, ms: number, signal?: AbortSignal): Promise<number> {
    const began = performance.now()
    let chunks = 0
    do {
      await this.#turn('measure', signal)
      chunkValue(kernel, 0n, BigInt(chunks++))
    } while (performance.now() - began < ms)
    return (chunks * CHUNK_COLOURS * 1000) / (performance.now() - began)
  }

  async close(): Promise<void> {
    this.#closing.abort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #turn(call: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#closing.signal.aborted) throw new ComputeError('CLOSED', { call })
    await setImmediate()
    signal?.throwIfAborted()
    if (this.#closing.signal.aborted) throw new ComputeError('CLOSED', { call })
  }
}

const CHUNK = BigInt(CHUNK_COLOURS)
