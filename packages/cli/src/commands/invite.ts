import type { InviteDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'

export function addInvite(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'invite',
    summary: 'print the line that lets another machine join',
    details: 'In a keyed mesh the line holds the mesh key after #: whoever has it is a member. `sgsd join -` keeps it out of a shell history.',
    examples: ['sgsd invite', 'sgsd invite --all', 'sgsd invite | ssh boreas sgsd join -'],
  })
    .option('--all', 'one line for each address, best first')
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<{ all?: boolean }>(command)
      const document = await (await controlOf(context, flags)).get<InviteDocument>('/v1/invite', context.signal)
      if (flags.json === true) return printJson(context, document)
      const [best] = document.invites
      if (best === undefined)
        throw new CliError('NO_ADDRESS', 'this node listens nowhere that others could dial', EXIT.failure, 'sgsd config get listen')
      for (const invite of flags.all === true ? document.invites : [best]) context.terminal.print(invite)
      if (document.admission === 'key') context.terminal.note('whoever has this line is a member: send it over a channel that you trust')
    })
}
