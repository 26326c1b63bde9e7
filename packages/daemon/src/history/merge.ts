import type { HistoryCompute, HistoryMember, MergedRows } from '@sgsd/compute'
import { type BlockId, type Contributors, joinContributors, type LayerId, layerParams, type LayerManifest, sameContributors } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import { encodeLineage, encodeManifest } from '@sgsd/wire'
import type { Core } from '../core.ts'
import { DaemonError } from '../daemon-error.ts'
import type { LayerMergeDocument } from './documents.ts'
import type { LayerShelf } from './layer-shelf.ts'

export interface MergeParts {
  readonly core: Core
  readonly shelf: LayerShelf
  readonly blocks: Pick<BlockStore, 'put' | 'putMany'>
  readonly compute: Pick<HistoryCompute, 'merge' | 'pairwise'>
  /** A contributor's layer with everything in it. */
  readonly member: (contribution: Contributors[number]) => Promise<HistoryMember>
  /** Keeps the new layer: nothing else does. */
  readonly keep: (layer: LayerId, note: string) => void
}

/**
 * Merges two layers into one with both as its parents. Its rows are the fold of the union of their contributors, of each the newest layer: a pure function of that
 * set, so that no order, grouping or repetition of merges matters. It is stored and kept, and is nobody's head.
 * @throws DaemonError LAYER_UNKNOWN | LAYER_INCOMPLETE | LAYER_REFUSED
 */
export async function mergeLayers(parts: MergeParts, a: LayerId, b: LayerId): Promise<LayerMergeDocument> {
  const { core, shelf, compute } = parts
  const [ofA, ofB] = [await shelf.contributors(a), await shelf.contributors(b)]
  const contributors = joinContributors(ofA, ofB)
  const parents = await Promise.all([a, b].map((layer) => shelf.require(layer)))
  for (const parent of parents) requireRule(core, parent)
  for (const [layer, set] of [
    [a, ofA],
    [b, ofB],
  ] as const) {
    if (sameContributors(set, contributors)) return document(layer, 'contained', contributors, await shelf.require(layer))
  }
  const members: HistoryMember[] = []
  for (const contribution of contributors) members.push(await parts.member(contribution))
  const layers = await Promise.all(contributors.map(({ layer }) => shelf.require(layer)))
  const { layer, manifest } = await store(parts, await compute.merge(members), [a, b], parents, layers, 'stable')
  parts.keep(layer, `merge of ${a.slice(0, 12)} and ${b.slice(0, 12)}`)
  return document(layer, 'merged', contributors, manifest)
}

/** (a + b)/2, the published algebra, for comparison. Its manifest says so by the profile `published`. */
export async function mergePairwise(parts: MergeParts, a: LayerId, b: LayerId): Promise<LayerMergeDocument> {
  const { core, shelf, compute } = parts
  const parents = await Promise.all([a, b].map((layer) => shelf.require(layer)))
  for (const parent of parents) requireRule(core, parent)
  const rows = await compute.pairwise(await shelf.content(a), await shelf.content(b))
  const { layer, manifest } = await store(parts, rows, [a, b], parents, parents, 'published')
  parts.keep(layer, `pairwise merge of ${a.slice(0, 12)} and ${b.slice(0, 12)}`)
  return document(layer, 'pairwise', joinContributors(await shelf.contributors(a), await shelf.contributors(b)), manifest)
}

/** @param of - the layers whose lines and scores it sums up */
async function store(
  { core, blocks }: MergeParts,
  { radicals, state }: MergedRows,
  parents: readonly LayerId[],
  parentManifests: readonly LayerManifest[],
  of: readonly LayerManifest[],
  profile: LayerManifest['params']['profile'],
): Promise<{ readonly layer: LayerId; readonly manifest: LayerManifest }> {
  const { genesis, self } = core.state
  const content = [state, encodeLineage([]), ...radicals.map(({ bytes }) => bytes)]
  const [stateId, lineage, ...rowIds] = (await blocks.putMany(content)) as [BlockId, BlockId, ...BlockId[]]
  const lines = of.reduce((sum, { scores }) => sum + scores.lines, 0n)
  const scored = of.reduce((sum, { scores }) => sum + scores.mean * Number(scores.lines), 0)
  const manifest: LayerManifest = {
    version: 1,
    mesh: core.meshId,
    kernel: genesis.latticeKernel,
    parents: [...parents].sort(),
    author: self,
    seq: parentManifests.reduce((most, { seq }) => (seq > most ? seq : most), 0n) + 1n,
    epoch: parentManifests.reduce((most, { epoch }) => (epoch > most ? epoch : most), 0n),
    params: { ...layerParams(genesis.foldId), profile },
    lineage,
    scores: { lines, mean: lines === 0n ? 0 : scored / Number(lines) },
    state: stateId,
    blocks: radicals.map(({ radical, rows, nnz }, i) => ({ radical, rows, nnz, block: rowIds[i]! })),
  }
  return { layer: await blocks.put(encodeManifest(manifest)), manifest }
}

function requireRule(core: Core, { params }: LayerManifest): void {
  const { rule } = layerParams(core.state.genesis.foldId)
  if (params.rule !== rule)
    throw new DaemonError('LAYER_REFUSED', `a layer learned by the rule ${params.rule} does not fit this mesh, which learns by ${rule}`, '')
}

function document(layer: LayerId, how: LayerMergeDocument['how'], contributors: Contributors, { blocks }: LayerManifest): LayerMergeDocument {
  return {
    schema: 'sgsd.layer-merge/1',
    layer,
    how,
    contributors: contributors.map((each) => ({ author: each.author, seq: String(each.seq), layer: each.layer })),
    radicals: blocks.length,
    rows: blocks.reduce((sum, block) => sum + block.rows, 0),
    nnz: blocks.reduce((sum, block) => sum + block.nnz, 0),
  }
}
