import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import type { Context } from '../context.ts'
import { changesBetween } from '../demo/changes.ts'
import { Demo, type DemoOutcome } from '../demo/demo.ts'
import { demoDocument } from '../demo/document.ts'
import { LEAST_NODES, MOST_NODES, planDemo } from '../demo/plan.ts'
import type { Snapshot } from '../demo/snapshot.ts'
import { demoView, endView } from '../demo/view.ts'
import { EXIT } from '../exit-code.ts'
import { addLeaf, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { PUBLISHED_SEED } from '../published.ts'
import { duration } from '../text/figures.ts'
import { openLiveRegion } from '../text/live-region.ts'

const DEFAULT_NODES = 3
const DEFAULT_LIMIT_S = 80
/** Timing of this machine, before anything else runs on it. */
const MEASURE_MS = 300

interface DemoFlags {
  readonly nodes: number
  readonly timeLimit: number
  readonly keep?: boolean
}

export function addDemo(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'demo',
    nodeless: true,
    summary: 'a whole mesh on this machine: mine, farm, merge, lose a node, agree',
    details:
      'Starts real daemons as processes of their own on loopback, in a temporary directory. One is killed on the way and comes back. ' +
      'Exit 0 when all nodes end with the same consensus and the same epoch XOR, equal to one computed without the mesh, and the published figures were reproduced; else 7.',
    examples: ['sgsd demo', 'sgsd demo --nodes 5', 'sgsd demo --json > demo.json', 'sgsd demo --keep'],
  })
    .option('--nodes <count>', `how many nodes, ${LEAST_NODES} to ${MOST_NODES}`, wholeNumber(LEAST_NODES, MOST_NODES), DEFAULT_NODES)
    .option('--time-limit <seconds>', 'give up after this long', seconds, DEFAULT_LIMIT_S)
    .option('--keep', 'leave the mesh running, and say how to look at it and stop it')
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<DemoFlags>(command)
      const root = await mkdtemp(join(tmpdir(), 'sgsd-demo-'))
      let kept = false
      try {
        kept = await runDemo(context, flags, flags.json === true, root)
      } finally {
        if (!kept) await rm(root, { recursive: true, force: true, maxRetries: 3 })
      }
    })
}

/** @returns true when the nodes were left running */
async function runDemo(context: Context, flags: DemoFlags, json: boolean, root: string): Promise<boolean> {
  const started = performance.now()
  const show = openShow(context, json)
  const keep = flags.keep === true
  // one thread less than the nodes would like: what is checked here must not slow down what is shown
  await using colours = await context.edges.colours({ threads: 1 })
  const cores = availableParallelism()
  const plan = planDemo(flags.nodes, (await colours.measure('spi64', MEASURE_MS)) * cores, cores, PUBLISHED_SEED)
  const daemon = await context.edges.daemon()
  const demo = new Demo({
    daemon,
    plan,
    root,
    keep,
    colours,
    elapsed: () => performance.now() - started,
    onSnapshot: (snapshot) => show.snapshot(snapshot),
  })
  let ended = false
  try {
    const outcome = await withinLimit(context, demo, flags.timeLimit)
    show.end()
    const ok = outcome.conditions.every((condition) => condition.ok)
    ended = true
    report(context, json, outcome, keep ? demo.nodes.map(({ dir }) => dir) : [])
    if (!ok) {
      const missing = outcome.conditions.filter((condition) => !condition.ok).map(({ name, why }) => `${name}: ${why}`)
      context.terminal.note(`sgsd: not shown within ${duration(flags.timeLimit * 1_000)}: ${missing.join('; ')}`)
      context.exitCode = EXIT.disagreement
    }
  } finally {
    show.end()
    if (context.signal.aborted) context.terminal.note('interrupted: stopping the nodes')
    if (!keep || !ended) await demo.stop()
  }
  return keep && ended
}

/** Time that runs out is no error: the outcome says what is missing. */
async function withinLimit(context: Context, demo: Demo, limitS: number): Promise<DemoOutcome> {
  const limit = AbortSignal.timeout(limitS * 1_000)
  try {
    return await demo.run(AbortSignal.any([context.signal, limit]))
  } catch (error) {
    context.signal.throwIfAborted()
    if (!limit.aborted) throw error
    return demo.outcome()
  }
}

interface Show {
  snapshot(snapshot: Snapshot): void
  end(): void
}

/** A live table on a terminal; one line for each thing that happens elsewhere (on stderr when stdout is for a document). */
function openShow({ terminal }: Context, json: boolean): Show {
  if (!json && terminal.outLive) {
    const region = openLiveRegion(
      (text) => terminal.writeOut(text),
      () => terminal.rows(),
    )
    return { snapshot: (snapshot) => region.draw(demoView(snapshot, terminal.columns(), terminal.out)), end: () => region.end() }
  }
  let before: Snapshot | undefined
  const line = (text: string): void => (json ? terminal.note(text) : terminal.print(text))
  return {
    snapshot: (after) => {
      for (const change of changesBetween(before, after)) line(`${(after.elapsedMs / 1_000).toFixed(1).padStart(5)} s  ${change}`)
      before = after
    },
    end: () => {},
  }
}

function report(context: Context, json: boolean, { snapshot, conditions }: DemoOutcome, kept: readonly string[]): void {
  const { terminal } = context
  if (json) {
    printJson(context, demoDocument(snapshot, conditions))
    for (const dir of kept) terminal.note(`still running: sgsd status --data-dir ${dir}; sgsd down --data-dir ${dir}`)
    return
  }
  const ok = conditions.every((condition) => condition.ok)
  for (const line of endView({ ok, snapshot, conditions, kept, program: programName() }, terminal.columns(), terminal.out)) terminal.print(line)
}

/** `scripts/sgsd` in a checkout, `sgsd` where it is installed. */
function programName(): string {
  return import.meta.filename.endsWith('.ts') ? 'scripts/sgsd' : 'sgsd'
}

function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0
  if (value > 0 && value <= 86_400) return value
  throw new InvalidArgumentError('seconds are needed, more than 0')
}
