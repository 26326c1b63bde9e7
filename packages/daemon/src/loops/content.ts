import { checkRule, type Effect, itemKey, type LayerManifest, type PeerName, type Signed } from '@sgsd/consensus'
import type { ClaimCompute, LatticeCompute, LayerContent } from '@sgsd/compute'
import { parseLineage, parseManifest } from '@sgsd/wire'
import type { Logger } from 'pino'
import { type BlockFetcher, BlockUnavailable } from '../block-fetcher.ts'
import type { Core } from '../core.ts'
import type { EventBus } from '../event-bus.ts'
import { pause } from '../pause.ts'
import { admitLeaves } from './leaves.ts'

/** Pause before asking again for what nobody had. */
const RETRY_MS = 2_000
/** Heads and claims waiting at once; more than this many members' worth is somebody's flood. */
const MAX_WAITING = 16_384

/** Brings what heads and claims name: layers and leaf values, verified, then tells the core. */
export class ContentLoop {
  readonly #core: Core
  readonly #fetcher: BlockFetcher
  readonly #lattice: LatticeCompute
  readonly #claims: ClaimCompute
  readonly #events: EventBus
  readonly #log: Logger
  readonly #signal: AbortSignal
  readonly #busy = new Set<string>()

  constructor(
    parts: { readonly core: Core; readonly lattice: LatticeCompute; readonly claims: ClaimCompute; readonly events: EventBus; readonly log: Logger },
    fetcher: BlockFetcher,
    signal: AbortSignal,
  ) {
    this.#core = parts.core
    this.#fetcher = fetcher
    this.#lattice = parts.lattice
    this.#claims = parts.claims
    this.#events = parts.events
    this.#log = parts.log
    this.#signal = signal
  }

  fetchLayer({ head }: Extract<Effect, { type: 'fetch-layer' }>): void {
    this.#until(
      `layer ${head.id}`,
      () => this.#stillNewest(head),
      async () => {
        const content = await this.#layer(head)
        if (typeof content === 'string') return this.#refuse(head, content)
        const refusal = await this.#lattice.load(content)
        if (refusal !== undefined) return this.#refuse(head, refusal)
        this.#core.handle({ type: 'layer-ready', head })
        if (head.value.author !== this.#core.state.self) {
          this.#events.emit({ event: 'layer:received', peer: head.value.author, layer: head.value.layer })
        }
      },
    )
  }

  fetchLeaves({ claim }: Extract<Effect, { type: 'fetch-leaves' }>): void {
    const { author, leaves } = claim.value
    this.#until(
      `claim ${claim.id}`,
      () => this.#stillWanted(claim),
      async () => {
        await admitLeaves(this.#core, this.#claims, claim, await this.#fetcher.get(leaves, author), this.#events)
      },
    )
  }

  /** Loads ready layers again that the lattice worker no longer holds. @throws BlockUnavailable */
  async reload(heads: readonly Signed<'head'>[]): Promise<void> {
    for (const head of heads) {
      const content = await this.#layer(head)
      if (typeof content !== 'string') await this.#lattice.load(content)
    }
  }

  /** Content of a head's layer, or the reason why it is none of ours. @throws BlockUnavailable */
  async #layer(head: Signed<'head'>): Promise<LayerContent | string> {
    const { author, layer } = head.value
    const manifest = parseManifest(await this.#fetcher.get(layer, author))
    if (manifest.type !== 'accept') return `manifest: ${manifest.reason}`
    const mismatch = this.#mismatch(head, manifest.value)
    if (mismatch !== undefined) return mismatch
    const lineage = parseLineage(await this.#fetcher.get(manifest.value.lineage, author))
    if (lineage.type !== 'accept') return `lineage: ${lineage.reason}`
    return fetchContent(this.#fetcher, author, head.value.layer, manifest.value)
  }

  #mismatch(head: Signed<'head'>, manifest: LayerManifest): string | undefined {
    const { author, seq, radicals } = head.value
    if (manifest.mesh !== this.#core.meshId) return 'the layer belongs to another mesh'
    if (manifest.kernel !== this.#core.state.genesis.latticeKernel) return 'the layer stands on another hanzi table'
    if (manifest.author !== author) return 'the layer was written by another member'
    if (manifest.seq !== seq) return 'the layer has another sequence number than its announcement'
    const held = manifest.blocks.map((block) => block.radical)
    const announced = held.length === radicals.length && held.every((radical, i) => radical === radicals[i])
    return announced ? checkRule(this.#core.state.genesis.foldId, manifest) : 'the layer holds other radicals than its announcement'
  }

  #refuse(head: Signed<'head'>, reason: string): void {
    const { author, layer } = head.value
    this.#log.warn({ peer: author, layer, reason }, 'layer refused')
    this.#events.emit({ event: 'layer:refused', peer: author, layer, reason })
    this.#core.handle({ type: 'layer-refused', head, reason })
  }

  #stillNewest(head: Signed<'head'>): boolean {
    return this.#core.state.heads.get(head.value.author)?.id === head.id
  }

  #stillWanted(claim: Signed<'claim'>): boolean {
    const key = itemKey(claim)
    return this.#core.state.claims.get(key)?.id === claim.id && !this.#core.state.counted.has(key)
  }

  /** Tries until it works or nobody wants it any more; one attempt at a time for each name. */
  #until(name: string, wanted: () => boolean, work: () => Promise<void>): void {
    if (this.#busy.has(name) || this.#busy.size >= MAX_WAITING) return
    this.#busy.add(name)
    const attempt = async (): Promise<void> => {
      if (this.#signal.aborted || !wanted()) return
      try {
        await work()
      } catch (error) {
        if (this.#signal.aborted) return
        if (!(error instanceof BlockUnavailable)) this.#log.warn({ name, error: (error as Error).message }, 'fetch failed; trying again')
        await pause(RETRY_MS, this.#signal)
        return attempt()
      }
    }
    void attempt().finally(() => this.#busy.delete(name))
  }
}

/** All blocks of a layer, four at a time. @throws BlockUnavailable */
export async function fetchContent(
  fetcher: Pick<BlockFetcher, 'get'>,
  author: PeerName,
  layer: LayerContent['layer'],
  manifest: LayerManifest,
): Promise<LayerContent> {
  const radicals: { radical: number; bytes: Uint8Array }[] = []
  for (let i = 0; i < manifest.blocks.length; i += 4) {
    const group = manifest.blocks.slice(i, i + 4)
    const bytes = await Promise.all(group.map((block) => fetcher.get(block.block, author)))
    group.forEach((block, j) => radicals.push({ radical: block.radical, bytes: bytes[j]! }))
  }
  return { layer, author, radicals, state: await fetcher.get(manifest.state, author) }
}
