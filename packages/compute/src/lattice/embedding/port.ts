import type { LayerContent } from '../port.ts'

/** Lattices that are open for embedding at the same time; a learned one holds some 10 MB. */
export const MAX_EMBEDDERS = 4

/** What a slice of a batch came to. */
export interface EmbeddedSlice {
  /** Texts embedded, from the first on: at least one. */
  readonly texts: number
  /** Their vectors, one after another, each of length 1; all 0 for a text without known characters. */
  readonly vectors: Float32Array
  /** Indices of texts without known characters. */
  readonly unknown: readonly number[]
}

/**
 * Vectors of texts, in the consensus as it is when an embedder is opened, without what this member has learned since: equal consensus, equal bits. Work goes
 * slice by slice between other calls.
 */
export interface EmbeddingCompute {
  /**
   * @param over - the lattice is the consensus of this one layer; without it the running consensus
   * @throws ComputeError LAYER_REFUSED when the layer's content is not good, BUSY when MAX_EMBEDDERS are open already
   */
  openEmbedder(over?: LayerContent): Promise<number>
  /** Works for some milliseconds towards vectors of so many dimensions. @returns whether it is done @throws ComputeError CLOSED for one that is not open */
  prepareEmbedder(id: number, dimensions: number): Promise<boolean>
  /** Embeds as many of the texts as some milliseconds allow. Only after `prepareEmbedder` is done. @throws ComputeError CLOSED */
  embed(id: number, texts: readonly string[], dimensions: number): Promise<EmbeddedSlice>
  /** Forgets it; idempotent. */
  closeEmbedder(id: number): Promise<void>
}
