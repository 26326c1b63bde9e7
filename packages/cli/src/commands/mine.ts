import type { Done, StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { addGroup, addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'
import { mineView } from '../view/mine.ts'

export function addMine(program: Command, context: Context): void {
  const mine = addGroup(program, 'mine', 'start, pause and look at mining')
  for (const [action, summary, said] of [
    ['start', 'mine until told otherwise', 'mining'],
    ['pause', 'stop mining; what is covered stays', 'paused'],
  ] as const) {
    addLeaf(mine, { name: action, summary, examples: [`sgsd mine ${action}`] }).action(async (_flags, command: Command) => {
      const flags = optionsOf(command)
      await (await controlOf(context, flags)).post<Done>('/v1/mine', { action }, context.signal)
      if (flags.json === true) printJson(context, { schema: 'sgsd.mine/1', state: said })
      else context.terminal.print(said)
    })
  }
  addLeaf(mine, { name: 'status', summary: 'epoch, coverage, rates and engines', examples: ['sgsd mine status', 'sgsd mine status --json'] }).action(
    async (_flags, command: Command) => {
      const flags = optionsOf(command)
      const { colours } = await (await controlOf(context, flags)).get<StatusDocument>('/v1/status', context.signal)
      if (flags.json === true) return printJson(context, { schema: 'sgsd.mine/1', ...colours })
      for (const line of mineView(colours, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
    },
  )
}
