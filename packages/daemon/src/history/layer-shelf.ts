import type { LayerContent } from '@sgsd/compute'
import { type Contributors, type LayerId, LayerGraph, type LayerManifest, type PeerName } from '@sgsd/consensus'
import { type BlockStore, isStoreError } from '@sgsd/store'
import { type Lineage, parseLineage, parseManifest } from '@sgsd/wire'
import { BlockUnavailable } from '../block-fetcher.ts'
import type { Core } from '../core.ts'
import { DaemonError } from '../daemon-error.ts'

/** Layers that one look at the history reads: about 20 MB of manifests in memory, some seconds on a slow disk. */
export const MAX_WALKED = 16_384
/** Manifests remembered, 8 kB each at most. */
const MAX_REMEMBERED = 2_048
/** Hex digits of a whole id. */
const ID_DIGITS = 64
/** Ids that an ambiguous beginning is answered with. */
const NAMED = 4

/** Layers by id, with all that hangs on them: from the store, and where it is asked for from peers. */
export class LayerShelf {
  readonly #core: Core
  readonly #blocks: Pick<BlockStore, 'get' | 'has' | 'list'>
  readonly #starts: () => Iterable<LayerId>
  readonly #manifests = new Map<LayerId, LayerManifest>()

  /** @param starts - layers whose ancestors are history too: heads, pins, what was folded */
  constructor(core: Core, blocks: Pick<BlockStore, 'get' | 'has' | 'list'>, starts: () => Iterable<LayerId>) {
    this.#core = core
    this.#blocks = blocks
    this.#starts = starts
  }

  /** Undefined for what is not stored, damaged, no manifest, or of another mesh. */
  async manifest(layer: LayerId): Promise<LayerManifest | undefined> {
    const known = this.#manifests.get(layer)
    if (known !== undefined) return this.#blocks.has(layer) ? known : undefined
    const bytes = await this.block(layer)
    const verdict = bytes === undefined ? undefined : parseManifest(bytes)
    if (verdict?.type !== 'accept' || verdict.value.mesh !== this.#core.meshId) return undefined
    if (this.#manifests.size >= MAX_REMEMBERED) this.#manifests.delete(this.#manifests.keys().next().value!)
    this.#manifests.set(layer, verdict.value)
    return verdict.value
  }

  /** @throws DaemonError LAYER_UNKNOWN */
  async require(layer: LayerId): Promise<LayerManifest> {
    const manifest = await this.manifest(layer)
    if (manifest === undefined) throw new DaemonError('LAYER_UNKNOWN', `no layer ${layer.slice(0, 16)}… is stored here`, 'sgsd layer ls')
    return manifest
  }

  /** The bytes of a block, or undefined when it is not here or was damaged (and set aside). */
  async block(id: LayerManifest['state']): Promise<Uint8Array | undefined> {
    try {
      return await this.#blocks.get(id)
    } catch (error) {
      if (isStoreError(error, 'BLOCK_CORRUPT')) return undefined
      throw error
    }
  }

  async lineage(manifest: LayerManifest): Promise<Lineage | undefined> {
    const bytes = await this.block(manifest.lineage)
    const verdict = bytes === undefined ? undefined : parseLineage(bytes)
    return verdict?.type === 'accept' ? verdict.value : undefined
  }

  /** Ids of all blocks of a layer that are not here. */
  missing(layer: LayerId, manifest: LayerManifest): readonly LayerManifest['state'][] {
    return blocksOf(layer, manifest).filter((id) => !this.#blocks.has(id))
  }

  /**
   * Everything that a fold needs of a layer.
   * @param fetch - brings what is not here
   * @throws DaemonError LAYER_UNKNOWN | LAYER_INCOMPLETE naming what is missing
   */
  async content(layer: LayerId, fetch?: (id: LayerManifest['state']) => Promise<Uint8Array>): Promise<LayerContent> {
    const read = async (id: LayerManifest['state']): Promise<Uint8Array | undefined> => {
      const bytes = await this.block(id)
      if (bytes !== undefined || fetch === undefined) return bytes
      return fetch(id).catch((error: unknown) => {
        if (error instanceof BlockUnavailable) return undefined
        throw error
      })
    }
    if (fetch !== undefined && !this.#blocks.has(layer)) await read(layer)
    const { author, blocks, state } = await this.require(layer)
    const found = new Map<string, Uint8Array>()
    const missing: string[] = []
    for (const id of [state, ...blocks.map(({ block }) => block)]) {
      const bytes = await read(id)
      if (bytes === undefined) missing.push(id)
      else found.set(id, bytes)
    }
    if (missing.length > 0) {
      const named = missing.slice(0, NAMED).map((id) => `${id.slice(0, 12)}…`)
      throw new DaemonError(
        'LAYER_INCOMPLETE',
        `layer ${layer.slice(0, 16)}… is known here, but ${missing.length} of its ${blocks.length + 1} blocks are not: ${named.join(', ')}${missing.length > NAMED ? ' and so on' : ''}`,
        `sgsd layer clone ${author} --layer ${layer.slice(0, 16)}`,
      )
    }
    return { layer, author, radicals: blocks.map(({ radical, block }) => ({ radical, bytes: found.get(block)! })), state: found.get(state)! }
  }

  /** The one layer that a beginning of its id, `own`, or a member's peer id names. @throws DaemonError LAYER_UNKNOWN | LAYER_AMBIGUOUS */
  async find(name: string): Promise<LayerId> {
    const { heads, self } = this.#core.state
    const head = heads.get(name === 'own' ? self : (name as PeerName))?.value.layer
    if (head !== undefined) return head
    if (name === 'own') throw new DaemonError('LAYER_UNKNOWN', 'this node has no layer yet', 'sgsd farm <file>')
    if (name.length === ID_DIGITS) {
      await this.require(name as LayerId)
      return name as LayerId
    }
    if (!/^[0-9a-f]{4,64}$/.test(name))
      throw new DaemonError('LAYER_UNKNOWN', `${name} is no layer id: 4 or more hex digits are needed`, 'sgsd layer ls')
    const found = await this.#beginning(name)
    if (found.length === 1) return found[0]!
    if (found.length === 0) throw new DaemonError('LAYER_UNKNOWN', `no layer here begins with ${name}`, 'sgsd layer log')
    const named = found.slice(0, NAMED).map((layer) => `${layer.slice(0, 16)}…`)
    throw new DaemonError(
      'LAYER_AMBIGUOUS',
      `${found.length} layers begin with ${name}: ${named.join(', ')}${found.length > NAMED ? ' and so on' : ''}`,
      'give more digits',
    )
  }

  /** Stored layers whose id begins so: other blocks with such a beginning are no manifests. */
  async #beginning(prefix: string): Promise<readonly LayerId[]> {
    const found: LayerId[] = []
    for (const id of this.#blocks.list()) {
      if (id > prefix && !id.startsWith(prefix)) break
      if (id.startsWith(prefix) && (await this.manifest(id)) !== undefined) found.push(id)
    }
    return found
  }

  starts(): readonly LayerId[] {
    return [...new Set([...Array.from(this.#core.state.heads.values(), (head) => head.value.layer), ...this.#starts()])]
  }

  /** The layers that are known here, breadth first from heads, pins and what was folded. @param most - layers read */
  async graph(from: readonly LayerId[] = this.starts(), most: number = MAX_WALKED): Promise<LayerGraph> {
    const queue = [...new Set(from)]
    const seen = new Set(queue)
    const nodes: { readonly layer: LayerId; readonly manifest: LayerManifest }[] = []
    for (const layer of queue) {
      if (nodes.length >= most) break
      const manifest = await this.manifest(layer)
      if (manifest === undefined) continue
      nodes.push({ layer, manifest })
      for (const parent of manifest.parents) {
        if (seen.has(parent)) continue
        seen.add(parent)
        queue.push(parent)
      }
    }
    return new LayerGraph(nodes.map(({ layer, manifest: { parents, author, seq, epoch } }) => ({ layer, parents, author, seq, epoch })))
  }

  /** Whose layers a layer stands for. @throws DaemonError LAYER_INCOMPLETE when a parent of a merge is not known here */
  async contributors(layer: LayerId): Promise<Contributors> {
    await this.require(layer)
    const result = (await this.graph([layer])).contributors(layer)
    if ('contributors' in result) return result.contributors
    const [first] = result.missing
    throw new DaemonError(
      'LAYER_INCOMPLETE',
      `layer ${layer.slice(0, 16)}… is a merge, and its parent ${first!.slice(0, 16)}… is not here`,
      `sgsd layer clone <peer> --layer ${first!}`,
    )
  }
}

/** Every block that a layer is made of, the manifest first. */
export function blocksOf(layer: LayerId, { lineage, state, blocks }: LayerManifest): readonly LayerManifest['state'][] {
  return [...new Set([layer, lineage, state, ...blocks.map(({ block }) => block)])]
}
