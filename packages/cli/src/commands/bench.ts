import { composeXor, hex64, planStrategy, STRATEGY_NAMES, type StrategyName } from '@sgsd/color'
import type { ColourCompute, EngineBench, GameCompute } from '@sgsd/compute'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addLeaf, bigNumber, type CommonOptions, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { openProgress } from '../progress.ts'
import { PUBLISHED_SEED } from '../published.ts'
import { rate } from '../text/figures.ts'
import { engineView, type ProfileRun, profileView } from '../view/bench.ts'

const DEFAULT_MS = 400
const DEFAULT_COLOURS = 100_000_000n
const WARM_UP_MS = 50
const WARM_UP_COLOURS = 2n ** 22n
const KERNELS = ['spi64', 'turbo32'] as const

interface BenchFlags extends CommonOptions {
  readonly kernel?: (typeof KERNELS)[number]
  readonly ms?: number
  readonly profile?: StrategyName | 'all'
  readonly count?: bigint
  readonly seed?: bigint
  readonly threads?: number
}

export function addBench(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'bench',
    nodeless: true,
    summary: 'how fast every colour engine is here, and whether it is right',
    details:
      'Each engine runs alone on all its threads. Exit 7 when one gives a wrong fingerprint. With --profile, a strategy of the published tables: it runs on ' +
      'the fastest engine where its parts are plain ranges (gigastream, in steps of 3, runs in plain JavaScript), and drops the colours that do not fill its ' +
      'lanes, as published.',
    examples: [
      'sgsd bench',
      'sgsd bench --kernel turbo32 --ms 2000 --threads 8',
      'sgsd bench --profile all --count 10000000',
      'sgsd bench --profile gigafearless --count 3000000 --json',
    ],
  })
    .addOption(new Option('--kernel <kernel>', 'only this kernel').choices(KERNELS))
    .option('--ms <ms>', `how long each engine is timed for each kernel (default: ${DEFAULT_MS})`, wholeNumber(20, 600_000))
    .addOption(new Option('--profile <name>', 'run a strategy of the published tables, or all of them').choices([...STRATEGY_NAMES, 'all']))
    .option('--count <count>', `with --profile: colours (default: ${DEFAULT_COLOURS})`, bigNumber)
    .option('--seed <number>', `with --profile: colour seed (default: ${PUBLISHED_SEED})`, bigNumber)
    .option('--threads <count>', 'worker threads (default: half the cores)', wholeNumber(1, 1_024))
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<BenchFlags>(command)
      refuseOther(flags)
      await using compute = await context.edges.colours(flags.threads === undefined ? {} : { threads: flags.threads })
      if (flags.profile === undefined) await benchEngines(context, flags, compute)
      else await benchProfiles(context, flags, compute, flags.profile === 'all' ? STRATEGY_NAMES : [flags.profile])
    })
}

/** A flag that would be ignored is a misunderstanding. @throws CliError FLAGS_CONFLICT, exit 2 */
function refuseOther({ profile, kernel, ms, count, seed }: BenchFlags): void {
  const [one, others] = profile === undefined ? (['needs', { count, seed }] as const) : (['does not go with', { kernel, ms }] as const)
  for (const [name, value] of Object.entries(others))
    if (value !== undefined) throw new CliError('FLAGS_CONFLICT', `--${name} ${one} --profile`, EXIT.usage, 'sgsd bench --help')
}

async function benchEngines(context: Context, { kernel, ms = DEFAULT_MS, json }: BenchFlags, compute: ColourCompute): Promise<void> {
  const kernels = kernel === undefined ? KERNELS : [kernel]
  const usable = compute.engines.filter(({ state }) => state !== 'missing' && state !== 'wrong').length
  const progress = openProgress(context.terminal, 'engines', usable * kernels.length)
  let done = 0
  const rows: readonly EngineBench[] = await compute
    .benchEngines(kernels, ms, context.signal, () => progress.update(++done))
    .finally(() => progress.end())
  if (rows.some(({ ok }) => !ok)) context.exitCode = EXIT.disagreement
  if (json === true) return printJson(context, { schema: 'sgsd.bench/1', engines: rows })
  const { out } = context.terminal
  const ordered = [...rows].sort((a, b) => KERNELS.indexOf(a.kernel) - KERNELS.indexOf(b.kernel) || b.coloursPerSecond - a.coloursPerSecond)
  for (const line of engineView(ordered, context.terminal.columns(), out)) context.terminal.print(line)
  const measured = new Set(rows.map(({ engine }) => engine))
  for (const { engine, state, why } of compute.engines) {
    if (!measured.has(engine)) context.terminal.print(out.dim(`${engine}: ${state}, ${why}`))
  }
}

async function benchProfiles(context: Context, flags: BenchFlags, compute: ColourCompute, names: readonly StrategyName[]): Promise<void> {
  const { count = DEFAULT_COLOURS, seed = PUBLISHED_SEED } = flags
  if (names.some((name) => planStrategy(name, seed, count).every((part) => part.count === 0n)))
    throw new CliError('COUNT_TOO_SMALL', `${count} colours do not fill the lanes of ${names.join(', ')}`, EXIT.usage, '--count 10000000')
  await using games = await context.edges.games({ threads: compute.threads })
  // threads start and their first code is slow: neither is what a profile is about
  await compute.measure('turbo32', WARM_UP_MS)
  await games.partXor({ kernel: 'turbo32', seed, start: 0n, stride: 3n, count: WARM_UP_COLOURS }, context.signal)
  const runs: ProfileRun[] = []
  for (const name of names) runs.push(await runProfile(context, compute, games, name, seed, count))
  const fastest = Math.max(...runs.map(({ coloursPerSecond }) => coloursPerSecond))
  const ranked = runs.map((run) => ({ ...run, best: run.coloursPerSecond === fastest }))
  if (flags.json === true) return printJson(context, { schema: 'sgsd.bench-profile/1', profiles: ranked })
  for (const line of profileView(ranked, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
}

async function runProfile(
  context: Context,
  compute: ColourCompute,
  games: GameCompute,
  profile: StrategyName,
  seed: bigint,
  asked: bigint,
): Promise<ProfileRun> {
  const parts = planStrategy(profile, seed, asked)
  const count = parts.reduce((sum, part) => sum + part.count, 0n)
  const inSteps = parts.some(({ stride }) => stride !== 1n)
  const progress = openProgress(context.terminal, profile, Number(count), rate)
  const began = performance.now()
  const fingerprints: bigint[] = []
  let before = 0n
  try {
    for (const part of parts) {
      const onProgress = (done: bigint): void => progress.update(Number(before + done))
      const xor = inSteps
        ? await games.partXor(part, context.signal, onProgress)
        : await compute.rangeXor(part.kernel, part.seed, part.start, part.count, context.signal, onProgress)
      fingerprints.push(part.seed ^ xor)
      before += part.count
    }
  } finally {
    progress.end()
  }
  const durationMs = performance.now() - began
  return {
    profile,
    seed: hex64(seed),
    asked: hex64(asked),
    count: hex64(count),
    dropped: hex64(asked - count),
    engine: inSteps ? 'javascript' : compute.engine,
    threads: inSteps ? games.threads : compute.threads,
    durationMs: Math.round(durationMs * 10) / 10,
    coloursPerSecond: Math.round((Number(count) / durationMs) * 1_000),
    fingerprints: fingerprints.map(hex64),
    fingerprint: hex64(composeXor(fingerprints)),
    best: false,
  }
}
