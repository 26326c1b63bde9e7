import { ComputeError, type LayerContent } from '@sgsd/compute'
import { consensusHeads, foldWeights, type LayerId, ruleOf } from '@sgsd/consensus'
import { type LayerOrigin, splitRowsBody } from '@sgsd/interop'
import { blockIdOf, encodeStateBlock, textName } from '@sgsd/wire'
import { DaemonError } from '../daemon-error.ts'
import { LayerFinder, LayerNotFound } from '../layer-finder.ts'
import type { DaemonParts } from '../parts.ts'
import type { HeadsDocument, LayerTaken, RowsTaken } from './documents.ts'
import { countedBefore, type ImportNote, ImportNotes } from './import-notes.ts'
import { packLayer } from './pack-layer.ts'
import { readBody } from './read-body.ts'
import { takeLayer } from './take-layer.ts'

/** Ancestors of the own head among which a layer is looked for whose announcement a crash may have cut off. */
const MAX_LOOKED_THROUGH = 4_096

/** What a file with rows says of itself. */
export interface RowsInfo {
  readonly name: string
  readonly origin: LayerOrigin | undefined
}

/** Layers on their way into and out of files, for the control API. */
export class LayerFiles {
  readonly #parts: DaemonParts
  readonly #signal: AbortSignal
  readonly #finder: LayerFinder
  readonly #notes: ImportNotes
  /** One file's rows at a time: what was counted before is looked up first. */
  #learning = false

  constructor(parts: DaemonParts, signal: AbortSignal) {
    this.#parts = parts
    this.#signal = signal
    this.#finder = new LayerFinder(parts.core, parts.store.blocks)
    this.#notes = new ImportNotes(parts.store.items)
  }

  heads(): HeadsDocument {
    const { core, merging, config } = this.#parts
    const { state } = core
    const weights = foldWeights(state)
    return {
      schema: 'sgsd.heads/1',
      mesh: core.meshId,
      kernel: state.genesis.latticeKernel,
      foldId: state.genesis.foldId,
      self: state.self,
      name: config.name,
      consensus: merging.current?.id === state.consensus ? state.consensus : '',
      digest: merging.current?.id === state.consensus ? merging.current.fold.digest : '',
      heads: consensusHeads(state).map(({ value: { author, seq, layer } }) => ({
        author,
        seq: String(seq),
        layer,
        weight: weights.get(author) ?? 1,
      })),
    }
  }

  /** @param prefix - hex digits that a layer's id begins with, or '' for the own head @throws DaemonError */
  async pack(prefix: string): Promise<AsyncIterable<Uint8Array>> {
    return packLayer(this.#parts, await this.#find(prefix))
  }

  /** @throws DaemonError IMPORT_REFUSED */
  async take(body: AsyncIterable<Uint8Array>): Promise<LayerTaken> {
    return takeLayer(this.#parts, await readBody(body), this.#signal)
  }

  /** Learns the rows of a file, as the next layer of this node. @throws DaemonError IMPORT_REFUSED */
  async takeRows({ name, origin }: RowsInfo, body: AsyncIterable<Uint8Array>): Promise<RowsTaken> {
    const { core, lattice, farming } = this.#parts
    const read = splitRowsBody(await readBody(body))
    if (read.type !== 'accept') throw new DaemonError('BAD_REQUEST', read.reason)
    const { blocks, digest, rows } = read.value
    const note = { digest, origin }
    if (this.#learning) throw new DaemonError('BUSY', 'another file is being imported', 'wait until it is done')
    this.#learning = true
    try {
      if (ruleOf(core.state.genesis.foldId) === 'evidence') await this.#refuseCounted(note)
      const state = encodeStateBlock(new Float32Array(lattice.info().rows))
      const content: LayerContent = { layer: blockIdOf(state), radicals: blocks, state }
      const expect = (layer: LayerId): void => this.#notes.set({ ...note, layer, settled: false })
      const { layer, ...adopted } = await farming.adopt({ name: textName(name), digest, rows, content, expect })
      this.#notes.set({ ...note, layer, settled: true })
      return { schema: 'sgsd.rows-import/1', layer, ...adopted }
    } catch (error) {
      if (!(error instanceof ComputeError) || error.code !== 'LAYER_REFUSED') throw error
      throw new DaemonError('IMPORT_REFUSED', `the rows are refused: ${(error.data as { readonly detail: string }).detail}`, '', { cause: error })
    } finally {
      this.#learning = false
    }
  }

  async #refuseCounted(note: Pick<ImportNote, 'digest' | 'origin'>): Promise<void> {
    if (note.origin?.mesh === this.#parts.core.meshId) {
      throw new DaemonError(
        'IMPORT_REFUSED',
        'these counts are of this mesh, whose fold adds up every member anyway: here they would count twice',
        'sgsd export --format layer, and import that',
      )
    }
    const reason = countedBefore(await this.#standing(), note)
    if (reason !== undefined) throw new DaemonError('IMPORT_REFUSED', reason)
  }

  /** Files whose layer was announced. A note that a crash left unsettled stands if its layer is the own head or an ancestor of it. */
  async #standing(): Promise<readonly ImportNote[]> {
    const notes = this.#notes.list()
    const { head } = this.#finder
    if (head === undefined || notes.every(({ settled }) => settled)) return notes.filter(({ settled }) => settled)
    const own = new Set([head, ...(await this.#finder.ancestors(head, MAX_LOOKED_THROUGH))])
    for (const note of notes) if (!note.settled && own.has(note.layer)) this.#notes.set({ ...note, settled: true })
    return notes.filter(({ settled, layer }) => settled || own.has(layer))
  }

  async #find(prefix: string): Promise<LayerId> {
    const { head } = this.#finder
    if (prefix === '') {
      if (head !== undefined) return head
      throw new DaemonError('LAYER_UNKNOWN', 'this node has no layer yet', 'farm a text first: sgsd farm poems.txt')
    }
    if (prefix.length === 64) return prefix as LayerId
    try {
      return await this.#finder.find(prefix)
    } catch (error) {
      if (!(error instanceof LayerNotFound)) throw error
      throw new DaemonError(error.code, error.message, 'sgsd layer ls', { cause: error })
    }
  }
}
