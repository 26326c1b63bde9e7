import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { hex64 } from '@sgsd/color'
import type { ColourCompute } from '@sgsd/compute'
import type { Done, FarmAccepted, InviteDocument, StatusDocument } from '@sgsd/daemon'
import type { DaemonEdge, PartialConfig } from '../edges.ts'
import { computeFigures, type Figure } from '../published.ts'
import { bestCoverage } from './changes.ts'
import { NodeProcess } from './node-process.ts'
import type { DemoPlan } from './plan.ts'
import { isWhole, type NodeView, rangesAgree, selfOf, type Snapshot } from './snapshot.ts'
import { type Condition, verdictOf } from './verdict.ts'

/** How often every node is asked for its status. */
const POLL_MS = 400
/** A node that does not answer within this is shown as it was. */
const ANSWER_MS = 3_000
/** Coverage of the epoch at which a node is killed. */
const KILL_AT = 0.4
/** How long the nodes may take to hear of each other's ranges before work begins anyway: overlap is harmless. */
const VIEWS_MS = 15_000
/** How long a killed node stays dead. */
const DEAD_MS = 1_000
/** Host calls (64 lines) in a layer: several layers from the shipped text, so that merging has something to do. */
const CALLS_PER_LAYER = 1

export interface DemoParts {
  readonly daemon: DaemonEdge
  readonly plan: DemoPlan
  /** A directory of its own, with a short path. */
  readonly root: string
  /** The nodes may outlive this process. */
  readonly keep: boolean
  /** Computes the published figures and the epoch without the mesh. */
  readonly colours: ColourCompute
  /** Milliseconds since the demo began. */
  readonly elapsed: () => number
  /** Gets every new snapshot. */
  readonly onSnapshot: (snapshot: Snapshot) => void
}

export interface DemoOutcome {
  readonly snapshot: Snapshot
  readonly conditions: readonly Condition[]
}

/** Runs the mesh and looks at it from outside, through the same control API as everybody else. */
export class Demo {
  readonly nodes: readonly NodeProcess[]
  readonly #parts: DemoParts
  readonly #views: Map<string, NodeView>
  #published: readonly Figure[] = []
  #local: Snapshot['local'] = { share: 0, xor: undefined }
  #killedAt: number | undefined
  #killedMs = 0
  #backAfterMs: number | undefined

  constructor(parts: DemoParts) {
    this.#parts = parts
    this.nodes = parts.plan.names.map((name) => {
      const dir = join(parts.root, name)
      return new NodeProcess(name, dir, parts.daemon.openControl(dir), parts.keep)
    })
    this.#views = new Map(parts.plan.names.map((name) => [name, { name, phase: 'waiting', status: undefined, range: undefined }]))
  }

  /**
   * Runs until every condition holds or the signal ends it.
   * @throws CliError NODE_FAILED when a node ends by itself; the signal's reason when it fires
   */
  async run(signal: AbortSignal): Promise<DemoOutcome> {
    const done = new AbortController()
    const both = AbortSignal.any([signal, done.signal])
    const background = Promise.all([this.#watch(both), this.#computeHere(both)])
    try {
      // whichever fails first ends the whole; the watch alone never ends by itself
      await Promise.race([this.#direct(signal), background.then(() => new Promise<never>(() => {}))])
      return this.outcome()
    } finally {
      done.abort()
      await background.catch(() => {})
    }
  }

  outcome(): DemoOutcome {
    const snapshot = this.snapshot()
    return { snapshot, conditions: verdictOf(snapshot) }
  }

  snapshot(): Snapshot {
    const { plan, elapsed } = this.#parts
    return {
      elapsedMs: elapsed(),
      nodes: [...this.#views.values()],
      epochColours: plan.epochColours,
      local: this.#local,
      published: this.#published,
      victim: { name: this.#victim.name, killedAt: this.#killedAt, backAfterMs: this.#backAfterMs },
    }
  }

  /** Stops every node that still runs. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.nodes.map((node) => node.stop()))
  }

  get #victim(): NodeProcess {
    return this.nodes.at(-1)!
  }

  /** The plot: found, join, work, kill, come back, agree. */
  async #direct(signal: AbortSignal): Promise<void> {
    await this.#found(signal)
    await this.#until(isWhole, signal)
    await this.#until(rangesAgree, signal, VIEWS_MS)
    for (const [name, view] of this.#views) this.#views.set(name, { ...view, range: selfOf(view.status)?.range })
    await this.#startWork(signal)
    await this.#until((snapshot) => bestCoverage(snapshot) >= KILL_AT, signal)
    await this.#killAndRestart(signal)
    await this.#until((snapshot) => verdictOf(snapshot).every(({ ok }) => ok), signal)
  }

  async #found(signal: AbortSignal): Promise<void> {
    const { daemon, plan } = this.#parts
    const [first, ...others] = this.nodes as [NodeProcess, ...NodeProcess[]]
    await mkdir(first.dir, { recursive: true })
    await daemon.initDataDir(first.dir, { ...this.#nodeOptions(first), meshName: 'demo', seed: plan.seed, epochColours: plan.epochColours })
    await this.#start(first, signal)
    const { invites } = await first.control.get<InviteDocument>('/v1/invite', signal)
    await Promise.all(
      others.map(async (node) => {
        await mkdir(node.dir, { recursive: true })
        await daemon.joinMesh(node.dir, invites[0] ?? '', this.#nodeOptions(node), signal)
        await this.#start(node, signal)
      }),
    )
  }

  #nodeOptions(node: NodeProcess): { name: string; listen: readonly string[]; config: PartialConfig } {
    const { plan } = this.#parts
    return {
      name: node.name,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      config: {
        tailscale: false,
        api: { listen: 'off' },
        mine: { auto: false, threads: plan.threads, epochs: 1 },
        farm: { auto: false, callsPerLayer: CALLS_PER_LAYER },
      },
    }
  }

  async #start(node: NodeProcess, signal: AbortSignal): Promise<void> {
    this.#setPhase(node, 'starting')
    node.start()
    await node.ready(signal)
    await this.#look(node, signal)
    this.#setPhase(node, 'running')
  }

  async #startWork(signal: AbortSignal): Promise<void> {
    const { name, bytes } = await this.#parts.daemon.readDefaultCorpus()
    await Promise.all(
      this.nodes.map(async ({ control }) => {
        await control.send<FarmAccepted>(`/v1/farm?shared=1&name=${encodeURIComponent(name)}`, Readable.from([bytes]), signal)
        await control.post<Done>('/v1/mine', { action: 'start' }, signal)
      }),
    )
  }

  async #killAndRestart(signal: AbortSignal): Promise<void> {
    const victim = this.#victim
    this.#killedAt = bestCoverage(this.snapshot())
    this.#killedMs = this.#parts.elapsed()
    this.#setPhase(victim, 'killed')
    await victim.kill()
    await pause(DEAD_MS, undefined, { signal })
    victim.start()
    await victim.ready(signal)
    // its text is farmed on from where it stood; mining was started by hand and is again
    await victim.control.post<Done>('/v1/mine', { action: 'start' }, signal)
    await this.#look(victim, signal)
    this.#backAfterMs = this.#parts.elapsed() - this.#killedMs
    this.#setPhase(victim, 'back')
  }

  /** Asks every running node again and again. */
  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await Promise.all(this.nodes.filter((node) => this.#isUp(node)).map((node) => this.#look(node, signal)))
      for (const node of this.nodes) if (this.#isUp(node) && node.lost) throw await node.failure()
      this.#parts.onSnapshot(this.snapshot())
      await pause(POLL_MS, undefined, { signal }).catch(() => {})
    }
  }

  #isUp({ name }: NodeProcess): boolean {
    const phase = this.#views.get(name)?.phase
    return phase === 'running' || phase === 'back'
  }

  async #look(node: NodeProcess, signal: AbortSignal): Promise<void> {
    const status = await node.control
      .get<StatusDocument>('/v1/status', AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]))
      .catch(() => undefined)
    const view = this.#views.get(node.name)!
    if (status !== undefined) this.#views.set(node.name, { ...view, status })
  }

  #setPhase({ name }: NodeProcess, phase: NodeView['phase']): void {
    this.#views.set(name, { ...this.#views.get(name)!, phase })
  }

  /** The published figures and the whole epoch, on this process's own threads. */
  async #computeHere(signal: AbortSignal): Promise<void> {
    const { colours, plan } = this.#parts
    this.#published = await computeFigures(colours, signal)
    const total = Number(plan.epochColours)
    const xor = await colours.rangeXor('spi64', plan.seed, 0n, plan.epochColours, signal, (done) => {
      this.#local = { share: Number(done) / total, xor: undefined }
    })
    this.#local = { share: 1, xor: hex64(xor) }
  }

  /** Waits until the newest snapshot is as wanted, at most `patienceMs`. */
  async #until(wanted: (snapshot: Snapshot) => boolean, signal: AbortSignal, patienceMs = Infinity): Promise<void> {
    const started = this.#parts.elapsed()
    while (!wanted(this.snapshot()) && this.#parts.elapsed() - started < patienceMs) await pause(POLL_MS / 2, undefined, { signal })
  }
}
