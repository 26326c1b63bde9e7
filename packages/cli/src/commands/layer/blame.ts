import type { BlameDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../../context.ts'
import { addLeaf, controlOf, optionsOf, printJson } from '../../leaf.ts'
import { blameView } from '../../view/blame.ts'

export function addBlame(layer: Command, context: Context): void {
  addLeaf(layer, {
    name: 'blame',
    arguments: [
      ['<row>', 'a character, or the number of its row'],
      ['[column]', 'the character that it follows on; without it the strongest edges of the row'],
    ],
    summary: 'where an edge of the consensus comes from: members, their layers, lines of text',
    details:
      'The edge from <column> to <row> says how much a line with <column> calls for <row> in the next one. Lines are shown of texts that are kept on this node;\n' +
      "of other members' texts name, line numbers and SHA-256 of the segment.",
    examples: ['sgsd layer blame 月 明', 'sgsd layer blame 月', 'sgsd layer blame 月 明 --json'],
  }).action(async (row: string, column: string | undefined, _flags, command: Command) => {
    const flags = optionsOf(command)
    const control = await controlOf(context, flags)
    const body = { row, ...(column === undefined ? {} : { column }) }
    const blame = await control.post<BlameDocument>('/v1/layers/blame', body, context.signal)
    if (flags.json === true) return printJson(context, blame)
    for (const line of blameView(blame, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
  })
}
