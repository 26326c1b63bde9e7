import type { BlockId, LayerId, PeerName } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import type { LayerCards } from './layer-cards.ts'
import type { Root, RootSource } from './roots.ts'

export type BlockKind = 'manifest' | 'rows' | 'state' | 'lineage' | 'corpus' | 'leaves'

/** A block that something leads to. */
export interface Mark {
  readonly kind: BlockKind
  /** The first author that led here: the peer to ask for the block. */
  readonly author: PeerName
  /** Named by something of this node, and of others. */
  own: boolean
  others: boolean
  /** Whole layers that name it. */
  layers: number
}

export interface Marks {
  readonly blocks: ReadonlyMap<BlockId, Mark>
  readonly layers: { readonly known: number; readonly whole: number }
  /** Blocks of roots that should be here and are not. */
  readonly missing: ReadonlyMap<BlockId, Mark>
  /** Layers without whose manifest nobody can say what may go. */
  readonly unsure: readonly LayerId[]
}

/** Follows every root to its blocks. Reads manifests only; a manifest that is not here ends its chain. */
export async function markBlocks(
  blocks: Pick<BlockStore, 'has'>,
  cards: LayerCards,
  sources: readonly RootSource[],
  self: PeerName,
  signal?: AbortSignal,
): Promise<Marks> {
  const marker = new Marker(blocks, cards, self)
  for (const source of sources) {
    for (const root of source()) {
      signal?.throwIfAborted()
      await marker.follow(root)
    }
  }
  return marker
}

class Marker implements Marks {
  readonly blocks = new Map<BlockId, Mark>()
  readonly missing = new Map<BlockId, Mark>()
  readonly unsure: LayerId[] = []
  readonly #store: Pick<BlockStore, 'has'>
  readonly #cards: LayerCards
  readonly #self: PeerName
  readonly #known = new Set<LayerId>()
  readonly #whole = new Set<LayerId>()

  constructor(store: Pick<BlockStore, 'has'>, cards: LayerCards, self: PeerName) {
    this.#store = store
    this.#cards = cards
    this.#self = self
  }

  get layers(): Marks['layers'] {
    return { known: this.#known.size, whole: this.#whole.size }
  }

  async follow(root: Root): Promise<void> {
    if (root.type === 'block') {
      this.#mark(root.block, root.kind, root.author)
      return
    }
    const seen = new Set([root.layer])
    let generation = [...seen]
    for (let steps = 0; generation.length > 0 && (steps < root.whole || (steps < root.known && seen.size <= root.known)); steps++) {
      const parents: LayerId[] = []
      for (const layer of generation) {
        const found = steps < root.whole ? await this.#layer(root, layer, steps === 0) : await this.#history(layer)
        for (const parent of found) if (!seen.has(parent)) parents.push(parent)
        for (const parent of found) seen.add(parent)
      }
      generation = parents
    }
  }

  /** Everything of a layer. @returns its parents */
  async #layer(root: Extract<Root, { type: 'layer' }>, layer: LayerId, isRoot: boolean): Promise<readonly LayerId[]> {
    const expected = isRoot && root.when !== 'coming'
    const manifest = await this.#cards.manifest(layer)
    if (manifest === undefined) {
      if (!isRoot) return []
      const mark = this.#mark(layer, 'manifest', root.author)
      if (expected) this.missing.set(layer, mark)
      if (root.when === 'needed') this.unsure.push(layer)
      return []
    }
    const { author, parents, lineage, state, blocks } = manifest
    const again = this.#whole.has(layer)
    this.#known.add(layer)
    this.#whole.add(layer)
    const content: [BlockId, BlockKind][] = [
      [layer, 'manifest'],
      [lineage, 'lineage'],
      [state, 'state'],
    ]
    for (const { block } of blocks) content.push([block, 'rows'])
    for (const [id, kind] of content) {
      const mark = this.#mark(id, kind, author)
      if (!again) mark.layers += 1
      if (expected && !this.#store.has(id)) this.missing.set(id, mark)
    }
    return parents
  }

  /** Manifest and lineage of a layer. @returns its parents */
  async #history(layer: LayerId): Promise<readonly LayerId[]> {
    const card = await this.#cards.card(layer)
    if (card === undefined) return []
    this.#known.add(layer)
    this.#mark(layer, 'manifest', card.author)
    this.#mark(card.lineage, 'lineage', card.author)
    return card.parents
  }

  #mark(id: BlockId, kind: BlockKind, author: PeerName): Mark {
    let mark = this.blocks.get(id)
    if (mark === undefined) this.blocks.set(id, (mark = { kind, author, own: false, others: false, layers: 0 }))
    if (author === this.#self) mark.own = true
    else mark.others = true
    return mark
  }
}
