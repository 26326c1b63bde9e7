import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'

export function addEvents(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'events',
    summary: 'what happens, as it happens: one JSON object a line',
    examples: ['sgsd events', 'sgsd events | jq -r \'select(.event == "consensus:changed") | .id\''],
  })
    .option('--only <event>', 'events of this name, or of this noun: `layer` takes all of layer:…')
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<{ only?: string }>(command)
      const control = await controlOf(context, flags)
      for await (const event of control.events(context.signal)) {
        if (flags.only === undefined || event.event === flags.only || event.event.startsWith(`${flags.only}:`)) printJson(context, event)
      }
    })
}
