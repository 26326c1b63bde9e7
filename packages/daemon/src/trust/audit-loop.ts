import { randomBytes } from 'node:crypto'
import type { ColourCompute } from '@sgsd/compute'
import { absoluteChunk, type AuditTask, auditPlan, draftProof, isProofWanted, type Signed } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import { parseLeaves } from '@sgsd/wire'
import type { Logger } from 'pino'
import { type Core, monotonicNow } from '../core.ts'
import type { MineLoop } from '../loops/mine.ts'
import { pause } from '../pause.ts'
import { hex64 } from '../status.ts'
import { mismatch } from './mismatch.ts'
import type { Referee } from './referee.ts'

/** Between two plans when there was nothing to recompute: about as long as a claim takes to be made. */
const IDLE_MS = 2_000
/** A plan is made anew after this long: claims that contradict each other come first. */
const PLAN_MS = 1_000

export interface AuditParts {
  readonly core: Core
  readonly colours: Pick<ColourCompute, 'chunkValues' | 'engine'>
  readonly referee: Pick<Referee, 'value'>
  readonly blocks: Pick<BlockStore, 'get'>
  readonly mining: Pick<MineLoop, 'isPaused' | 'fault' | 'halt'>
  readonly log: Logger
  readonly signal: AbortSignal
}

/**
 * Recomputes samples of what others claim, chunk by chunk, on the threads that mine: they take turns with mining, and rest when it is paused. A value that
 * differs is recomputed on the reference kernel before anybody is accused. docs/trust.md
 */
export class AuditLoop {
  readonly #parts: AuditParts
  /** What makes this node's private samples; claims live no longer than a process commonly does. */
  readonly #seed: Uint8Array = randomBytes(32)
  #chunks = 0

  constructor(parts: AuditParts) {
    this.#parts = parts
  }

  /** Chunks of others recomputed since the start. */
  get chunks(): number {
    return this.#chunks
  }

  /** Runs until the daemon stops. */
  async run(): Promise<void> {
    const { signal, log } = this.#parts
    while (!signal.aborted) {
      try {
        if (!(await this.pass())) await pause(IDLE_MS, signal)
      } catch (error) {
        if (signal.aborted) return
        log.error({ error: (error as Error).message }, 'an audit failed; trying again')
        await pause(IDLE_MS, signal)
      }
    }
  }

  /** Works on one plan for about a second. @returns whether anything was recomputed */
  async pass(): Promise<boolean> {
    const { core } = this.#parts
    if (!this.#mayWork()) return false
    const before = this.#chunks
    const started = monotonicNow()
    for (const task of auditPlan(core.state, core.state.self, started, this.#seed)) {
      if (!this.#mayWork() || monotonicNow() - started > PLAN_MS) break
      await this.#audit(task)
    }
    return this.#chunks > before
  }

  /** A person's pause is one of all colour work; a machine that is known to compute wrong judges nobody. */
  #mayWork(): boolean {
    const { signal, mining } = this.#parts
    return !signal.aborted && !mining.isPaused && mining.fault === undefined
  }

  /** Leaves that are not here any more are no offence: the claim is passed over. */
  async #audit({ claim, chunks }: AuditTask): Promise<void> {
    const { core, colours, blocks, signal } = this.#parts
    const { genesis } = core.state
    const { epoch, run, leaves: block } = claim.value
    const bytes = await blocks.get(block).catch(() => undefined)
    const leaves = bytes === undefined ? undefined : parseLeaves(bytes)
    if (leaves?.type !== 'accept' || leaves.value.length !== run.count) return
    const right: number[] = []
    let wrong: { readonly chunk: number; readonly value: bigint } | undefined
    for (const chunk of chunks) {
      if (!this.#mayWork()) break
      const [value] = await colours.chunkValues(genesis.colourKernel, genesis.colourSeed, absoluteChunk(genesis, epoch, chunk), 1, signal)
      this.#chunks += 1
      if (value === leaves.value[chunk - run.start]) right.push(chunk)
      else {
        wrong = { chunk, value: value! }
        break
      }
    }
    if (right.length > 0) core.handle({ type: 'claim-audited', claim, chunks: right, ok: true })
    if (wrong !== undefined) await this.#dispute(claim, wrong, leaves.value)
  }

  /** Either the claim or this node's own engine is wrong, or both are. */
  async #dispute(
    claim: Signed<'claim'>,
    { chunk, value }: { readonly chunk: number; readonly value: bigint },
    leaves: BigUint64Array,
  ): Promise<void> {
    const { core, colours, referee, mining, log } = this.#parts
    const { epoch, run, author } = claim.value
    const claimed = leaves[chunk - run.start]
    const computed = await referee.value(epoch, chunk)
    if (computed !== value) mining.halt(mismatch(colours.engine, epoch, chunk, value, computed))
    if (computed === claimed) return
    log.warn({ peer: author, epoch: String(epoch), chunk, claimed: hex64(claimed!), computed: hex64(computed) }, 'a claim is wrong')
    core.handle({ type: 'claim-audited', claim, chunks: [chunk], ok: false })
    if (isProofWanted(core.state, claim)) core.author({ kind: 'proof', value: draftProof(core.state, claim, chunk, leaves) })
  }
}
