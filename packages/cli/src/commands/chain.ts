import { type ChainResult, condenseChain, deriveChain, hex64, parallelChains, type ParallelChains, spi64 } from '@sgsd/color'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addLeaf, bigNumber, collect, type CommonOptions, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { openProgress } from '../progress.ts'
import { PUBLISHED_SEED } from '../published.ts'
import { plainText } from '../text/display-width.ts'
import { rate } from '../text/figures.ts'
import { type ChainDocument, challengesOf, challengesView, chainView, parallelDocument, parallelView } from '../view/chain.ts'

const DEFAULT_LENGTH = 16
/** Colours of a long chain that are listed: all of a short one. */
const LISTED = 1_000
/** Steps that are taken at once here: some 40 ms, less than a thread takes to start. */
const SHORT = 2 ** 20
const MAX_CHAINS = 65_536
const MAX_ROUNDS = 1_000

interface ChainFlags extends CommonOptions {
  readonly seed?: bigint
  readonly from?: bigint
  readonly length: number
  readonly parallel?: number
  readonly checkpoints?: boolean
  readonly challenge?: readonly string[]
  readonly rounds: number
  readonly threads?: number
}

export function addChain(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'chain',
    nodeless: true,
    summary: 'a derivation chain: each colour mixed into the next',
    details:
      'It begins with the seed, or with --from at an index of its stream. The owner of a colour goes by its depth: MINUS, ERGODIC, PLUS in turn. ' +
      'With --parallel, chains that start evenly over 2^32 indices, condensed to fingerprints.',
    examples: [
      'sgsd chain --length 8',
      'sgsd chain --seed 0x6761795f636f6c6f --from 42 --length 2000000000',
      'sgsd chain --parallel 8 --length 1000 --checkpoints',
      'sgsd chain --parallel 3 --challenge atlas --challenge boreas --rounds 2 --json',
    ],
  })
    .option('--seed <number>', `colour seed (default: ${PUBLISHED_SEED})`, bigNumber)
    .option('--from <index>', 'begin with the colour at this index of the stream', bigNumber)
    .option('--length <count>', 'colours in the chain, or in each of them', wholeNumber(1, Number.MAX_SAFE_INTEGER), DEFAULT_LENGTH)
    .option('--parallel <chains>', 'so many independent chains', wholeNumber(1, MAX_CHAINS))
    .option('--checkpoints', 'with --parallel: where each is checked, half-way and at its end, and the colour expected there')
    .option('--challenge <host>', 'with --parallel: the index that a host is asked for; may be given more than once', collect)
    .option('--rounds <count>', 'with --challenge: rounds of questions', wholeNumber(1, MAX_ROUNDS), 1)
    .option('--threads <count>', 'worker threads (default: half the cores)', wholeNumber(1, 1_024))
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<ChainFlags>(command)
      if (flags.parallel !== undefined) return printParallel(context, flags, flags.parallel)
      for (const [given, name] of [
        [flags.checkpoints, '--checkpoints'],
        [flags.challenge, '--challenge'],
      ] as const) {
        if (given !== undefined) throw new CliError('FLAG_NEEDS_PARALLEL', `${name} needs --parallel`, EXIT.usage, 'sgsd chain --help')
      }
      await printChain(context, flags)
    })
}

async function printChain(context: Context, { seed = PUBLISHED_SEED, from, length, threads, json }: ChainFlags): Promise<void> {
  const first = from === undefined ? seed : spi64(seed, from)
  const { fingerprint, last } = length <= SHORT ? condenseChain(first, length) : await walkChain(context, first, length, threads)
  const document: ChainDocument = {
    schema: 'sgsd.chain/1',
    seed: hex64(seed),
    from: from === undefined ? null : hex64(from),
    length,
    colours: deriveChain(first, length <= LISTED ? length : DEFAULT_LENGTH).map(hex64),
    fingerprint: hex64(fingerprint),
    last: hex64(last),
  }
  if (json === true) return printJson(context, document)
  for (const line of chainView(document, context.terminal.out)) context.terminal.print(line)
}

async function walkChain(context: Context, first: bigint, length: number, threads: number | undefined): Promise<ChainResult> {
  await using games = await context.edges.games(threads === undefined ? {} : { threads })
  const progress = openProgress(context.terminal, 'chain', length, rate)
  return await games.chain(first, length, context.signal, (done) => progress.update(Number(done))).finally(() => progress.end())
}

async function walkChains(context: Context, seed: bigint, chains: number, length: number, threads: number | undefined): Promise<ParallelChains> {
  await using games = await context.edges.games(threads === undefined ? {} : { threads })
  const progress = openProgress(context.terminal, `${chains} chains`, chains * length, rate)
  return await games.chains(seed, chains, length, context.signal, (done) => progress.update(Number(done))).finally(() => progress.end())
}

async function printParallel(context: Context, flags: ChainFlags, chains: number): Promise<void> {
  const { seed = PUBLISHED_SEED, from, length, threads, json } = flags
  if (from !== undefined) throw new CliError('FLAGS_CONFLICT', '--parallel spreads the chains by itself: --from does not go with it', EXIT.usage)
  const result = chains * length <= SHORT ? parallelChains(seed, chains, length) : await walkChains(context, seed, chains, length, threads)
  const document = parallelDocument(seed, length, result, flags.checkpoints === true)
  const challenges = challengesOf(seed, flags.challenge ?? [], flags.rounds)
  if (json === true) return printJson(context, { ...document, challenges })
  const { out } = context.terminal
  for (const line of parallelView(document, context.terminal.columns(), out)) context.terminal.print(line)
  const shown = challenges.map((challenge) => ({ ...challenge, host: plainText(challenge.host) }))
  for (const line of challengesView(shown, context.terminal.columns(), out)) context.terminal.print(line)
}
