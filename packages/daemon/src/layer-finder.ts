import type { LayerContent } from '@sgsd/compute'
import type { BlockId, LayerId, LayerManifest, PeerName } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import { parseManifest } from '@sgsd/wire'
import type { Core } from './core.ts'

/** Layers that a search by the beginning of an id looks at: the heads and the nearest of their ancestors. */
const MAX_SEARCHED = 4_096
/** Hex digits of a whole id. */
const ID_DIGITS = 64

/** Why a layer cannot be used, for people. */
export class LayerNotFound extends Error {
  override readonly name = 'LayerNotFound'
  readonly code: 'LAYER_UNKNOWN' | 'LAYER_AMBIGUOUS' | 'LAYER_INCOMPLETE'

  constructor(code: LayerNotFound['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Finds layers by name among those whose manifests are stored here. Reads the store only: what is not here is not fetched. */
export class LayerFinder {
  readonly #core: Core
  readonly #blocks: Pick<BlockStore, 'get'>
  readonly #manifests = new Map<LayerId, LayerManifest | undefined>()

  constructor(core: Core, blocks: Pick<BlockStore, 'get'>) {
    this.#core = core
    this.#blocks = blocks
  }

  /** This node's head, or undefined before the first commit. */
  get head(): LayerId | undefined {
    return this.#core.state.heads.get(this.#core.state.self)?.value.layer
  }

  /** The one layer whose id begins so, or a member's head by its peer id. @param prefix - lower-case hex digits; a whole id may be of any stored layer @throws LayerNotFound */
  async find(prefix: string): Promise<LayerId> {
    const head = this.#core.state.heads.get(prefix as PeerName)?.value.layer
    if (head !== undefined) return head
    if (prefix.length === ID_DIGITS) {
      await this.#require(prefix as LayerId)
      return prefix as LayerId
    }
    const found: LayerId[] = []
    for await (const layer of this.#walk([...this.#core.state.heads.values()].map((head) => head.value.layer))) {
      if (layer.startsWith(prefix)) found.push(layer)
    }
    const [only, other] = found
    if (only === undefined) throw new LayerNotFound('LAYER_UNKNOWN', `no layer here begins with ${prefix}`)
    if (other === undefined) return only
    throw new LayerNotFound('LAYER_AMBIGUOUS', `${found.length} layers begin with ${prefix}: ${only.slice(0, 16)}…, ${other.slice(0, 16)}… and so on`)
  }

  /** The nearest ancestors of a layer, nearest first, as many as are stored here up to `count`. */
  async ancestors(layer: LayerId, count: number): Promise<LayerId[]> {
    const found: LayerId[] = []
    for await (const ancestor of this.#walk((await this.#manifest(layer))?.parents ?? [])) {
      if (found.length === count) break
      if (ancestor !== layer) found.push(ancestor)
    }
    return found
  }

  /** The state block of a layer. @throws LayerNotFound */
  async state(layer: LayerId): Promise<Uint8Array> {
    return this.#block(layer, (await this.#require(layer)).state)
  }

  /** Everything of a layer. @throws LayerNotFound */
  async content(layer: LayerId): Promise<LayerContent> {
    const { blocks, state } = await this.#require(layer)
    const radicals: { radical: number; bytes: Uint8Array }[] = []
    for (const { radical, block } of blocks) radicals.push({ radical, bytes: await this.#block(layer, block) })
    return { layer, radicals, state: await this.#block(layer, state) }
  }

  /** Layers and their ancestors, breadth first, each once, at most MAX_SEARCHED; only those whose manifests are here. */
  async *#walk(from: readonly LayerId[]): AsyncGenerator<LayerId> {
    const queue = [...new Set(from)]
    const seen = new Set(queue)
    for (const layer of queue) {
      if (seen.size > MAX_SEARCHED) return
      const manifest = await this.#manifest(layer)
      if (manifest === undefined) continue
      yield layer
      for (const parent of manifest.parents) {
        if (seen.has(parent)) continue
        seen.add(parent)
        queue.push(parent)
      }
    }
  }

  async #require(layer: LayerId): Promise<LayerManifest> {
    const manifest = await this.#manifest(layer)
    if (manifest === undefined) throw new LayerNotFound('LAYER_UNKNOWN', `no layer ${layer.slice(0, 16)}… is stored here`)
    return manifest
  }

  /** Undefined for what is not stored, damaged, no manifest, or of another mesh. */
  async #manifest(layer: LayerId): Promise<LayerManifest | undefined> {
    if (this.#manifests.has(layer)) return this.#manifests.get(layer)
    const bytes = await this.#blocks.get(layer).catch(() => undefined)
    const verdict = bytes === undefined ? undefined : parseManifest(bytes)
    const manifest = verdict?.type === 'accept' && verdict.value.mesh === this.#core.meshId ? verdict.value : undefined
    this.#manifests.set(layer, manifest)
    return manifest
  }

  async #block(layer: LayerId, block: BlockId): Promise<Uint8Array> {
    const bytes = await this.#blocks.get(block).catch(() => undefined)
    if (bytes === undefined)
      throw new LayerNotFound('LAYER_INCOMPLETE', `layer ${layer.slice(0, 16)}… is known here, but not all of its content is stored`)
    return bytes
  }
}
