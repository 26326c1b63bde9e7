import type { LatticeCompute } from '@sgsd/compute'
import { type Head, type LayerId, type LayerManifest, ruleOf } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import { encodeLineage, encodeManifest } from '@sgsd/wire'
import type { Core } from '../core.ts'
import { DaemonError } from '../daemon-error.ts'
import type { LayerForkDocument } from './documents.ts'
import type { LayerShelf } from './layer-shelf.ts'
import { nameOf } from './rows.ts'

export interface ForkParts {
  readonly core: Core
  readonly shelf: LayerShelf
  readonly blocks: Pick<BlockStore, 'put'>
  readonly lattice: Pick<LatticeCompute, 'restore'>
  readonly farming: {
    /** Runs work while nothing is learned, with all that was learned before committed. */
    between<T>(work: () => Promise<T>): Promise<T>
    /** Looks at the own head anew. */
    load(): void
    restored(meanScore: number): void
  }
}

/**
 * Goes on from a layer: the own head becomes a commit of its rows with it as the parent, and learning continues on them.
 *
 * Counts belong to the member that made them: in a mesh of the fold `evidence/1` a foreign layer is already summed in as its author's, and a copy of it under this
 * member's name would count every line twice. There only own layers can be forked, which is going back to one.
 * @throws DaemonError FORK_FOREIGN | FORK_MERGE | LAYER_UNKNOWN | LAYER_INCOMPLETE
 */
export async function forkLayer(parts: ForkParts, from: LayerId): Promise<LayerForkDocument> {
  const { core, shelf, farming } = parts
  const manifest = await shelf.require(from)
  const reason = refusal(core, from, manifest)
  if (reason !== undefined) throw reason
  const content = await shelf.content(from)
  return farming.between(async () => {
    const { self, heads, epoch } = core.state
    const before = heads.get(self)?.value
    if (before?.layer === from) throw new DaemonError('FORK_HEAD', `layer ${from.slice(0, 16)}… is the own head already`, 'sgsd layer log')
    const next: LayerManifest = {
      ...manifest,
      parents: [from],
      author: self,
      seq: (before?.seq ?? 0n) + 1n,
      epoch,
      lineage: await parts.blocks.put(encodeLineage([])),
    }
    const layer = await parts.blocks.put(encodeManifest(next))
    await parts.lattice.restore(content, Number(manifest.scores.lines), manifest.scores.mean)
    const head: Head = { author: self, seq: next.seq, layer, radicals: next.blocks.map(({ radical }) => radical) }
    core.author({ kind: 'head', value: head })
    farming.load()
    farming.restored(manifest.scores.mean)
    return { schema: 'sgsd.layer-fork/1', layer, from, seq: String(next.seq), before: before?.layer ?? '' }
  })
}

function refusal(core: Core, layer: LayerId, { author, parents }: LayerManifest): DaemonError | undefined {
  if (ruleOf(core.state.genesis.foldId) !== 'evidence') return undefined
  const short = `${layer.slice(0, 16)}…`
  if (author !== core.state.self) {
    return new DaemonError(
      'FORK_FOREIGN',
      `layer ${short} is ${nameOf(core, author)}'s: this mesh sums counts, and a copy of them would count its lines twice`,
      `sgsd layer swap ${layer.slice(0, 16)} answers from it; sgsd layer merge puts layers together`,
    )
  }
  if (parents.length > 1) {
    return new DaemonError(
      'FORK_MERGE',
      `layer ${short} is a merge: it holds counts of other members, which would be counted twice`,
      `sgsd layer swap ${layer.slice(0, 16)} answers from it`,
    )
  }
  return undefined
}
