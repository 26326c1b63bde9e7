import { CHUNK_COLOURS, GAY_SEED } from '@sgsd/color'
import { predictScale, PUBLISHED_SCALE, type ScaleInputs, type Stage } from '@sgsd/consensus'
import { type Command, InvalidArgumentError } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addLeaf, bigNumber, type CommonOptions, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { messageSizes } from '../message-size.ts'
import { openProgress, type Progress } from '../progress.ts'
import { count } from '../text/figures.ts'
import { type ScaleDocument, scaleView, simulationView } from '../view/scale.ts'

/** The published table's sizes. */
const MACHINES = [1, 2, 3, 10, 34, 1_000, 1_000_000] as const
const MOST_MACHINES = 1_000_000
/** Peers that gossipsub forwards to. */
const FAN_OUT = 6
/** Work in one claim, as the mine loop cuts it. */
const CLAIM_SECONDS = 1.5
const EPOCH_COLOURS = 2n ** 40n
const MAX_EPOCH_COLOURS = 2n ** 44n
const MEASURE_MS = 500
/** Chunks of a simulated epoch: enough for small meshes to differ in their ranges, and the default epoch for the largest. */
const LEAST_CHUNKS = 2 ** 12
const MOST_CHUNKS = 2 ** 20

interface ScaleFlags extends CommonOptions {
  readonly rate?: number
  readonly machines?: readonly number[]
  readonly fanOut: number
  readonly epochColours?: bigint
  readonly simulate?: number
  readonly chunks?: number
  readonly seed?: bigint
  readonly threads?: number
}

export function addScale(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'scale',
    nodeless: true,
    summary: 'what a mesh of N machines like this one would do and send',
    details:
      'From the rate measured here, the size of claims and beats as they are encoded, and the fan-out of gossip; published figures stand beside it and are ' +
      'marked as such. A mesh admits 4,096 members: larger rows say what the same rules would cost. --simulate runs one epoch of N members in this process, ' +
      'with the real partition and claims (stand-ins for the colours), a tree that adds the claims up and gossip over a random graph, and checks that ' +
      'ranges are disjoint and complete and that messages are as many as they should be. Exit 7 when a check fails.',
    examples: [
      'sgsd scale',
      'sgsd scale --rate 2.03e9 --machines 1,34 --json',
      'sgsd scale --simulate 1000000',
      'sgsd scale --simulate 34 --fan-out 3 --json',
    ],
  })
    .option('--rate <colours/s>', 'rate of one machine (default: measured here)', colourRate)
    .option('--machines <counts>', `sizes, separated by commas (default: ${MACHINES.join(',')})`, machineCounts)
    .option('--fan-out <peers>', 'peers that a member forwards to, and children in the tree', wholeNumber(2, 64), FAN_OUT)
    .option('--epoch-colours <count>', 'indices of an epoch, whole chunks of 2^20 (default: 2^40)', bigNumber)
    .option('--simulate <machines>', `run an epoch of so many, up to ${MOST_MACHINES}`, wholeNumber(1, MOST_MACHINES))
    .option('--chunks <count>', 'with --simulate: chunks of the epoch (default: as many as machines, 2^12 to 2^20)', wholeNumber(1, 2 ** 22))
    .option('--seed <number>', 'with --simulate: seed of names, rates and links', bigNumber)
    .option('--threads <count>', 'threads that the rate is measured on (default: half the cores)', wholeNumber(1, 1_024))
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<ScaleFlags>(command)
      refuseOther(flags)
      if (flags.simulate === undefined) await predict(context, flags)
      else await simulate(context, flags, flags.simulate)
    })
}

/** A flag that would be ignored is a misunderstanding. @throws CliError FLAGS_CONFLICT, exit 2 */
function refuseOther({ simulate, chunks, seed, rate, machines, epochColours, threads }: ScaleFlags): void {
  const others = simulate === undefined ? { chunks, seed } : { rate, machines, 'epoch-colours': epochColours, threads }
  const how = simulate === undefined ? 'needs' : 'does not go with'
  for (const [name, value] of Object.entries(others))
    if (value !== undefined) throw new CliError('FLAGS_CONFLICT', `--${name} ${how} --simulate`, EXIT.usage, 'sgsd scale --help')
}

async function predict(context: Context, flags: ScaleFlags): Promise<void> {
  const { epochColours = EPOCH_COLOURS, machines = MACHINES, fanOut } = flags
  if (epochColours % BigInt(CHUNK_COLOURS) !== 0n || epochColours === 0n || epochColours > MAX_EPOCH_COLOURS)
    throw new CliError('EPOCH_INVALID', 'an epoch is a whole number of chunks of 2^20 colours, from one chunk to 2^44 colours', EXIT.usage)
  const { rate, origin } = flags.rate === undefined ? await measured(context, flags.threads) : { rate: flags.rate, origin: 'as told by --rate' }
  const inputs: ScaleInputs = { rate, epochColours: Number(epochColours), ...messageSizes(), fanOut, claimSeconds: CLAIM_SECONDS }
  const document: ScaleDocument = {
    schema: 'sgsd.scale/1',
    kernel: 'spi64',
    inputs,
    rateOrigin: origin,
    rows: machines.map((size) => ({ ...predictScale(inputs, size), published: PUBLISHED_SCALE.find((row) => row.machines === size) ?? null })),
  }
  if (flags.json === true) return printJson(context, document)
  for (const line of scaleView(document, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
}

async function measured(context: Context, threads: number | undefined): Promise<{ rate: number; origin: string }> {
  await using compute = await context.edges.colours(threads === undefined ? {} : { threads })
  const rate = await compute.measure('spi64', MEASURE_MS)
  context.signal.throwIfAborted()
  return { rate, origin: `measured here: ${compute.engine} on ${compute.threads} ${compute.threads === 1 ? 'thread' : 'threads'}` }
}

async function simulate(context: Context, { fanOut, chunks, seed = GAY_SEED, json }: ScaleFlags, machines: number): Promise<void> {
  await using games = await context.edges.games({ threads: 1 })
  const began = performance.now()
  const simulation = { machines, chunks: chunks ?? Math.min(MOST_CHUNKS, Math.max(LEAST_CHUNKS, machines)), fanOut, seed }
  const stages = openStages(context, machines)
  const report = await games.simulate(simulation, context.signal, stages.update).finally(stages.end)
  const ok = report.checks.every((check) => check.ok)
  if (!ok) context.exitCode = EXIT.disagreement
  const document = { ...report, seed: `0x${seed.toString(16).padStart(16, '0')}`, ok, durationMs: Math.round(performance.now() - began) }
  if (json === true) return printJson(context, { schema: 'sgsd.scale-simulation/1', ...document })
  for (const line of simulationView(document, context.terminal.out)) context.terminal.print(line)
}

/** A progress line for each stage: they take times that have nothing to do with each other. */
function openStages({ terminal }: Context, machines: number): { update: (stage: Stage, share: number) => void; end: () => void } {
  let shown: { readonly stage: Stage; readonly progress: Progress } | undefined
  return {
    update: (stage, share) => {
      if (shown?.stage !== stage) {
        shown?.progress.update(1)
        shown?.progress.end()
        shown = { stage, progress: openProgress(terminal, `${count(machines)} machines: ${stage}`, 1) }
      }
      shown.progress.update(share)
    },
    end: () => shown?.progress.end(),
  }
}

function colourRate(text: string): number {
  const value = /^\d+(\.\d+)?(e\d{1,2})?$/i.test(text) ? Number(text) : 0
  if (value >= 1 && value <= 1e18) return value
  throw new InvalidArgumentError('colours per second are needed, from 1 to 1e18, e.g. 2.03e9')
}

function machineCounts(text: string): readonly number[] {
  return text.split(',').map((size) => wholeNumber(1, MOST_MACHINES)(size.trim()))
}
