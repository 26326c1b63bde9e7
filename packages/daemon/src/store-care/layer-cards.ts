import type { BlockId, LayerId, LayerManifest, PeerName } from '@sgsd/consensus'
import { type BlockStore, isStoreError } from '@sgsd/store'
import { parseManifest } from '@sgsd/wire'

/** What care needs of an old layer: some 400 bytes instead of the manifest's 8,000. */
export interface LayerCard {
  readonly author: PeerName
  readonly parents: readonly LayerId[]
  readonly lineage: BlockId
}

/** Cards remembered; about 20 MB when full. */
const MAX_CARDS = 50_000

/** Reads manifests. A layer never changes, so what was read once is remembered. */
export class LayerCards {
  readonly #blocks: Pick<BlockStore, 'get' | 'has'>
  readonly #cards = new Map<LayerId, LayerCard>()

  constructor(blocks: Pick<BlockStore, 'get' | 'has'>) {
    this.#blocks = blocks
  }

  /** @returns undefined where the manifest is not here, or is none */
  async card(layer: LayerId): Promise<LayerCard | undefined> {
    const known = this.#cards.get(layer)
    if (known !== undefined) return this.#blocks.has(layer) ? known : undefined
    const manifest = await this.manifest(layer)
    if (manifest === undefined) return undefined
    const { author, parents, lineage } = manifest
    if (this.#cards.size >= MAX_CARDS) this.#cards.delete(this.#cards.keys().next().value!)
    this.#cards.set(layer, { author, parents, lineage })
    return this.#cards.get(layer)
  }

  /** @returns undefined where it is not here, was damaged (and set aside), or is none */
  async manifest(layer: LayerId): Promise<LayerManifest | undefined> {
    try {
      const bytes = await this.#blocks.get(layer)
      const verdict = bytes === undefined ? undefined : parseManifest(bytes)
      return verdict?.type === 'accept' ? verdict.value : undefined
    } catch (error) {
      if (isStoreError(error, 'BLOCK_CORRUPT')) return undefined
      throw error
    }
  }
}
