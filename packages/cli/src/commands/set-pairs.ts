import type { JoinEngineName, SetPairs } from '@sgsd/compute'
import type { TokenKind } from '@sgsd/hllset'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { bestPairs } from '../best-pairs.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { decodePieces, inputName, readPieces } from '../input-bytes.ts'
import { addLeaf, type CommonOptions, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { openProgress } from '../progress.ts'
import { type TextSets, TextSetCollector } from '../text-sets.ts'
import { pairsDocument, pairsView } from '../view/set-pairs.ts'

/** The gate of the lattice (packages/lattice/src/gate.ts). */
const DEFAULT_TAU = 0.35
const DEFAULT_RHO = 0.5
const DEFAULT_TOP = 10
const DEFAULT_LIMIT = 100

const MAX_TOP = 1_000
const MAX_LIMIT = 100_000
const MAX_RHO = 1_000_000

const TOKENS: readonly TokenKind[] = ['words', 'chars', 'lines']
const ENGINES: readonly JoinEngineName[] = ['native', 'wasm', 'reference']

interface PairsFlags extends CommonOptions {
  readonly tokens: TokenKind
  readonly documents?: boolean
  readonly tau: number
  readonly rho: number
  readonly top: number
  readonly limit: number
  readonly engine?: JoinEngineName
}

/** `sgsd set pairs`, below `sgsd set`. */
export function addSetPairs(group: Command, context: Context): void {
  addLeaf(group, {
    name: 'pairs',
    nodeless: true,
    arguments: [['<file>', 'a UTF-8 text; - is standard input']],
    summary: 'pairs of lines, or documents, of which one covers the other',
    details:
      'Each line is the set of its tokens; with --documents each document, which a blank line ends. A pair (A, B) is printed when the coverage ' +
      '|A ∩ B| / |B| is at least --tau and the exclusion |A ∖ B| / |B| at most --rho: exactly, over all pairs, however many there are. Of each A the --top ' +
      'best are found, of all of them the --limit best are printed.',
    examples: [
      'sgsd set pairs poems.txt --tokens chars',
      'sgsd set pairs articles.txt --documents --tau 0.8 --rho 0.2',
      'sgsd set pairs log.txt --top 3 --limit 100000 --json',
      'git ls-files | sgsd set pairs - --tau 0.9',
    ],
  })
    .addOption(new Option('--tokens <kind>', 'what a set holds').choices(TOKENS).default('words'))
    .option('--documents', 'a set for each document instead of each line')
    .option('--tau <share>', 'least coverage, from 0 to 1', number(0, 1), DEFAULT_TAU)
    .option('--rho <share>', 'greatest exclusion, from 0', number(0, MAX_RHO), DEFAULT_RHO)
    .option('--top <count>', 'most pairs of each A', wholeNumber(1, MAX_TOP), DEFAULT_TOP)
    .option('--limit <count>', 'most pairs printed', wholeNumber(1, MAX_LIMIT), DEFAULT_LIMIT)
    .addOption(new Option('--engine <name>', 'this engine or none (default: the fastest that works)').choices(ENGINES))
    .action(async (file: string, _flags, command: Command) => {
      const flags = optionsOf<PairsFlags>(command)
      if (flags.tokens === 'lines' && flags.documents !== true)
        throw new CliError('FLAGS_CONFLICT', 'a line as a set of lines has only itself: --tokens lines needs --documents', EXIT.usage)
      const sets = await readSets(context, file, flags)
      if (sets.sets.length === 0) throw new CliError('TEXT_EMPTY', `${inputName(file)} holds no ${flags.tokens}`, EXIT.usage)
      const { pairs, engine } = await joinSets(context, sets, flags)
      const document = pairsDocument({ ...flags, engine }, sets, pairs, bestPairs(pairs, flags.limit))
      if (flags.json === true) return printJson(context, document)
      for (const line of pairsView(document, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
    })
}

async function readSets(context: Context, file: string, { tokens, documents }: PairsFlags): Promise<TextSets> {
  const collector = new TextSetCollector(tokens, documents === true ? 'documents' : 'lines')
  for await (const text of decodePieces(context, file, readPieces(context, file))) collector.push(text)
  return collector.end()
}

async function joinSets(context: Context, sets: TextSets, { engine, ...gate }: PairsFlags): Promise<{ pairs: SetPairs; engine: JoinEngineName }> {
  await using joins = await context.edges.joins(engine === undefined ? {} : { engine })
  const progress = openProgress(context.terminal, 'comparing', sets.sets.length)
  const pairs = await joins.join(sets, gate, context.signal, (done) => progress.update(done)).finally(() => progress.end())
  return { pairs, engine: joins.engine }
}

/** Reads a decimal number in [least, most] from an argument. */
function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`a number from ${least} to ${most} is needed`)
  }
}
