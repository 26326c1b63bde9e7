import { cover, EmbeddingSpace, type HanziKernel, MAX_DIMENSIONS } from '@sgsd/lattice'
import type { FoldId } from '@sgsd/consensus'
import { ComputeError } from '../../compute-error.ts'
import type { LayerContent } from '../port.ts'
import type { ProgramLattice } from '../programs/program-run.ts'
import type { ProgramSource } from '../programs/programs.ts'
import { type EmbeddedSlice, MAX_EMBEDDERS } from './port.ts'
import { projectionSigns } from './projection-signs.ts'

/** How long a slice runs, ms: other calls wait no longer for it than for a farmed line. */
const SLICE_MS = 20

interface Embedder {
  readonly space: EmbeddingSpace
  /** The preparation under way, and for how many dimensions. */
  preparing: { readonly dimensions: number; readonly work: Generator<void> } | undefined
}

/** The lattices that are open for embedding in the lattice worker. */
export class Embedders {
  readonly #kernel: HanziKernel
  readonly #foldId: FoldId
  readonly #source: ProgramSource
  readonly #open = new Map<number, Embedder>()
  #nextId = 0

  constructor(kernel: HanziKernel, foldId: FoldId, source: ProgramSource) {
    this.#kernel = kernel
    this.#foldId = foldId
    this.#source = source
  }

  open(over: LayerContent | undefined): number {
    if (this.#open.size >= MAX_EMBEDDERS) throw new ComputeError('BUSY', { what: 'embedders', limit: MAX_EMBEDDERS })
    const lattice = over === undefined ? this.#source.consensus : this.#latticeOf(over)
    const id = this.#nextId++
    this.#open.set(id, {
      space: new EmbeddingSpace({ ...lattice, evidence: this.#foldId === 'evidence/1' }, projectionSigns),
      preparing: undefined,
    })
    return id
  }

  prepare(id: number, dimensions: number): boolean {
    const embedder = this.#find(id, 'prepareEmbedder')
    const until = performance.now() + SLICE_MS
    while (!embedder.space.ready(dimensions)) {
      // one at a time: what is under way for fewer dimensions is finished first, and gone on from
      embedder.preparing ??= { dimensions, work: embedder.space.prepare(dimensions) }
      if (embedder.preparing.work.next().done === true) embedder.preparing = undefined
      if (performance.now() > until) break
    }
    return embedder.space.ready(dimensions)
  }

  embed(id: number, texts: readonly string[], dimensions: number): EmbeddedSlice {
    const { space } = this.#find(id, 'embed')
    if (!(dimensions >= 1 && dimensions <= MAX_DIMENSIONS)) throw new RangeError(`vectors of ${dimensions} dimensions`)
    const until = performance.now() + SLICE_MS
    const vectors = new Float32Array(texts.length * dimensions)
    const unknown: number[] = []
    let done = 0
    while (done < texts.length) {
      const { rows } = cover(this.#kernel, texts[done]!)
      if (rows.length === 0) unknown.push(done)
      else space.embed(rows, vectors.subarray(done * dimensions, (done + 1) * dimensions))
      done++
      if (performance.now() > until) break
    }
    return { texts: done, vectors: done === texts.length ? vectors : vectors.slice(0, done * dimensions), unknown }
  }

  close(id: number): void {
    this.#open.delete(id)
  }

  #find(id: number, call: string): Embedder {
    const embedder = this.#open.get(id)
    if (embedder === undefined) throw new ComputeError('CLOSED', { call })
    return embedder
  }

  #latticeOf(content: LayerContent): ProgramLattice {
    const lattice = this.#source.consensusOf(content)
    if ('refusal' in lattice) throw new ComputeError('LAYER_REFUSED', { layer: content.layer, detail: lattice.refusal })
    return lattice
  }
}
