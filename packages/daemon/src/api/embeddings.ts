import { ComputeError, type EmbeddingCompute, type LayerContent, MAX_EMBEDDERS } from '@sgsd/compute'
import type { LayerId } from '@sgsd/consensus'
import { ApiError } from './api-error.ts'

/** Texts handed to the worker at a time: it embeds as many of them as some milliseconds allow. */
const TEXTS_PER_CALL = 64

/** Lattices kept open beyond the request that opened them; one less than may be open, so that another can be. */
const KEPT = MAX_EMBEDDERS - 1

/** Layers by name, among those stored here. */
export interface LayerSource {
  /** @throws LayerNotFound */
  find(prefix: string): Promise<LayerId>
  content(layer: LayerId): Promise<LayerContent>
}

export interface EmbeddingsOptions {
  readonly lattice: EmbeddingCompute
  /** Id of the running consensus, '' before the first fold. */
  readonly consensus: () => string
  readonly layers: () => LayerSource
}

export interface Embedded {
  /** `sgs:<id>` of the consensus or layer that the vectors belong to. */
  readonly model: string
  /** One after another, each of length 1. */
  readonly vectors: Float32Array
}

/** A lattice that is open for embedding. */
interface Space {
  /** Id of the consensus or layer; '' for the kernel's own lattice. */
  readonly id: string
  readonly handle: number
  users: number
  /** The last of the preparations, which go one after another. */
  prepared: Promise<void>
}

/** Embeds texts in the running consensus, in one that ran before, or in a layer, whichever the model's name says. */
export class Embeddings {
  readonly #options: EmbeddingsOptions
  /** The one used last is the last. */
  readonly #spaces = new Map<string, Space>()
  /** Lattices are opened one after another, so that two requests do not open the same twice. */
  #opening: Promise<unknown> = Promise.resolve()

  constructor(options: EmbeddingsOptions) {
    this.#options = options
  }

  /**
   * @throws ApiError 404 model_not_found, 400 no_known_characters naming the text, 429 when too many lattices are open, the signal's reason
   */
  async embed(model: string, texts: readonly string[], dimensions: number, signal: AbortSignal): Promise<Embedded> {
    const space = await this.#acquire(model)
    try {
      await this.#prepare(space, dimensions, signal)
      const vectors = new Float32Array(texts.length * dimensions)
      for (let done = 0; done < texts.length;) {
        signal.throwIfAborted()
        const slice = await this.#options.lattice.embed(space.handle, texts.slice(done, done + TEXTS_PER_CALL), dimensions)
        const [unknown] = slice.unknown
        if (unknown !== undefined) {
          throw new ApiError(400, 'no_known_characters', `input[${done + unknown}] has no character that the lattice knows`, 'input')
        }
        vectors.set(slice.vectors, done * dimensions)
        done += slice.texts
      }
      return { model: space.id === '' ? 'sgs' : `sgs:${space.id}`, vectors }
    } finally {
      space.users--
      this.#trim(KEPT)
    }
  }

  async #prepare(space: Space, dimensions: number, signal: AbortSignal): Promise<void> {
    const work = async (): Promise<void> => {
      while (!(await this.#options.lattice.prepareEmbedder(space.handle, dimensions))) signal.throwIfAborted()
    }
    // whoever came before prepares on; if it gave up, this one goes on from there
    const mine = space.prepared.then(work, work)
    space.prepared = mine.catch(() => {})
    await mine
  }

  /** The lattice of a model's name, opened if need be, with one user more. */
  #acquire(model: string): Promise<Space> {
    const acquired = this.#opening.then(async () => {
      const space = await this.#find(model)
      this.#spaces.delete(space.id)
      this.#spaces.set(space.id, space)
      space.users++
      return space
    })
    this.#opening = acquired.catch(() => {})
    return acquired
  }

  async #find(model: string): Promise<Space> {
    const { consensus, layers, lattice } = this.#options
    const prefix = prefixOf(model)
    const running = consensus()
    const open = prefix === '' ? this.#spaces.get(running) : this.#openBy(model, prefix)
    if (open !== undefined) return open
    if (prefix === '' || running.startsWith(prefix)) {
      const handle = await this.#open(() => lattice.openEmbedder())
      // the lattice worker answers in order: a fold before `openEmbedder` is known here by now, and one after it is not
      const id = consensus()
      const same = this.#spaces.get(id)
      if (same === undefined && id.startsWith(prefix)) return { id, handle, users: 0, prepared: Promise.resolve() }
      await lattice.closeEmbedder(handle)
      if (same !== undefined) return same
      throw notFound(model, 'the consensus has just changed')
    }
    const source = layers()
    const content = await source
      .find(prefix)
      .then((layer) => source.content(layer))
      .catch((error: unknown) => {
        throw notFound(model, (error as Error).message, error)
      })
    const handle = await this.#open(() => lattice.openEmbedder(content))
    return { id: content.layer, handle, users: 0, prepared: Promise.resolve() }
  }

  #openBy(model: string, prefix: string): Space | undefined {
    const found = [...this.#spaces.values()].filter(({ id }) => id.startsWith(prefix))
    if (found.length > 1) throw notFound(model, `it may be ${found.map(({ id }) => `${id.slice(0, 16)}…`).join(' or ')}`)
    return found[0]
  }

  async #open(open: () => Promise<number>): Promise<number> {
    this.#trim(MAX_EMBEDDERS - 1)
    try {
      return await open()
    } catch (error) {
      if (error instanceof ComputeError && error.code === 'BUSY') {
        throw new ApiError(429, 'rate_limit_exceeded', 'requests for as many different models as may are under way', 'model', { cause: error })
      }
      throw error
    }
  }

  /** Closes lattices that nobody uses, the one used longest ago first, until at most `limit` are open. */
  #trim(limit: number): void {
    for (const [id, { users, handle }] of this.#spaces) {
      if (this.#spaces.size <= limit) return
      if (users > 0) continue
      this.#spaces.delete(id)
      void this.#options.lattice.closeEmbedder(handle).catch(() => {})
    }
  }
}

/** '' for `sgs`. @throws ApiError 404 */
function prefixOf(model: string): string {
  if (model === 'sgs') return ''
  const [, prefix] = /^sgs:([0-9a-f]{6,64})$/.exec(model) ?? []
  if (prefix === undefined) throw notFound(model.slice(0, 80), 'there is sgs, and sgs:<id> with 6 to 64 hex digits of a consensus or a layer')
  return prefix
}

function notFound(model: string, why: string, cause?: unknown): ApiError {
  return new ApiError(404, 'model_not_found', `the model ${JSON.stringify(model)} does not exist here: ${why}`, 'model', { cause })
}
