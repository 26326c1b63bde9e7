import { encodeSet, TOKEN_KINDS, type TokenKind, union } from '@sgsd/hllset'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addGroup, addLeaf, type CommonOptions, optionsOf, printJson } from '../leaf.ts'
import { readSet, seedOf, type SetInput, type SetInputOptions } from '../set-input.ts'
import { writeText } from '../text-file.ts'
import { compareDocument, compareView, type SetDocument, type SetMakeDocument, setView, summaryOf } from '../view/set.ts'
import { addSetPairs } from './set-pairs.ts'

const INPUT = 'UTF-8 text of any size, or a set made before; - reads standard input'
const ERRORS = 'Sizes are estimates of the sketch; ± is one standard error, about 2 % of a large set. A set made before needs no --tokens.'

interface SetFlags extends CommonOptions {
  readonly tokens: TokenKind
}

/** `sgsd set`: token sets of any text as sketches of at most 4 KiB. */
export function addSet(program: Command, context: Context): void {
  const group = addGroup(program, 'set', 'token sets of any text, as sketches: make, show, compare')
  addLeaf(group, {
    name: 'make',
    nodeless: true,
    arguments: [['<files...>', INPUT]],
    summary: 'make the set of the tokens of some texts, and write it to a file',
    details: "Texts and sets are put together: the set is their union. The file's SHA-256 is the set's id.",
    examples: [
      'sgsd set make notes.txt --out notes.set',
      'cat *.txt | sgsd set make - --tokens chars --out all.set',
      'sgsd set make a.set b.set --out both.set',
    ],
  })
    .requiredOption('--out <file>', 'file to write the set to')
    .addOption(tokensOption())
    .action(async (files: readonly string[], _flags, command: Command) => {
      const flags = optionsOf<SetFlags & { readonly out: string }>(command)
      const inputs = await readSets(context, files, flags)
      const set = inputs.map((input) => input.set).reduce((all, next) => union(all, next))
      await writeText(flags.out, encodeSet(set))
      const made = summaryOf({ name: flags.out, set, tokens: null, occurrences: null, distinct: null })
      const document: SetMakeDocument = { schema: 'sgsd.set-make/1', out: flags.out, ...made, of: inputs.map(summaryOf) }
      if (flags.json === true) return printJson(context, document)
      print(context, setView([...document.of, made], context.terminal.columns(), context.terminal.out))
    })
  addLeaf(group, {
    name: 'show',
    nodeless: true,
    arguments: [['<files...>', INPUT]],
    summary: 'how many distinct tokens texts or sets have, and their ids',
    details: ERRORS,
    examples: ['sgsd set show notes.set', 'sgsd set show poems.txt --tokens chars --json'],
  })
    .addOption(tokensOption())
    .action(async (files: readonly string[], _flags, command: Command) => {
      const flags = optionsOf<SetFlags>(command)
      requireOneStdin(files)
      const inputs: SetInput[] = []
      for (const file of files) inputs.push(await readSet(context, file, { tokens: flags.tokens }))
      const document: SetDocument = { schema: 'sgsd.set/1', sets: inputs.map(summaryOf) }
      if (flags.json === true) return printJson(context, document)
      print(context, setView(document.sets, context.terminal.columns(), context.terminal.out))
    })
  addLeaf(group, {
    name: 'compare',
    nodeless: true,
    arguments: [
      ['<a>', INPUT],
      ['<b>', 'the same'],
    ],
    summary: 'what two texts or sets have in common, what is retained, deleted and new',
    details: ERRORS,
    examples: [
      'sgsd set compare old.txt new.txt',
      'git show HEAD~1:notes.txt | sgsd set compare - notes.txt --exact',
      'sgsd set compare a.set b.txt --tokens chars --json',
    ],
  })
    .addOption(tokensOption())
    .option('--exact', 'count the tokens themselves too, and show some (two texts of at most 2 million distinct tokens each)')
    .action(async (a: string, b: string, _flags, command: Command) => {
      const flags = optionsOf<SetFlags & { readonly exact?: boolean }>(command)
      const [first, second] = (await readSets(context, [a, b], flags)) as [SetInput, SetInput]
      const document = compareDocument(first, second)
      if (flags.json === true) return printJson(context, document)
      print(context, compareView(document, context.terminal.columns(), context.terminal.out))
    })
  addSetPairs(group, context)
}

function tokensOption(): Option {
  return new Option('--tokens <kind>', 'what a text is cut into').choices([...TOKEN_KINDS]).default('words')
}

/**
 * Reads inputs that are to be put together: the texts are hashed as the sets among them are.
 * @throws CliError INPUT_TWICE, SEEDS_DIFFER and those of `readSet`, exit 2
 */
async function readSets(context: Context, files: readonly string[], { tokens, exact = false }: SetInputOptions): Promise<SetInput[]> {
  requireOneStdin(files)
  let seed: number | undefined
  for (const file of files) seed ??= await seedOf(context, file)
  const inputs: SetInput[] = []
  for (const file of files) inputs.push(await readSet(context, file, { tokens, exact, ...(seed === undefined ? {} : { seed }) }))
  const other = inputs.find(({ set }) => set.seed !== inputs[0]!.set.seed)
  if (other === undefined) return inputs
  const [first] = inputs as [SetInput]
  throw new CliError(
    'SEEDS_DIFFER',
    `${first.name} and ${other.name} are sets of different hashes (seeds ${first.set.seed} and ${other.set.seed})`,
    EXIT.usage,
  )
}

function requireOneStdin(files: readonly string[]): void {
  if (files.filter((file) => file === '-').length > 1) throw new CliError('INPUT_TWICE', 'standard input can be read only once', EXIT.usage)
}

function print(context: Context, lines: readonly string[]): void {
  for (const line of lines) context.terminal.print(line)
}
