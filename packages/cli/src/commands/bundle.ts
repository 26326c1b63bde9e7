import {
  type BundleRange,
  type BundleResult,
  combineResults,
  coverageFault,
  formatBundle,
  formatBundleResult,
  hex64,
  makeBundle,
  polarityOf,
  rangeFingerprint,
  type SeedBundle,
} from '@sgsd/color'
import { type Command, InvalidArgumentError } from 'commander'
import { partOf, readBundle, readResults } from '../bundle-file.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addGroup, addLeaf, bigNumber, collect, type CommonOptions, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { openProgress } from '../progress.ts'
import { PUBLISHED_SEED } from '../published.ts'
import { rate } from '../text/figures.ts'
import { writeText } from '../text-file.ts'
import { bundleView, digits, rangeTable, resultView } from '../view/bundle.ts'

interface MakeFlags extends CommonOptions {
  readonly host?: readonly string[]
  readonly range?: readonly string[]
  readonly total?: bigint
  readonly seed?: bigint
  readonly expect?: boolean
  readonly out?: string
  readonly threads?: number
}

interface RunFlags extends CommonOptions {
  readonly host?: string
  readonly out?: string
  readonly threads?: number
}

const ARTEFACT = 'Its JSON goes to standard output, or to a file with --out, and then a table is shown.'

export function addBundle(program: Command, context: Context): void {
  const group = addGroup(program, 'bundle', 'seed bundles: one job for several hosts that need not know each other')
  addLeaf(group, {
    name: 'make',
    nodeless: true,
    summary: 'make a bundle: who computes which indices of a turbo32 stream',
    details: `--host splits --total evenly, the last host takes the remainder; --range says it index by index, without gap or overlap. ${ARTEFACT}`,
    examples: [
      'sgsd bundle make --host atlas,boreas,flora --total 1500000000 --expect > bundle.json',
      'sgsd bundle make --range atlas:0:1000 --range boreas:1000:500 --seed 42 --out bundle.json',
    ],
  })
    .option('--host <names>', 'hosts, separated by commas; may be given more than once', collect)
    .option('--range <host:start:count>', 'one part; may be given more than once', collect)
    .option('--total <count>', 'indices from 0 on, with --host', bigNumber)
    .option('--seed <number>', `colour seed (default: ${PUBLISHED_SEED})`, bigNumber)
    .option('--expect', 'compute the fingerprint of the whole here and now, as expected_xor')
    .option('--out <file>', 'write the bundle to a file')
    .option('--threads <count>', 'worker threads (default: half the cores)', wholeNumber(1, 1_024))
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<MakeFlags>(command)
      const planned = planBundle(flags)
      const bundle = flags.expect === true ? await expecting(context, planned, flags.threads) : planned
      await deliver(context, flags, formatBundle(bundle), 'sgsd.bundle/1', () => bundleView(bundle, context.terminal.columns(), context.terminal.out))
    })
  addLeaf(group, {
    name: 'mine',
    nodeless: true,
    arguments: [['<bundle>', 'a bundle of this kind or of the older decimal form; - reads standard input']],
    summary: "this host's part of a bundle",
    examples: ['sgsd bundle mine bundle.json', 'sgsd bundle mine bundle.json --host atlas --json'],
  })
    .option('--host <name>', "another host's part (default: this machine's host name)")
    .action(async (file: string, _flags, command: Command) => {
      const flags = optionsOf<RunFlags>(command)
      const bundle = await readBundle(context, file)
      const { host, ranges } = partOf(bundle, flags.host)
      if (flags.json === true) {
        const shown = ranges.map(({ start, count, polarity }) => ({ start: hex64(start), count: hex64(count), polarity }))
        return printJson(context, { schema: 'sgsd.bundle-mine/1', host, seed: hex64(bundle.seed), ranges: shown })
      }
      for (const line of rangeTable(ranges, bundle.seed, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
    })
  addLeaf(group, {
    name: 'run',
    nodeless: true,
    arguments: [['<bundle>', 'a bundle; - reads standard input']],
    summary: "compute this host's part of a bundle",
    details: `A result holds each range with its fingerprint, seed ^ XOR of its colours. ${ARTEFACT}`,
    examples: ['sgsd bundle run bundle.json > atlas.json', 'sgsd bundle run bundle.json --host boreas --threads 8 --out boreas.json'],
  })
    .option('--host <name>', "run another host's part (default: this machine's host name)")
    .option('--out <file>', 'write the result to a file')
    .option('--threads <count>', 'worker threads (default: half the cores)', wholeNumber(1, 1_024))
    .action(async (file: string, _flags, command: Command) => {
      const flags = optionsOf<RunFlags>(command)
      const bundle = await readBundle(context, file)
      const { host, ranges } = partOf(bundle, flags.host)
      const result = { seed: bundle.seed, host, ranges: await fingerprints(context, bundle.seed, ranges, flags.threads) }
      // a result names its own schema, so --json changes nothing but that it is printed even with --out
      await deliver(context, flags, formatBundleResult(result), undefined, () => resultView(result, context.terminal.out))
    })
  addLeaf(group, {
    name: 'combine',
    nodeless: true,
    arguments: [
      ['<bundle>', 'the bundle that was shared out'],
      ['<results...>', 'what its hosts sent back; - reads standard input, a result a line'],
    ],
    summary: 'put the results of a bundle together and check them',
    details:
      'Every index must be there once. Exit 2 when some are missing, overlap or belong to another bundle; exit 7 when two hosts disagree or the ' +
      'fingerprint is not the one expected.',
    examples: ['sgsd bundle combine bundle.json atlas.json boreas.json', 'cat results/*.json | sgsd bundle combine bundle.json - --json'],
  }).action(async (file: string, files: readonly string[], _flags, command: Command) => {
    if (file === '-' && files.includes('-')) throw new CliError('INPUT_TWICE', 'standard input can be read only once', EXIT.usage)
    printCombined(context, optionsOf(command), await readBundle(context, file), await readResults(context, files))
  })
}

function printCombined(context: Context, { json }: CommonOptions, bundle: SeedBundle, results: readonly BundleResult[]): void {
  const combined = combineResults(bundle, results)
  if (!combined.ok) {
    const disagree = combined.fault === 'disagreement'
    throw new CliError(
      disagree ? 'RESULTS_DISAGREE' : 'RESULTS_INCOMPLETE',
      combined.reason,
      disagree ? EXIT.disagreement : EXIT.usage,
      disagree ? 'run that range on a third host' : 'sgsd bundle run computes a part',
    )
  }
  const { fingerprint, xor, agrees } = combined
  if (agrees === false) context.exitCode = EXIT.disagreement
  if (json === true) {
    const expected = bundle.expectedXor === undefined ? null : hex64(bundle.expectedXor)
    const document = { schema: 'sgsd.bundle-combine/1', seed: hex64(bundle.seed), total: hex64(bundle.total), results: results.length }
    return printJson(context, { ...document, xor: hex64(xor), fingerprint: hex64(fingerprint), expected_xor: expected, ok: agrees ?? null })
  }
  const { out } = context.terminal
  const verdict =
    agrees === undefined
      ? 'nothing to compare with: the bundle expects no fingerprint'
      : agrees
        ? `${out.green('✓')} as expected`
        : `${out.red('✗')} expected ${hex64(bundle.expectedXor!)}`
  context.terminal.print(`${out.block(hex64(fingerprint).slice(-6))} ${hex64(fingerprint)}  ${out.bold('fingerprint')}  ${verdict}`)
  context.terminal.print(`xor ${hex64(xor)}  ${digits(bundle.total)} colours in ${results.length} ${results.length === 1 ? 'result' : 'results'}`)
}

/** @throws CliError BUNDLE_UNCLEAR or BUNDLE_INVALID, exit 2 */
function planBundle({ host, range, total, seed = PUBLISHED_SEED }: MakeFlags): SeedBundle {
  if ((host === undefined) === (range === undefined))
    throw new CliError('BUNDLE_UNCLEAR', 'a bundle needs either --host with --total, or --range', EXIT.usage, 'sgsd bundle make --help')
  if (range !== undefined) {
    if (total !== undefined) throw new CliError('BUNDLE_UNCLEAR', '--range says the counts itself: --total does not go with it', EXIT.usage)
    const ranges = range.map(parsePart)
    const whole = ranges.reduce((sum, { count }) => sum + count, 0n)
    const fault = whole >> 64n > 0n ? 'the ranges hold more than 2^64 − 1 indices' : coverageFault(ranges, whole)
    if (fault !== undefined) throw new CliError('BUNDLE_INVALID', fault, EXIT.usage)
    return { seed, ranges, total: whole, expectedXor: undefined }
  }
  const names = host!.flatMap((list) => list.split(',')).map((name) => name.trim())
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice !== undefined) throw new CliError('BUNDLE_INVALID', `host ${JSON.stringify(twice)} is there twice`, EXIT.usage)
  const bad = names.find((name) => name === '' || name.length > 255)
  if (bad !== undefined) throw new CliError('BUNDLE_INVALID', 'a host needs a name of 1 to 255 characters', EXIT.usage)
  if (total === undefined) throw new CliError('BUNDLE_UNCLEAR', '--host needs --total, the indices to share out', EXIT.usage)
  return makeBundle(seed, names, total)
}

function parsePart(text: string, place: number): BundleRange {
  const [, host, start, count] = /^(.+):([^:]*):([^:]*)$/.exec(text) ?? []
  if (host === undefined || host.length > 255) throw new CliError('BUNDLE_INVALID', `--range ${text}: host:start:count is needed`, EXIT.usage)
  try {
    return { host, start: bigNumber(start!), count: bigNumber(count!), polarity: polarityOf(place) }
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new CliError('BUNDLE_INVALID', `--range ${text}: ${error.message}`, EXIT.usage)
  }
}

async function expecting(context: Context, bundle: SeedBundle, threads: number | undefined): Promise<SeedBundle> {
  const first = bundle.ranges.reduce((least, { start }) => (start < least ? start : least), bundle.ranges[0]!.start)
  const [whole] = await fingerprints(context, bundle.seed, [{ start: first, count: bundle.total }], threads)
  return { ...bundle, expectedXor: whole!.fingerprint }
}

/** Ranges that are computed at once here, in less time than threads take to start. */
const FEW_COLOURS = 2n ** 24n

async function fingerprints(
  context: Context,
  seed: bigint,
  ranges: readonly { readonly start: bigint; readonly count: bigint }[],
  threads: number | undefined,
): Promise<BundleResult['ranges']> {
  const total = ranges.reduce((sum, { count }) => sum + count, 0n)
  if (total <= FEW_COLOURS) return ranges.map(({ start, count }) => ({ start, count, fingerprint: rangeFingerprint('turbo32', seed, start, count) }))
  await using compute = await context.edges.colours(threads === undefined ? {} : { threads })
  const progress = openProgress(context.terminal, `turbo32 on ${compute.engine}`, Number(total), rate)
  const results: BundleResult['ranges'][number][] = []
  let before = 0n
  try {
    for (const { start, count } of ranges) {
      const xor = await compute.rangeXor('turbo32', seed, start, count, context.signal, (done) => progress.update(Number(before + done)))
      results.push({ start, count, fingerprint: seed ^ xor })
      before += count
    }
  } finally {
    progress.end()
  }
  return results
}

/** An artefact: on standard output, unless --out names a file; then a table, or with --json the artefact all the same. */
async function deliver(
  context: Context,
  { out, json }: { readonly out?: string; readonly json?: boolean },
  text: string,
  schema: string | undefined,
  view: () => readonly string[],
): Promise<void> {
  if (out !== undefined) await writeText(out, `${text}\n`)
  if (json === true && schema !== undefined) context.terminal.print(text.replace('{', `{"schema":${JSON.stringify(schema)},`))
  else if (json === true || out === undefined) context.terminal.print(text)
  else for (const line of view()) context.terminal.print(line)
}
