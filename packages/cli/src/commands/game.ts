import { hex64, spi64 } from '@sgsd/color'
import type { GameCompute } from '@sgsd/compute'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addGroup, addLeaf, bigNumber, type CommonOptions, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { openProgress } from '../progress.ts'
import { PUBLISHED_SEED } from '../published.ts'
import { count as countText, rate } from '../text/figures.ts'
import { digits } from '../view/bundle.ts'
import { cycleDocument, cyclesView, findDocument, findsView } from '../view/game.ts'
import { addDisguise } from './disguise.ts'

const DEFAULT_COLOURS = 10_000_000n
const DEFAULT_TOP = 5
const DEFAULT_STEPS = 100_000_000
const MAX_TOP = 1_000
const MAX_STARTS = 4_096

interface SearchFlags extends CommonOptions {
  readonly seed?: bigint
  readonly from?: bigint
  readonly count?: bigint
  readonly threads?: number
}

export function addGame(program: Command, context: Context): void {
  const group = addGroup(program, 'game', 'three games with colours: furthest, fixed points and cycles, disguise')
  withSearch(
    addLeaf(group, {
      name: 'furthest',
      nodeless: true,
      summary: "the colour that is furthest from a name's hash",
      details: 'Furthest is nearest to the complement, by bits that differ; of equals the first wins.',
      examples: ['sgsd game furthest', 'sgsd game furthest --name atlas --count 2^32 --json'],
    }),
  )
    .option('--name <text>', 'the name', 'gay')
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<SearchFlags & { name: string }>(command)
      const { seed, range } = searchOf(flags)
      const found = await playing(context, flags, 'furthest', Number(range.count), (games, told) =>
        games.furthest(seed, range, flags.name, context.signal, told),
      )
      const finds = found === undefined ? [] : [findDocument(found)]
      if (flags.json === true)
        return printJson(context, { schema: 'sgsd.game-furthest/1', name: flags.name, ...shown(seed, range), found: finds[0] ?? null })
      for (const line of findsView(finds, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
    })
  withSearch(
    addLeaf(group, {
      name: 'fixed-point',
      nodeless: true,
      summary: 'colours that mix moves least: approximate fixed points',
      details: 'By popcount(mix(c) ^ c): 0 would be a fixed point, 32 is what chance gives.',
      examples: ['sgsd game fixed-point --count 200000', 'sgsd game fixed-point --top 20 --count 2^32 --threads 16'],
    }),
  )
    .option('--top <count>', 'so many of the nearest', wholeNumber(1, MAX_TOP), DEFAULT_TOP)
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<SearchFlags & { top: number }>(command)
      const { seed, range } = searchOf(flags)
      const found = await playing(context, flags, 'fixed-point', Number(range.count), (games, told) =>
        games.nearFixedPoints(seed, range, flags.top, context.signal, told),
      )
      const finds = found.map(findDocument)
      if (flags.json === true)
        return printJson(context, {
          schema: 'sgsd.game-fixed-point/1',
          ...shown(seed, range),
          exact: finds.some(({ distance }) => distance === 0),
          nearest: finds,
        })
      for (const line of findsView(finds, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
    })
  addCycle(group, context)
  addDisguise(group, context)
}

interface CycleFlags extends CommonOptions {
  readonly seed?: bigint
  readonly width: number
  readonly starts: number
  readonly maxSteps: number
  readonly threads?: number
}

function addCycle(group: Command, context: Context): void {
  addLeaf(group, {
    name: 'cycle',
    nodeless: true,
    summary: 'where a derivation chain comes back to itself',
    details:
      "Brent's search in constant memory, bounded by --max-steps. mix is a bijection of 64 bits, so a whole chain can only return to its start, some 2^63 " +
      'steps away: no bound that a person waits for finds that. Colours cut to --width bits have tails and short cycles. Starts are searched in parallel.',
    examples: ['sgsd game cycle --width 32', 'sgsd game cycle --width 40 --starts 8 --json', 'sgsd game cycle --max-steps 1000000'],
  })
    .option('--width <bits>', 'bits that are kept of each colour, 1 to 64', wholeNumber(1, 64), 64)
    .option('--starts <count>', 'so many starts: the seed, then colours of its stream', wholeNumber(1, MAX_STARTS), 1)
    .option('--max-steps <count>', 'give up after so many steps', wholeNumber(1, Number.MAX_SAFE_INTEGER), DEFAULT_STEPS)
    .option('--seed <number>', `where the first search starts (default: ${PUBLISHED_SEED})`, bigNumber)
    .option('--threads <count>', 'worker threads (default: half the cores)', wholeNumber(1, 1_024))
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<CycleFlags>(command)
      const { seed = PUBLISHED_SEED, width, maxSteps } = flags
      const starts = Array.from({ length: flags.starts }, (_, place) => BigInt.asUintN(width, place === 0 ? seed : spi64(seed, BigInt(place))))
      const searches = await playing(context, flags, `cycle, at most ${countText(maxSteps)} steps`, flags.starts * maxSteps, (games, told) =>
        games.cycles(starts, width, maxSteps, context.signal, told),
      )
      const cycles = searches.map((search, place) => cycleDocument(starts[place]!, search))
      if (flags.json === true) return printJson(context, { schema: 'sgsd.game-cycle/1', seed: hex64(seed), width, maxSteps, cycles })
      for (const line of cyclesView(cycles, context.terminal.columns(), width, context.terminal.out)) context.terminal.print(line)
    })
}

function withSearch(command: Command): Command {
  return command
    .option('--seed <number>', `colour seed (default: ${PUBLISHED_SEED})`, bigNumber)
    .option('--from <index>', 'first index (default: 0)', bigNumber)
    .option('--count <count>', `colours to look at (default: ${digits(DEFAULT_COLOURS)})`, bigNumber)
    .option('--threads <count>', 'worker threads (default: half the cores)', wholeNumber(1, 1_024))
}

interface Search {
  readonly seed: bigint
  readonly range: { readonly start: bigint; readonly count: bigint }
}

function searchOf({ seed = PUBLISHED_SEED, from = 0n, count = DEFAULT_COLOURS }: SearchFlags): Search {
  if (count === 0n) throw new CliError('RANGE_EMPTY', 'there is nothing to look at: --count is 0', EXIT.usage)
  return { seed, range: { start: from, count } }
}

function shown(seed: bigint, { start, count }: Search['range']): object {
  return { seed: hex64(seed), from: hex64(start), count: hex64(count) }
}

/** Opens the threads, shows progress, and closes both whatever comes. */
async function playing<T>(
  context: Context,
  { threads }: { readonly threads?: number },
  label: string,
  total: number,
  play: (games: GameCompute, told: (done: bigint) => void) => Promise<T>,
): Promise<T> {
  await using games = await context.edges.games(threads === undefined ? {} : { threads })
  const progress = openProgress(context.terminal, label, total, rate)
  return await play(games, (done) => progress.update(Number(done))).finally(() => progress.end())
}
