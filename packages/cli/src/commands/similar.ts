import type { SimilarDocument } from '@sgsd/daemon'
import { type Command, InvalidArgumentError } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'
import { similarView } from '../view/similar.ts'

/** Texts that the daemon compares at a time. */
const MAX_TEXTS = 64

export function addSimilar(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'similar',
    arguments: [['<texts...>', 'two or more Chinese texts; - reads them from standard input, one a line']],
    summary: 'how alike texts are to the lattice: the cosine of their embeddings',
    details: 'About 0 is nothing in common, 1 the same characters. Two texts give one number, more of them a table of all pairs.',
    examples: ['sgsd similar 葡萄美酒夜光杯 勸君更盡一杯酒', 'sgsd similar 春江花月 秋風落葉 金戈鐵馬 --json', 'sgsd similar - < lines.txt'],
  })
    .option('--model <model>', 'sgs, or sgs:<id> of a consensus or a layer (default: sgs, the running consensus)', modelName)
    .action(async (words: readonly string[], _flags, command: Command) => {
      const flags = optionsOf<{ model?: string }>(command)
      const texts = words.length === 1 && words[0] === '-' ? linesOf(await context.terminal.readInput()) : words
      if (texts.length < 2 || texts.length > MAX_TEXTS) {
        throw new CliError(
          'TEXT_COUNT',
          `2 to ${MAX_TEXTS} texts can be compared; these are ${texts.length}`,
          EXIT.usage,
          'sgsd similar 春江花月 秋風落葉',
        )
      }
      const control = await controlOf(context, flags)
      const answer = await control.post<SimilarDocument>('/v1/similar', { texts, model: flags.model ?? 'sgs' }, context.signal)
      if (flags.json === true) return printJson(context, answer)
      for (const line of similarView(answer, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
    })
}

function linesOf(input: string): readonly string[] {
  return input
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

function modelName(text: string): string {
  if (/^sgs(:[0-9a-f]{6,64})?$/.test(text)) return text
  throw new InvalidArgumentError('sgs, or sgs: and 6 to 64 hex digits of a consensus or a layer')
}
