import type { CommitDraft } from '@sgsd/compute'
import { type LayerId, type LayerManifest, layerParams } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import { encodeLineage, encodeManifest, type Lineage } from '@sgsd/wire'
import type { Core } from '../core.ts'

/** Puts a layer on disk: its blocks, its lineage, and the manifest that names them, as the child of the own head. Nobody hears of it yet. */
export async function storeLayer(
  { state, meshId }: Pick<Core, 'state' | 'meshId'>,
  store: Pick<BlockStore, 'put'>,
  draft: CommitDraft,
  lineage: Lineage,
): Promise<{ readonly manifest: LayerManifest; readonly layer: LayerId }> {
  const blocks: LayerManifest['blocks'][number][] = []
  for (const { radical, rows, nnz, bytes } of draft.radicals) blocks.push({ radical, rows, nnz, block: await store.put(bytes) })
  const { self, heads, epoch, genesis } = state
  const parent = heads.get(self)?.value
  const manifest: LayerManifest = {
    version: 1,
    mesh: meshId,
    kernel: genesis.latticeKernel,
    parents: parent === undefined ? [] : [parent.layer],
    author: self,
    seq: (parent?.seq ?? 0n) + 1n,
    epoch,
    params: layerParams(genesis.foldId),
    lineage: await store.put(encodeLineage(lineage)),
    scores: { lines: BigInt(draft.lines), mean: draft.meanScore },
    state: await store.put(draft.state),
    blocks,
  }
  // a manifest is a block, and the layer's id is the block's
  return { manifest, layer: await store.put(encodeManifest(manifest)) }
}
