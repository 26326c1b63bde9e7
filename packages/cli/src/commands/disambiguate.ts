import { tokenStream } from '@sgsd/hllset'
import { MAX_EXACT_CHARACTERS, MAX_ORDER_CHARACTERS, orderable, type OrderModel, restoreOrder } from '@sgsd/lattice'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { decodePieces, readPieces } from '../input-bytes.ts'
import { addLeaf, type CommonOptions, optionsOf, printJson } from '../leaf.ts'
import { CORPUS_NAMES, readOrderCorpus } from '../order-corpus.ts'
import { plainText } from '../text/display-width.ts'
import { type DisambiguateDocument, disambiguateLine, type DisambiguateResult } from '../view/disambiguate.ts'

/** Lines of standard input that one JSON document may hold: some 50 MB. */
const MAX_RESULTS = 100_000

interface DisambiguateFlags extends CommonOptions {
  readonly corpus: string
}

export function addDisambiguate(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'disambiguate',
    nodeless: true,
    arguments: [['<characters...>', 'shuffled characters, a clause each; - reads standard input, a clause a line']],
    summary: 'put shuffled characters into the order that a text makes likeliest',
    details:
      `Pairs and triples of characters are counted in --corpus. Up to ${MAX_EXACT_CHARACTERS} characters every order is weighed, up to ${MAX_ORDER_CHARACTERS} the most promising ` +
      'ones. White space and punctuation are passed over.',
    examples: ['sgsd disambiguate 黃天玄地', 'sgsd disambiguate 亦说乎不 --corpus lunyu', 'sgsd disambiguate - --corpus novel.txt < shuffled.txt'],
  })
    .option('--corpus <name>', `text to learn from: ${CORPUS_NAMES.join(', ')}, or a UTF-8 file`, CORPUS_NAMES[0])
    .action(async (words: readonly string[], _flags, command: Command) => {
      const flags = optionsOf<DisambiguateFlags>(command)
      const fromInput = words.length === 1 && words[0] === '-'
      if (fromInput && flags.corpus === '-') throw new CliError('INPUT_TWICE', 'standard input can be read only once', EXIT.usage)
      // what can be refused at once does not wait for the corpus
      if (!fromInput) for (const word of words) checkClause(word, JSON.stringify(plainText(word)))
      const { name, model } = await readOrderCorpus(context, flags.corpus)
      const results: DisambiguateResult[] = []
      let [answered, known] = [0, false]
      for await (const given of fromInput ? inputClauses(context) : words) {
        const result = resultOf(model, given)
        known ||= result.unseen.length < new Set(orderable(given)).size
        answered++
        // the lines of an input of any size go straight on
        if (fromInput && flags.json !== true) context.terminal.print(result.text)
        else if (results.push(result) > MAX_RESULTS)
          throw new CliError('INPUT_TOO_LONG', `more than ${MAX_RESULTS} lines for one document`, EXIT.usage, 'without --json there is no limit')
      }
      if (answered === 0) throw new CliError('TEXT_EMPTY', 'standard input holds no characters', EXIT.usage)
      if (!known) throw new CliError('CHARACTERS_UNKNOWN', `${name} has none of these characters`, EXIT.usage, 'sgsd disambiguate --corpus <file>')
      const corpus = { name, clauses: model.clauses, characters: model.characters }
      const document: DisambiguateDocument = { schema: 'sgsd.disambiguate/1', corpus, results }
      if (flags.json === true) return printJson(context, document)
      for (const result of results) context.terminal.print(disambiguateLine(result, context.terminal.columns(), context.terminal.out))
    })
}

/** The likeliest order; characters of which the model knows none stay as they were given. */
function resultOf(model: OrderModel, given: string): DisambiguateResult {
  const restored = restoreOrder(model, given)
  const characters = orderable(given)
  return restored.unseen.length < new Set(characters).size
    ? { given, ...restored }
    : { given, ...restored, text: characters.join(''), nats: restored.givenNats }
}

/** The lines of standard input that hold characters. @throws CliError CHARACTERS_TOO_MANY or FILE_UNREADABLE, exit 2 */
async function* inputClauses(context: Context): AsyncGenerator<string> {
  let lines: string[] = []
  const stream = tokenStream('lines', (line) => lines.push(line))
  for await (const text of decodePieces(context, '-', readPieces(context, '-'))) {
    stream.push(text)
    yield* taken()
  }
  stream.end()
  yield* taken()

  function* taken(): Generator<string> {
    for (const line of lines)
      if (orderable(line).length > 0) yield checkClause(line, `the line that begins with ${JSON.stringify(plainText(line.slice(0, 20)))}`)
    lines = []
  }
}

/** @throws CliError CHARACTERS_MISSING or CHARACTERS_TOO_MANY, exit 2 */
function checkClause(clause: string, name: string): string {
  const { length } = orderable(clause)
  if (length === 0) throw new CliError('CHARACTERS_MISSING', `${name} holds no characters`, EXIT.usage)
  if (length > MAX_ORDER_CHARACTERS)
    throw new CliError(
      'CHARACTERS_TOO_MANY',
      `${name} has ${length} characters or more; at most ${MAX_ORDER_CHARACTERS} are put in order at once`,
      EXIT.usage,
    )
  return clause
}
