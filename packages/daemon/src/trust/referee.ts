import type { ColourCompute } from '@sgsd/compute'
import { absoluteChunk, type Genesis } from '@sgsd/consensus'

/**
 * Chunks on the reference arithmetic of docs/protocol.md §1.4, which no fast engine has a part in: about 20 ms each, on a thread of its own that is
 * started by the first. It settles disputes, and checks this node's own engine before a claim is signed.
 */
export class Referee implements AsyncDisposable {
  readonly #open: () => Promise<ColourCompute>
  readonly #genesis: Genesis
  readonly #signal: AbortSignal
  #compute: Promise<ColourCompute> | undefined

  /** @param open - one thread with the engine `reference` */
  constructor(open: () => Promise<ColourCompute>, genesis: Genesis, signal: AbortSignal) {
    this.#open = open
    this.#genesis = genesis
    this.#signal = signal
  }

  /**
   * @param chunk - counted in its epoch
   * @throws ComputeError when no thread can be had; the next call tries again
   */
  async value(epoch: bigint, chunk: number): Promise<bigint> {
    const { colourKernel, colourSeed } = this.#genesis
    this.#signal.throwIfAborted()
    this.#compute ??= this.#open()
    const compute = await this.#compute.catch((error: unknown) => {
      this.#compute = undefined
      throw error
    })
    const [value] = await compute.chunkValues(colourKernel, colourSeed, absoluteChunk(this.#genesis, epoch, chunk), 1, this.#signal)
    return value!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#compute?.then(
      (compute) => compute.close(),
      () => {},
    )
  }
}
