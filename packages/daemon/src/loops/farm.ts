import { createHash } from 'node:crypto'
import type { CommitDraft, LatticeCompute } from '@sgsd/compute'
import type { BlockId, Head, LayerManifest } from '@sgsd/consensus'
import { HEBB } from '@sgsd/lattice'
import type { BlockStore, ItemStore } from '@sgsd/store'
import { encodeManifest } from '@sgsd/wire'
import type { Logger } from 'pino'
import type { Core } from '../core.ts'
import type { EventBus } from '../event-bus.ts'
import { pause } from '../pause.ts'
import { type FarmJob, parseFarmJobs, renderFarmJobs } from './farm-jobs.ts'

/** Lines handed to the lattice worker at once: a status request waits no longer than these take. */
const LINES_PER_CALL = 8
/** The value that holds jobs and progress. */
const JOBS_VALUE = 'farm.jobs'
/** Learning constants of the `hebb` profile, stated in each layer. */
const PARAMS: LayerManifest['params'] = { profile: 'stable', rule: 'hebb', eta: HEBB.eta, decay: HEBB.decay }

/** Farms queued texts line by line and commits what was learned as layers. */
export class FarmLoop {
  readonly #core: Core
  readonly #lattice: LatticeCompute
  readonly #blocks: BlockStore
  readonly #values: ItemStore
  readonly #events: EventBus
  readonly #log: Logger
  readonly #signal: AbortSignal
  readonly #linesPerLayer: number
  #jobs: readonly FarmJob[] = []
  #finishedLines = 0
  #layers = 0
  #meanScore = 0
  #farming = false
  #untouched = false
  #wake: () => void = () => {}

  constructor(
    parts: { core: Core; lattice: LatticeCompute; blocks: BlockStore; values: ItemStore; events: EventBus; log: Logger; signal: AbortSignal },
    linesPerLayer: number,
  ) {
    this.#core = parts.core
    this.#lattice = parts.lattice
    this.#blocks = parts.blocks
    this.#values = parts.values
    this.#events = parts.events
    this.#log = parts.log
    this.#signal = parts.signal
    this.#linesPerLayer = linesPerLayer
  }

  get progress(): { readonly state: 'idle' | 'farming' | 'done'; readonly lines: number; readonly total: number; readonly meanScore: number } {
    const lines = this.#jobs.reduce((sum, job) => sum + job.next, this.#finishedLines)
    const total = this.#jobs.reduce((sum, job) => sum + job.total, this.#finishedLines)
    return { state: this.#farming ? 'farming' : total > 0 ? 'done' : 'idle', lines, total, meanScore: this.#meanScore }
  }

  /** Layers committed by this node. */
  get layers(): number {
    return this.#layers
  }

  /** True when this node has never been given a text. */
  get untouched(): boolean {
    return this.#untouched
  }

  /** Reads jobs and progress back; a commit that was announced but not ticked off is ticked off now. */
  load(): void {
    const bytes = this.#values.getValue(JOBS_VALUE)
    this.#untouched = bytes === undefined
    const saved = parseFarmJobs(bytes)
    const head = this.#core.state.heads.get(this.#core.state.self)?.value
    this.#layers = Number(head?.seq ?? 0n)
    this.#finishedLines = saved.finishedLines
    this.#jobs = saved.jobs.map((job) =>
      job.pending !== undefined && job.pending.layer === head?.layer
        ? { ...job, next: job.pending.next, pending: undefined }
        : { ...job, pending: undefined },
    )
    this.#tidy()
  }

  /** The mean score that a restored layer carries on from. */
  restored(meanScore: number): void {
    this.#meanScore = meanScore
  }

  /** Queues a text. Its lines are on disk when this resolves. */
  async enqueue(name: string, lines: readonly string[]): Promise<void> {
    const block = await this.#blocks.put(Buffer.from(lines.join('\n'), 'utf8'))
    this.#save([...this.#jobs, { name, block, total: lines.length, next: 0, pending: undefined }])
    this.#wake()
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const job = this.#jobs[0]
      if (job === undefined) {
        this.#farming = false
        await this.#idle()
        continue
      }
      this.#farming = true
      try {
        await this.#farm(job)
      } catch (error) {
        if (this.#signal.aborted) return
        this.#log.error({ job: job.name, error: (error as Error).message }, 'farming failed; trying again')
        await pause(2_000, this.#signal)
      }
    }
  }

  /** Farms one job to its end, a layer every `linesPerLayer` lines. */
  async #farm(job: FarmJob): Promise<void> {
    const bytes = await this.#blocks.get(job.block)
    if (bytes === undefined) throw new Error(`the text ${job.name} is gone from the store`)
    const lines = Buffer.from(bytes).toString('utf8').split('\n')
    let next = job.next
    while (next < lines.length) {
      const end = Math.min(lines.length, next + this.#linesPerLayer)
      for (let i = next; i < end; i += LINES_PER_CALL) {
        this.#signal.throwIfAborted()
        const upTo = Math.min(end, i + LINES_PER_CALL)
        // one line more than is farmed: the successor that grades the last one
        await this.#lattice.farm(lines.slice(i, Math.min(lines.length, upTo + 1)))
      }
      await this.#commit(job, next, end, lines)
      next = end
    }
  }

  async #commit(job: FarmJob, from: number, next: number, lines: readonly string[]): Promise<void> {
    const draft = await this.#lattice.commit()
    this.#meanScore = draft.meanScore
    if (draft.radicals.length === 0) return this.#tick(job, next)
    const { manifest, bytes } = await this.#store(draft, lineage(job, from, next, lines))
    const layer = await this.#blocks.put(bytes)
    const head: Head = { author: manifest.author, seq: manifest.seq, layer, radicals: manifest.blocks.map((block) => block.radical) }
    this.#save(this.#jobs.map((other, i) => (i === 0 ? { ...other, pending: { next, layer } } : other)))
    this.#core.author({ kind: 'head', value: head })
    this.#layers = Number(manifest.seq)
    this.#tick(job, next)
    const rows = manifest.blocks.reduce((sum, block) => sum + block.rows, 0)
    this.#events.emit({ event: 'layer:committed', layer, radicals: manifest.blocks.length, rows, meanScore: draft.meanScore })
    this.#log.info(
      { layer: layer.slice(0, 12), radicals: manifest.blocks.length, rows, meanScore: Number(draft.meanScore.toFixed(4)) },
      'layer committed',
    )
  }

  async #store(draft: CommitDraft, lineageRoot: string): Promise<{ manifest: LayerManifest; bytes: Uint8Array }> {
    const blocks: LayerManifest['blocks'][number][] = []
    for (const { radical, rows, nnz, bytes } of draft.radicals) blocks.push({ radical, rows, nnz, block: await this.#blocks.put(bytes) })
    const state: BlockId = await this.#blocks.put(draft.state)
    const { self, heads, epoch, genesis } = this.#core.state
    const parent = heads.get(self)?.value
    const manifest: LayerManifest = {
      version: 1,
      mesh: this.#core.meshId,
      kernel: genesis.latticeKernel,
      parents: parent === undefined ? [] : [parent.layer],
      author: self,
      seq: (parent?.seq ?? 0n) + 1n,
      epoch,
      params: PARAMS,
      lineage: lineageRoot,
      scores: { lines: BigInt(draft.lines), mean: draft.meanScore },
      state,
      blocks,
    }
    return { manifest, bytes: encodeManifest(manifest) }
  }

  /** The first job has come as far as `next`. */
  #tick(job: FarmJob, next: number): void {
    this.#save(this.#jobs.map((other, i) => (i === 0 && other.block === job.block ? { ...other, next, pending: undefined } : other)))
  }

  #save(jobs: readonly FarmJob[]): void {
    this.#jobs = jobs
    this.#tidy()
  }

  #tidy(): void {
    while (this.#jobs[0] !== undefined && this.#jobs[0].next >= this.#jobs[0].total) {
      this.#finishedLines += this.#jobs[0].total
      this.#jobs = this.#jobs.slice(1)
    }
    this.#values.setValue(JOBS_VALUE, renderFarmJobs({ jobs: this.#jobs, finishedLines: this.#finishedLines }))
  }

  async #idle(): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await pause(60_000, AbortSignal.any([this.#signal, woken.signal]))
    this.#wake = () => {}
  }
}

/** SHA-256 over the text's block and the numbers of the lines farmed: what a layer was learned from. */
function lineage(job: FarmJob, from: number, next: number, lines: readonly string[]): string {
  const hash = createHash('sha256').update(`sgs-lineage\n${job.block}\n${from}\n${next}\n`)
  for (let i = from; i < next; i++) hash.update(`${lines[i]}\n`)
  return hash.digest('hex')
}
