import type { BlockId, LayerId, MeshState, PeerName } from '@sgsd/consensus'
import type { Config } from '../config.ts'

/** Why blocks are kept. Everything that no root leads to is deleted in time. */
export type Root =
  | {
      readonly type: 'layer'
      readonly layer: LayerId
      /** Who has it, most likely. */
      readonly author: PeerName
      /** Of this layer and its ancestors fewer steps away than this, everything is kept: rows and state too. */
      readonly whole: number
      /** Beyond that, manifests and lineages, which are small, as long as these are no more layers than this in all. */
      readonly known: number
      /**
       * What it means when the layer is not here whole. `needed`: it is fetched again, and while its manifest is missing nothing is deleted, since nobody can
       * say what it names. `wanted`: it is fetched again. `coming`: somebody else is about to fetch it.
       */
      readonly when: 'needed' | 'wanted' | 'coming'
    }
  | { readonly type: 'block'; readonly kind: 'corpus' | 'leaves'; readonly block: BlockId; readonly author: PeerName }

/** What one part of the node wants to be kept, at this moment. */
export type RootSource = () => Iterable<Root>

/** Heads of all members with their latest history, and the leaves of the claims that are kept. */
export function meshRoots(state: () => Pick<MeshState, 'self' | 'heads' | 'ready' | 'claims'>, policy: Config['store']): RootSource {
  const { keepLayers: whole, keepHistory } = policy
  const known = Math.max(whole, keepHistory)
  return function* () {
    const { self, heads, ready, claims } = state()
    for (const { value } of ready.values()) yield { type: 'layer', layer: value.layer, author: value.author, whole, known, when: 'needed' }
    for (const { id, value } of heads.values()) {
      const { layer, author } = value
      if (ready.get(author)?.id !== id) yield { type: 'layer', layer, author, whole, known, when: author === self ? 'needed' : 'coming' }
    }
    for (const { value } of claims.values()) yield { type: 'block', kind: 'leaves', block: value.leaves, author: value.author }
  }
}

/** Segments of texts: those that are not learned yet, and with `farm.keepText` all others. */
export function corpusRoots(self: PeerName, blocks: () => Iterable<BlockId>): RootSource {
  return function* () {
    for (const block of blocks()) yield { type: 'block', kind: 'corpus', block, author: self }
  }
}
