import { ComputeError, type HistoryCompute, type HistoryMember } from '@sgsd/compute'
import { type Contributors, type LayerId, type LayerManifest, type PeerName } from '@sgsd/consensus'
import type { BlockFetcher } from '../block-fetcher.ts'
import { DaemonError } from '../daemon-error.ts'
import type { DaemonParts } from '../parts.ts'
import { Blame } from './blame.ts'
import { type Cloned, cloneLayer, findMember } from './clone.ts'
import { ConsensusLog, type ConsensusRecord } from './consensus-log.ts'
import type * as documents from './documents.ts'
import { forkLayer, type ForkParts } from './fork.ts'
import { LayerShelf } from './layer-shelf.ts'
import { historyRoots, KEPT_WINDOW } from './history-roots.ts'
import { type KeptTexts, LineSearch } from './line-search.ts'
import { mergeLayers, mergePairwise, type MergeParts } from './merge.ts'
import { consensusRow, layerRow, nameOf, spanOf } from './rows.ts'
import { AnswerSwap } from './swap.ts'
import { chooseRecord, refold, verifyLayer } from './verify.ts'

/** Layers that one answer lists. */
const MAX_LISTED = 1_000

export type HistoryParts = Pick<DaemonParts, 'core' | 'mesh' | 'store' | 'lattice' | 'events' | 'log' | 'pins' | 'merging' | 'care'> & {
  readonly fetcher: Pick<BlockFetcher, 'get'>
  readonly farming: ForkParts['farming']
  readonly compute: HistoryCompute
  readonly texts: KeptTexts
  /** Folds recorded. */
  readonly keep: number
  readonly signal: AbortSignal
  /** Wall clock, ms since 1970. */
  readonly clock: () => number
}

/** Layers and consensuses as they came about: what the commands `layer` and `consensus` ask for. */
export class History {
  readonly #parts: HistoryParts
  readonly #shelf: LayerShelf
  readonly #folds: ConsensusLog
  readonly #search: LineSearch
  readonly #swap: AnswerSwap
  readonly #blame: Blame

  constructor(parts: HistoryParts) {
    this.#parts = parts
    const { core, store, pins, lattice, compute, log, events, texts } = parts
    this.#folds = new ConsensusLog(store.items, parts.keep)
    this.#shelf = new LayerShelf(core, store.blocks, () => [
      ...pins.list().map(({ layer }) => layer),
      ...this.#folds.heads(KEPT_WINDOW).map(({ layer }) => layer),
    ])
    this.#search = new LineSearch(texts)
    this.#swap = new AnswerSwap(lattice, compute, log, events)
    this.#blame = new Blame({ core, shelf: this.#shelf, compute, lattice, search: this.#search, nameOf: (peer) => nameOf(core, peer) })
    parts.care.addRoots(historyRoots(this.#folds, pins))
  }

  /** What answers questions now. */
  get answersFrom(): documents.AnswersFrom {
    return this.#swap.current
  }

  /** Notes the fold that was just made. */
  folded(): void {
    const { merging, core, clock, log } = this.#parts
    const { current } = merging
    if (current === undefined) return
    const { id, fold, members } = current
    const heads = members.map(({ peer, seq, layer, weight }) => ({ author: peer, seq, layer, weight }))
    try {
      this.#folds.append({ id, digest: fold.digest, epoch: core.state.epoch, at: clock(), heads })
    } catch (error) {
      log.error({ error: (error as Error).message }, 'a fold cannot be recorded; the next one will be')
    }
  }

  async list(all: boolean): Promise<documents.LayersDocument> {
    const shown = all ? (await this.#shelf.graph()).order(this.#shelf.starts()).map(({ layer }) => layer) : this.#newest()
    const rows = await this.#rows(shown.slice(0, MAX_LISTED))
    return {
      schema: 'sgsd.layers/1',
      layers: all ? rows : rows.toSorted((a, b) => Number(b.head && b.self) - Number(a.head && a.self) || Number(b.head) - Number(a.head)),
      known: shown.length,
      more: shown.length > MAX_LISTED,
      answersFrom: this.#swap.current.id,
    }
  }

  /** Heads, then pinned layers. */
  #newest(): readonly LayerId[] {
    const { core, pins } = this.#parts
    return [...new Set([...Array.from(core.state.heads.values(), ({ value }) => value.layer), ...pins.list().map(({ layer }) => layer)])]
  }

  async log(from: string | undefined, most: number): Promise<documents.LayerLogDocument> {
    const starts = from === undefined ? this.#shelf.starts() : [await this.#shelf.find(from)]
    const graph = await this.#shelf.graph(starts)
    const order = graph.order(starts).map(({ layer }) => layer)
    const shown = order.slice(0, Math.min(most, MAX_LISTED))
    return {
      schema: 'sgsd.layer-log/1',
      layers: await this.#rows(shown),
      unknown: [...graph.unknownParents(shown)],
      more: shown.length < order.length,
    }
  }

  async show(name: string): Promise<documents.LayerDocument> {
    const { store } = this.#parts
    const layer = await this.#shelf.find(name)
    const manifest = await this.#shelf.require(layer)
    const { kernel, params, state, lineage, blocks } = manifest
    const contributors = await this.#shelf.contributors(layer).catch((error: unknown) => {
      if (error instanceof DaemonError && error.code === 'LAYER_INCOMPLETE') return null
      throw error
    })
    const spans = await this.#shelf.lineage(manifest)
    return {
      schema: 'sgsd.layer/1',
      row: await this.#row(layer, manifest),
      kernel,
      params,
      state,
      lineage,
      blocks: blocks.map((block) => ({ ...block, here: store.blocks.has(block.block) })),
      contributors: contributors?.map((each) => ({ author: each.author, seq: String(each.seq), layer: each.layer })) ?? null,
      learned: spans?.map((span) => spanOf(span, this.#search)) ?? null,
    }
  }

  async diff(nameA: string, nameB: string, top: number): Promise<documents.LayerDiffDocument> {
    const [a, b] = [await this.#shelf.find(nameA), await this.#shelf.find(nameB)]
    const [before, after] = [await this.#shelf.require(a), await this.#shelf.require(b)]
    const ids = ({ blocks }: LayerManifest): ReadonlyMap<number, LayerManifest['state']> =>
      new Map(blocks.map(({ radical, block }) => [radical, block]))
    const [ofA, ofB] = [ids(before), ids(after)]
    const radicals = [...new Set([...ofA.keys(), ...ofB.keys()])].sort((x, y) => x - y)
    const differ = radicals.filter((radical) => ofA.get(radical) !== ofB.get(radical))
    const read = async (layer: LayerId, id: LayerManifest['state'] | undefined): Promise<Uint8Array | undefined> => {
      if (id === undefined) return undefined
      const bytes = await this.#shelf.block(id)
      if (bytes !== undefined) return bytes
      throw new DaemonError(
        'LAYER_INCOMPLETE',
        `layer ${layer.slice(0, 16)}… is known here, but not all of its rows are`,
        `sgsd layer clone <peer> --layer ${layer.slice(0, 16)}`,
      )
    }
    const pairs = []
    for (const radical of differ) pairs.push({ radical, before: await read(a, ofA.get(radical)), after: await read(b, ofB.get(radical)) })
    const diff = await this.#parts.compute.diff(pairs, top)
    const sum = (of: 'rows' | 'edges'): { added: number; removed: number; changed: number } =>
      diff.radicals.reduce(
        (all, each) => ({ added: all.added + each[of].added, removed: all.removed + each[of].removed, changed: all.changed + each[of].changed }),
        {
          added: 0,
          removed: 0,
          changed: 0,
        },
      )
    const graph = await this.#shelf.graph([a, b])
    return {
      schema: 'sgsd.layer-diff/1',
      a: await this.#row(a, before),
      b: await this.#row(b, after),
      commonAncestors: graph.commonAncestors(a, b),
      rule: before.params.rule,
      same: radicals.length - differ.length,
      radicals: diff.radicals,
      rows: sum('rows'),
      edges: sum('edges'),
      top: diff.top,
    }
  }

  async verify(name: string): Promise<documents.LayerVerifyDocument> {
    const { compute, store } = this.#parts
    return verifyLayer({ shelf: this.#shelf, compute }, store.blocks, await this.#shelf.find(name))
  }

  async pin(name: string, pinned: boolean, note: string): Promise<documents.LayerPinDocument> {
    const { pins } = this.#parts
    const held = pins.list().find(({ layer }) => layer.startsWith(name))
    const layer = !pinned && held !== undefined ? held.layer : await this.#shelf.find(name)
    const before = pins.has(layer)
    if (pinned) pins.pin({ layer, author: (await this.#shelf.require(layer)).author, note })
    else pins.unpin(layer)
    return { schema: 'sgsd.layer-pin/1', layer, pinned, changed: before !== pinned }
  }

  blame(row: string, column: string | undefined): Promise<documents.BlameDocument> {
    const { current } = this.#parts.merging
    const heads = (current?.members ?? []).map(({ peer, layer }) => ({ author: peer, layer }))
    return this.#blame.of(row, column, current?.id ?? '', heads)
  }

  /** @throws DaemonError PEER_UNKNOWN | PEER_AMBIGUOUS | LAYER_UNKNOWN | JOIN_*; later failures are a `failed` line */
  async clone(from: string, name: string | undefined): Promise<AsyncGenerator<documents.CloneLine>> {
    const { core, mesh, store, fetcher, pins, signal } = this.#parts
    const peer = await findMember({ core, mesh }, from, signal)
    const wanted = name === undefined ? undefined : /^[0-9a-f]{64}$/.test(name) ? (name as LayerId) : await this.#shelf.find(name)
    const keep = (layer: LayerId, author: PeerName, note: string): void => {
      if (!pins.has(layer)) pins.pin({ layer, author, note })
    }
    const steps = cloneLayer({ core, mesh, blocks: store.blocks, fetcher, keep }, peer, wanted, signal)
    const row = (cloned: Cloned): Promise<documents.LayerRow> => this.#row(cloned.layer, cloned.manifest)
    return told(
      (async function* (): AsyncGenerator<documents.CloneLine> {
        for await (const step of steps) {
          if (step.event !== 'cloned') {
            yield step
            continue
          }
          const { layer, blocks, had } = step.cloned
          yield { event: 'end', document: { schema: 'sgsd.layer-clone/1', layer, peer, row: await row(step.cloned), blocks, had } }
        }
      })(),
    )
  }

  async fork(name: string): Promise<documents.LayerForkDocument> {
    const { core, store, lattice, farming } = this.#parts
    return forkLayer({ core, shelf: this.#shelf, blocks: store.blocks, lattice, farming }, await this.#shelf.find(name)).catch(refusedLayer)
  }

  async merge(nameA: string, nameB: string, pairwise: boolean): Promise<documents.LayerMergeDocument> {
    const { core, store, compute, pins } = this.#parts
    const [a, b] = [await this.#shelf.find(nameA), await this.#shelf.find(nameB)]
    const parts: MergeParts = {
      core,
      shelf: this.#shelf,
      blocks: store.blocks,
      compute,
      member: (contribution) => this.#member(contribution),
      keep: (layer, note) => pins.pin({ layer, author: core.state.self, note }),
    }
    return (pairwise ? mergePairwise(parts, a, b) : mergeLayers(parts, a, b)).catch(refusedLayer)
  }

  /** @param name - `consensus`, a layer, or a consensus of the past */
  async swap(name: string): Promise<documents.LayerSwapDocument> {
    if (name === 'consensus') return this.#swap.toConsensus()
    const layer = await this.#shelf.find(name).catch((error: unknown) => {
      if (error instanceof DaemonError && error.code === 'LAYER_UNKNOWN') return undefined
      throw error
    })
    if (layer !== undefined) {
      const { author, seq } = await this.#shelf.require(layer)
      return this.#swap.to('layer', layer, [await this.#member({ author, seq, layer })]).catch(refusedLayer)
    }
    if (this.#folds.find(name).length === 0) {
      throw new DaemonError('LAYER_UNKNOWN', `no layer and no recorded consensus begins with ${name}`, 'sgsd layer log, or sgsd consensus log')
    }
    const record = chooseRecord(this.#folds, name, undefined)
    const members = []
    for (const head of record.heads) members.push({ ...(await this.#member(head)), weight: head.weight })
    return this.#swap.to('past consensus', record.id, members).catch(refusedLayer)
  }

  folds(most: number): documents.ConsensusLogDocument {
    const folds = this.#folds.list(most).map((entry) => consensusRow(entry, entry.count))
    return { schema: 'sgsd.consensus-log/1', folds, kept: this.#folds.size }
  }

  async fold(id: string | undefined, at: string | undefined): Promise<documents.ConsensusDocument> {
    const { core, merging } = this.#parts
    const record = chooseRecord(this.#folds, id, at)
    const heads = []
    for (const { author, seq, layer, weight } of record.heads) {
      const manifest = await this.#shelf.manifest(layer)
      const missing = manifest === undefined ? -1 : this.#shelf.missing(layer, manifest).length
      heads.push({ author, name: nameOf(core, author), seq: String(seq), layer, weight, missing })
    }
    const current = merging.current?.id === record.id && merging.current.fold.digest === record.digest
    return { schema: 'sgsd.consensus/1', fold: consensusRow(record, heads.length), foldId: core.state.genesis.foldId, current, heads }
  }

  /** @throws DaemonError CONSENSUS_UNKNOWN | CONSENSUS_AMBIGUOUS; later failures are a `failed` line */
  refold(id: string | undefined, at: string | undefined): AsyncGenerator<documents.VerifyLine> {
    const record = chooseRecord(this.#folds, id, at)
    return told(this.#refold(record))
  }

  async *#refold(record: ConsensusRecord): AsyncGenerator<documents.VerifyLine> {
    const { core, compute, fetcher } = this.#parts
    const total = record.heads.length
    yield { event: 'started', id: record.id, heads: total }
    const steps = refold({ core, shelf: this.#shelf, compute, fetch: (block, prefer) => fetcher.get(block, prefer) }, record)
    for (;;) {
      const step = await steps.next()
      if (step.done !== true) {
        yield { event: 'progress', doing: step.value < total ? 'reading' : 'folding', done: step.value, total }
        continue
      }
      const { id, digest } = step.value
      const agrees = id === record.id && digest === record.digest
      yield { event: 'end', document: { schema: 'sgsd.consensus-verify/1', fold: consensusRow(record, total), agrees, ...step.value } }
      return
    }
  }

  async #member({ author, seq, layer }: Contributors[number]): Promise<HistoryMember> {
    const { fetcher } = this.#parts
    return { peer: author, seq, weight: 1, content: await this.#shelf.content(layer, (id) => fetcher.get(id, author)) }
  }

  async #rows(layers: readonly LayerId[]): Promise<documents.LayerRow[]> {
    const rows = []
    for (const layer of layers) {
      const manifest = await this.#shelf.manifest(layer)
      if (manifest !== undefined) rows.push(await this.#row(layer, manifest))
    }
    return rows
  }

  async #row(layer: LayerId, manifest: LayerManifest): Promise<documents.LayerRow> {
    const { core, merging, pins } = this.#parts
    const inConsensus = merging.current?.members.some((member) => member.layer === layer) === true
    return layerRow(core, layer, manifest, { inConsensus, pinned: pins.has(layer), missing: this.#shelf.missing(layer, manifest).length })
  }
}

/** The same lines; a failure is the last of them. */
async function* told<L>(lines: AsyncGenerator<L>): AsyncGenerator<L | documents.FailedLine> {
  try {
    yield* lines
  } catch (error) {
    const { code, message, hint = '' } = error as Partial<DaemonError> & Error
    yield { event: 'failed', code: typeof code === 'string' ? code : 'FAILED', message, hint }
  }
}

function refusedLayer(error: unknown): never {
  if (error instanceof ComputeError && error.code === 'LAYER_REFUSED') {
    const { layer, detail } = error.data as { readonly layer: string; readonly detail: string }
    throw new DaemonError('LAYER_REFUSED', `${layer.slice(0, 16)} is refused: ${detail}`, 'sgsd layer verify says what is wrong with a layer', {
      cause: error,
    })
  }
  throw error
}
