import type { AskDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addLeaf, controlOf, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { askView } from '../view/ask.ts'

const DEFAULT_NEAREST = 10
/** The API answers no more than this many characters. */
const MAX_NEAREST = 200

export function addAsk(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'ask',
    arguments: [['<text...>', 'Chinese text; - reads it from standard input']],
    summary: 'nearest characters of s(t+1) to a text, with the layer and the consensus that answered',
    examples: ['sgsd ask 人工智能正在改变世界', 'sgsd ask 天地玄黄 -k 5 --json', 'sgsd ask - < poem.txt'],
  })
    .option('-k <count>', `how many characters (default: ${DEFAULT_NEAREST})`, wholeNumber(1, MAX_NEAREST))
    .action(async (words: readonly string[], _flags, command: Command) => {
      const flags = optionsOf<{ k?: number }>(command)
      const text = (words.length === 1 && words[0] === '-' ? await context.terminal.readInput() : words.join(' ')).trim()
      if (text === '') throw new CliError('TEXT_EMPTY', 'there is no text to ask about', EXIT.usage, 'sgsd ask 人工智能正在改变世界')
      const control = await controlOf(context, flags)
      const answer = await control.post<AskDocument>('/v1/ask', { text, k: flags.k ?? DEFAULT_NEAREST }, context.signal)
      if (flags.json === true) return printJson(context, answer)
      for (const line of askView(answer, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
    })
}
