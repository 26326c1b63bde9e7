import type { CommitDraft } from '@sgsd/compute'
import { type BlockId, type LayerId, type LayerManifest, layerParams } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import { encodeLineage, encodeManifest, type Lineage } from '@sgsd/wire'
import type { Core } from '../core.ts'

/** Puts a layer on disk: its blocks, its lineage, and the manifest that names them, as the child of the own head. Nobody hears of it yet. */
export async function storeLayer(
  { state, meshId }: Pick<Core, 'state' | 'meshId'>,
  store: Pick<BlockStore, 'put' | 'putMany'>,
  draft: CommitDraft,
  lineage: Lineage,
): Promise<{ readonly manifest: LayerManifest; readonly layer: LayerId }> {
  const content = [draft.state, encodeLineage(lineage), ...draft.radicals.map(({ bytes }) => bytes)]
  const [stateId, lineageId, ...rowIds] = (await store.putMany(content)) as [BlockId, BlockId, ...BlockId[]]
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
    lineage: lineageId,
    scores: { lines: BigInt(draft.lines), mean: draft.meanScore },
    state: stateId,
    blocks: draft.radicals.map(({ radical, rows, nnz }, i) => ({ radical, rows, nnz, block: rowIds[i]! })),
  }
  // a manifest is a block, and the layer's id is the block's
  return { manifest, layer: await store.put(encodeManifest(manifest)) }
}
