import type { BlockId, PeerName } from '@sgsd/consensus'
import { type Mesh, MeshError } from '@sgsd/mesh'
import { type BlockStore, StoreError } from '@sgsd/store'
import type { Logger } from 'pino'

/** Blocks in flight at once: enough to fill a link, few enough to bound memory. */
const CONCURRENT_FETCHES = 6
/** One block from one peer; the mesh gives up on a stalled stream long before. */
const FETCH_TIMEOUT_MS = 120_000

/** A block that no connected peer could give now; it may come later. */
export class BlockUnavailable extends Error {
  override readonly name = 'BlockUnavailable'
}

/** Gets blocks by hash: from disk, else from whichever connected peer has them. */
export class BlockFetcher {
  readonly #blocks: BlockStore
  readonly #mesh: Pick<Mesh, 'links' | 'fetchBlock'>
  readonly #log: Logger
  readonly #signal: AbortSignal
  readonly #inFlight = new Map<BlockId, Promise<Uint8Array>>()
  readonly #queue: (() => void)[] = []
  #running = 0

  constructor(blocks: BlockStore, mesh: Pick<Mesh, 'links' | 'fetchBlock'>, log: Logger, signal: AbortSignal) {
    this.#blocks = blocks
    this.#mesh = mesh
    this.#log = log
    this.#signal = signal
  }

  /**
   * @param prefer - the peer to ask first, usually the author
   * @returns the uncompressed bytes; they are in the store then
   * @throws BlockUnavailable when no connected peer has it
   */
  get(id: BlockId, prefer: PeerName): Promise<Uint8Array> {
    const running = this.#inFlight.get(id)
    if (running !== undefined) return running
    const promise = this.#get(id, prefer).finally(() => this.#inFlight.delete(id))
    this.#inFlight.set(id, promise)
    return promise
  }

  async #get(id: BlockId, prefer: PeerName): Promise<Uint8Array> {
    const local = await this.#fromDisk(id)
    if (local !== undefined) return local
    await this.#slot()
    try {
      const peers = this.#mesh.links().map((link) => link.peer)
      const order = peers.includes(prefer) ? [prefer, ...peers.filter((peer) => peer !== prefer)] : peers
      for (const peer of order) {
        this.#signal.throwIfAborted()
        const bytes = await this.#fromPeer(id, peer)
        if (bytes !== undefined) return bytes
      }
      throw new BlockUnavailable(`no connected peer has block ${id.slice(0, 12)}`)
    } finally {
      this.#running -= 1
      this.#queue.shift()?.()
    }
  }

  async #fromDisk(id: BlockId): Promise<Uint8Array | undefined> {
    try {
      return await this.#blocks.get(id)
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'BLOCK_CORRUPT') throw error
      this.#log.warn({ block: id }, 'block is damaged on disk; fetching it again')
      return undefined
    }
  }

  /** A transfer that went on where an earlier one broke off is tried once more from the start: this peer may have packed the block differently. */
  async #fromPeer(id: BlockId, peer: PeerName): Promise<Uint8Array | undefined> {
    const sink = await this.#blocks.receive(id)
    const resumed = sink.have > 0
    try {
      await this.#mesh.fetchBlock(peer, id, sink, AbortSignal.any([this.#signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]))
    } catch (error) {
      await sink.abort()
      const code = error instanceof MeshError ? error.code : (error as Error).message
      this.#log.debug({ block: id, peer, code }, 'peer gave no block')
      return undefined
    }
    try {
      return await sink.finish()
    } catch (error) {
      if (error instanceof StoreError && (error.code === 'BLOCK_CORRUPT' || error.code === 'BLOCK_TOO_LARGE')) {
        if (resumed) return this.#fromPeer(id, peer)
        this.#log.warn({ block: id, peer, code: error.code }, 'peer sent bytes that are not the block')
        return undefined
      }
      throw error
    }
  }

  async #slot(): Promise<void> {
    if (this.#running >= CONCURRENT_FETCHES) await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#running += 1
  }
}
