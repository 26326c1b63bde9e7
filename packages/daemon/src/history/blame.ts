import type { HistoryCompute, LatticeCompute } from '@sgsd/compute'
import { type BlockId, type LayerId, type LayerManifest, type PeerName, ruleOf } from '@sgsd/consensus'
import type { Core } from '../core.ts'
import { DaemonError } from '../daemon-error.ts'
import type { BlamedLayer, BlameDocument } from './documents.ts'
import type { LayerShelf } from './layer-shelf.ts'
import type { LineSearch } from './line-search.ts'
import { spanOf } from './rows.ts'

/** Layers of one member that are looked at, newest first. */
const MAX_LAYERS = 4_096
/** Layers named for one member, lines shown for one layer, edges shown of a row. */
const MAX_NAMED = 32
const MAX_LINES = 8
const MAX_EDGES = 12
const MAX_SPANS = 16

export interface BlameParts {
  readonly core: Core
  readonly shelf: LayerShelf
  readonly compute: Pick<HistoryCompute, 'edge' | 'rowsOf' | 'characters'>
  readonly lattice: Pick<LatticeCompute, 'consensusRow'>
  readonly search: LineSearch
  readonly nameOf: (peer: PeerName) => string
}

interface Edge {
  readonly character: string
  readonly row: number
  readonly radical: number
}

/** What a member's layer says of an edge. */
interface Said {
  readonly count: number
  readonly backward: number
  readonly tau: number
  readonly rho: number
}

const NOTHING: Said = { count: 0, backward: 0, tau: 0, rho: 0 }

/** From an edge of the consensus to the members that speak for it, their layers, and the lines of text that these learned. */
export class Blame {
  readonly #parts: BlameParts

  constructor(parts: BlameParts) {
    this.#parts = parts
  }

  /** @param row, column - a character, or the number of a row. @throws DaemonError TEXT_UNKNOWN */
  async of(
    row: string,
    column: string | undefined,
    consensus: string,
    heads: readonly { author: PeerName; layer: LayerId }[],
  ): Promise<BlameDocument> {
    const { core, compute, lattice, nameOf } = this.#parts
    const target = await this.#place(row)
    const source = column === undefined ? undefined : await this.#place(column)
    const { tau, rho } = await lattice.consensusRow(target.row)
    const weights = new Map<number, { tau: number; rho: number }>()
    for (const { column: c, weight } of tau) weights.set(c, { tau: weight, rho: 0 })
    for (const { column: c, weight } of rho) weights.set(c, { tau: weights.get(c)?.tau ?? 0, rho: weight })
    const shown =
      source === undefined
        ? [...weights].sort(([a, x], [b, y]) => Math.max(y.tau, y.rho) - Math.max(x.tau, x.rho) || a - b).slice(0, MAX_EDGES)
        : [[source.row, weights.get(source.row) ?? { tau: 0, rho: 0 }] as const]
    const characters = new Map((await compute.characters(shown.map(([c]) => c))).map((each) => [each.row, each.character]))
    const members: BlameDocument['members'][number][] = []
    for (const { author, layer } of source === undefined ? [] : heads) {
      const member = await this.#member(layer, target, source!)
      if (member !== undefined) members.push({ peer: author, name: nameOf(author), self: author === core.state.self, layer, ...member })
    }
    const weight = (said: Said): number => said.count + said.backward / 2 + said.tau + said.rho
    return {
      schema: 'sgsd.blame/1',
      row: target,
      column: source === undefined ? null : { character: source.character, row: source.row },
      consensus,
      rule: ruleOf(core.state.genesis.foldId),
      edges: shown.map(([c, edge]) => ({ character: characters.get(c) ?? '', column: c, ...edge })),
      members: members.sort((a, b) => weight(b) - weight(a) || (a.peer < b.peer ? -1 : 1)),
    }
  }

  async #place(name: string): Promise<Edge> {
    const { compute } = this.#parts
    const [place] = /^\d+$/.test(name) ? await compute.characters([Number(name)]) : await compute.rowsOf(name)
    if (place === undefined)
      throw new DaemonError('TEXT_UNKNOWN', `the lattice has no row for ${name}`, 'name one Chinese character, or the number of a row')
    return place
  }

  /** Walks a member's layers back, newest first, for as long as they say anything of the edge. */
  async #member(head: LayerId, row: Edge, column: Edge): Promise<(Said & { layers: readonly BlamedLayer[]; ends: string }) | undefined> {
    const { shelf } = this.#parts
    const author = (await shelf.manifest(head))?.author
    let layer: LayerId | undefined = head
    let manifest = await shelf.manifest(head)
    const now = manifest === undefined ? undefined : await this.#said(manifest, row, column)
    if (manifest === undefined || now === undefined || isNothing(now)) return undefined
    let said: Said | undefined = now
    const layers: BlamedLayer[] = []
    let ends = ''
    for (let walked = 0; layer !== undefined && manifest !== undefined; walked++) {
      if (walked >= MAX_LAYERS || layers.length >= MAX_NAMED) {
        ends = `older layers were not looked at: ${layers.length} are named`
        break
      }
      const parent: LayerId | undefined = manifest.parents[0]
      const older: LayerManifest | undefined = parent === undefined ? undefined : await shelf.manifest(parent)
      const before: Said | undefined =
        parent === undefined ? NOTHING : older === undefined ? undefined : await this.#before(manifest, older, said, row, column)
      if (said === undefined || before === undefined || !isSame(said, before)) {
        const change = await this.#change(layer, manifest, said, before, row, column)
        if (change !== undefined) layers.push(change)
      }
      if (before !== undefined && isNothing(before)) break
      if (parent !== undefined && older === undefined) ends = `layer ${parent.slice(0, 12)}… and what came before it is not known here`
      if (older !== undefined && older.author !== author) ends = `layer ${parent!.slice(0, 12)}… is another member's: it was forked`
      if (ends !== '') break
      layer = parent
      manifest = older
      said = before
    }
    return { ...now, layers, ends }
  }

  /** What the parent says: the same where the blocks are the same. Undefined where its rows are no longer here. */
  async #before(child: LayerManifest, parent: LayerManifest, said: Said | undefined, row: Edge, column: Edge): Promise<Said | undefined> {
    const same = [row, column].every(({ radical }) => blockOf(child, radical) === blockOf(parent, radical))
    return same ? said : this.#said(parent, row, column)
  }

  async #said(manifest: LayerManifest, row: Edge, column: Edge): Promise<Said | undefined> {
    const { compute, shelf } = this.#parts
    const edge = async (from: Edge, to: Edge): Promise<Partial<Said> | undefined> => {
      const id = blockOf(manifest, from.radical)
      if (id === undefined) return {}
      const bytes = await shelf.block(id)
      return bytes === undefined ? undefined : compute.edge(bytes, from.row, to.row)
    }
    const there = await edge(row, column)
    const back = manifest.params.rule === 'evidence' ? await edge(column, row) : {}
    if (there === undefined || back === undefined) return undefined
    return { ...NOTHING, ...there, backward: back.count ?? 0 }
  }

  /** How a layer changed the edge; undefined where only its lineage is left and no line of it that is here has the pair. */
  async #change(
    layer: LayerId,
    manifest: LayerManifest,
    said: Said | undefined,
    before: Said | undefined,
    row: Edge,
    column: Edge,
  ): Promise<BlamedLayer | undefined> {
    const { shelf, search } = this.#parts
    const lineage = (await shelf.lineage(manifest)) ?? []
    const how = said === undefined || before === undefined ? 'lineage' : 'blocks'
    const lines = []
    for (const span of lineage) {
      if (lines.length >= MAX_LINES) break
      lines.push(...(await search.pairs(span, row.character, column.character, MAX_LINES - lines.length)))
    }
    const unseen = lineage.some(({ segment }) => !search.has(segment))
    if (how === 'lineage' && lines.length === 0 && !unseen) return undefined
    const value = (each: Said | undefined): number | null => (each === undefined ? null : manifest.params.rule === 'evidence' ? each.count : each.tau)
    const spans = lineage.slice(0, MAX_SPANS).map((span) => spanOf(span, search))
    return { layer, seq: String(manifest.seq), before: value(before), after: value(said), how, spans, lines }
  }
}

function blockOf({ blocks }: LayerManifest, radical: number): BlockId | undefined {
  return blocks.find((block) => block.radical === radical)?.block
}

function isNothing({ count, backward, tau, rho }: Said): boolean {
  return count === 0 && backward === 0 && tau === 0 && rho === 0
}

function isSame(a: Said, b: Said): boolean {
  return a.count === b.count && a.backward === b.backward && a.tau === b.tau && a.rho === b.rho
}
